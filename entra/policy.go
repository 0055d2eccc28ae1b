package entra

import (
	"context"
	"encoding/json"
	"strings"

	"tenantsync/directory"
)

// partnerPolicy is a partner's entry of the cross-tenant access policy, or the
// default. What is null in a partner's entry comes from the default.
// https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicyconfigurationpartner
type partnerPolicy struct {
	AutomaticUserConsent *struct {
		InboundAllowed  *bool `json:"inboundAllowed"`
		OutboundAllowed *bool `json:"outboundAllowed"`
	} `json:"automaticUserConsentSettings"`
	Inbound  *collaboration `json:"b2bCollaborationInbound"`
	Outbound *collaboration `json:"b2bCollaborationOutbound"`
	Trust    *struct {
		MFA *bool `json:"isMfaAccepted"`
	} `json:"inboundTrust"`
}

type collaboration struct {
	Users        *accessRule `json:"usersAndGroups"`
	Applications *accessRule `json:"applications"`
}

type accessRule struct {
	AccessType string `json:"accessType"`
	Targets    []struct {
		Target string `json:"target"`
	} `json:"targets"`
}

// blocksAll reports whether a rule shuts everybody, or every application, out.
func (r *accessRule) blocksAll(all string) bool {
	if r == nil || !strings.EqualFold(r.AccessType, "blocked") {
		return false
	}
	for _, t := range r.Targets {
		if strings.EqualFold(t.Target, all) {
			return true
		}
	}
	return false
}

// over returns the rules with those that are not set taken from the default.
func (c *collaboration) over(byDefault *collaboration) collaboration {
	var out collaboration
	for _, from := range []*collaboration{c, byDefault} {
		if from == nil {
			continue
		}
		if out.Users == nil {
			out.Users = from.Users
		}
		if out.Applications == nil {
			out.Applications = from.Applications
		}
	}
	return out
}

func (c collaboration) blocked() bool {
	return c.Users.blocksAll("AllUsers") || c.Applications.blocksAll("AllApplications")
}

// readPolicy reads the policies that decide about invitations from or to a
// partner tenant.
func (c *Client) readPolicy(ctx context.Context, m *Meter, partnerTenantID string) (directory.Policy, error) {
	partner, err := segment(partnerTenantID)
	if err != nil {
		return directory.Policy{}, c.noSuchID(callPolicy, err)
	}
	const access = "/policies/crossTenantAccessPolicy/"
	var authorization struct {
		AllowInvitesFrom string `json:"allowInvitesFrom"`
	}
	var own, byDefault partnerPolicy
	var sync struct {
		UserSyncInbound struct {
			Allowed bool `json:"isSyncAllowed"`
		} `json:"userSyncInbound"`
	}
	documents := []struct {
		path        string
		into        any
		dispensable func(directory.ErrorKind) bool
	}{
		{"/policies/authorizationPolicy", &authorization, nowhere},
		{access + "default", &byDefault, nowhere},
		{access + "partners/" + partner, &own, missing},
		{access + "partners/" + partner + "/identitySynchronization", &sync, refusedOrMissing},
	}
	items := make([]*fetch, len(documents))
	for i, d := range documents {
		items[i] = &fetch{what: callPolicy, path: d.path}
	}
	if err := c.readBatch(ctx, m, items); err != nil {
		return directory.Policy{}, err
	}
	out := directory.Policy{PartnerExists: items[2].err == nil}
	for i, d := range documents {
		if items[i].err != nil && d.dispensable(directory.KindOf(items[i].err)) {
			continue
		}
		if items[i].err != nil {
			return directory.Policy{}, items[i].err
		}
		if err := json.Unmarshal(items[i].reply.body, d.into); err != nil {
			return directory.Policy{}, c.malformed(callPolicy, answer{header: items[i].reply.header}, err)
		}
	}
	out.AllowInvitesFrom = authorization.AllowInvitesFrom
	out.UserSyncInbound = sync.UserSyncInbound.Allowed
	merge(&out, own, byDefault)
	return out, nil
}

// Which refusals of a policy document leave it out instead of ending the read: a
// partner need not have an entry, and what only Microsoft's own service uses is
// told for information.
func nowhere(directory.ErrorKind) bool      { return false }
func missing(kind directory.ErrorKind) bool { return kind == directory.NotFound }
func refusedOrMissing(kind directory.ErrorKind) bool {
	return kind == directory.NotFound || kind == directory.Denied || kind == directory.Invalid
}

// merge applies the partner's entry over the default. Automatic consent has no
// default to inherit: Graph says that it is false.
func merge(out *directory.Policy, own, byDefault partnerPolicy) {
	if consent := own.AutomaticUserConsent; consent != nil {
		out.AutoRedeemInbound = consent.InboundAllowed != nil && *consent.InboundAllowed
		out.AutoRedeemOutbound = consent.OutboundAllowed != nil && *consent.OutboundAllowed
	}
	if own.Trust == nil || own.Trust.MFA == nil {
		own.Trust = byDefault.Trust
	}
	out.InboundBlocked = own.Inbound.over(byDefault.Inbound).blocked()
	out.OutboundBlocked = own.Outbound.over(byDefault.Outbound).blocked()
	out.MFATrusted = own.Trust != nil && own.Trust.MFA != nil && *own.Trust.MFA
}
