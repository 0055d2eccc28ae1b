package engine

import (
	"slices"
	"strings"

	"tenantsync/directory"
)

// The ownership stamp says, in an attribute of the target user, whose user that
// is: tenantsync:SOURCE-TENANT-ID/SOURCE-OBJECT-ID. It outlives the state file and
// every change of addresses. It is a claim of whoever may write the attribute, no
// proof: a user it leads to passes the same checks of home as every other match.

// stampPrefix begins every stamp; the attribute may hold other texts.
const stampPrefix = "tenantsync:"

// stamp is the source user that a target user belongs to.
type stamp struct{ tenant, id string }

// text is the stamp as it is written.
func (s stamp) text() string { return stampPrefix + s.tenant + "/" + s.id }

// parseStamp reads a stamp; false: the text is none.
func parseStamp(text string) (stamp, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), stampPrefix)
	tenant, id, both := strings.Cut(rest, "/")
	if !ok || !both {
		return stamp{}, false
	}
	t, okT := directory.ParseGUID(strings.ToLower(tenant))
	i, okI := directory.ParseGUID(strings.ToLower(id))
	return stamp{t.String(), i.String()}, okT && okI
}

// stampOf is the stamp of a source user of the job, in the form that parseStamp gives.
func (j *Job) stampOf(sourceID string) stamp {
	return stamp{strings.ToLower(j.Pair.Source), strings.ToLower(sourceID)}
}

// stampOn reads the stamp of a target user.
func (j *Job) stampOn(o directory.Object) (stamp, bool) {
	if j.Ownership == "" {
		return stamp{}, false
	}
	return parseStamp(o.Attributes.Get(j.Ownership).Text())
}

// stamped adds the stamp to what a target user should have.
func (j *Job) stamped(desired directory.Attributes, sourceID string) directory.Attributes {
	if j.Ownership == "" {
		return desired
	}
	desired = desired.Clone()
	desired.Set(j.Ownership, directory.TextOf(j.stampOf(sourceID).text()))
	return desired
}

// targetAttributes are the attributes that the job writes, references apart.
func (j *Job) targetAttributes() []string {
	names := j.Mapping.TargetAttributes()
	if j.Ownership != "" && !slices.Contains(names, j.Ownership) {
		names = append(names, j.Ownership)
		slices.Sort(names)
	}
	return names
}

// refuseStamp refuses a target user who bears the stamp of somebody else.
func (j *Job) refuseStamp(sourceID string, o directory.Object) choice {
	s, ok := j.stampOn(o)
	if !ok || s == j.stampOf(sourceID) {
		return choice{}
	}
	whose := "source user " + s.id
	if s.tenant != strings.ToLower(j.Pair.Source) {
		whose = "user " + s.id + " of tenant " + s.tenant
	}
	return choice{code: CodeOwnedByOtherUser, reason: "target user " + o.ID + " bears in " + j.Ownership + " the stamp of " + whose}
}

// contradicted reports an address of a source user that leads to another free
// external user than its stamp does. Users who belong to others, by a link or by
// their own stamp, have the address from before it changed hands.
func (j *Job) contradicted(sourceID string, chosen directory.Object, byAddress []candidate, target directory.Tenant) choice {
	for _, c := range byAddress {
		if c.object.ID == chosen.ID || !isExternal(c.object, target) || c.linked != "" && c.linked != sourceID {
			continue
		}
		if s, ok := j.stampOn(c.object); ok && s != j.stampOf(sourceID) {
			continue
		}
		return choice{code: CodeOwnershipConflict, reason: "target user " + chosen.ID + " bears the stamp of this user, and the address " +
			c.address + " belongs to target user " + c.object.ID}
	}
	return choice{}
}

// refuseChoice refuses what matching chose by an attribute where a stamp speaks
// against it; later are the keys that were not asked.
func (c *cycle) refuseChoice(sourceID, attribute string, chosen directory.Object, later []matchKey, found map[matchKey][]candidate, target directory.Tenant) choice {
	if c.job.Ownership == "" {
		return choice{}
	}
	if attribute != c.job.Ownership {
		return c.job.refuseStamp(sourceID, chosen)
	}
	for _, k := range later {
		if k.attribute != addressKey {
			continue
		}
		if no := c.job.contradicted(sourceID, chosen, found[k], target); no.code != "" {
			return no
		}
	}
	return choice{}
}
