package entra

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"tenantsync/directory"
)

// readOrganization reads the organization once and makes sure that the
// credential belongs to the configured tenant: an opaque token cannot tell.
func (c *Client) readOrganization(ctx context.Context, m *Meter) (directory.Tenant, error) {
	if known := c.organization.Load(); known != nil {
		return *known, nil
	}
	ans, err := c.get(ctx, m, callOrganization, c.graph+"/organization?$select=id,displayName,verifiedDomains")
	if err != nil {
		return directory.Tenant{}, err
	}
	t, err := decodeOrganization(ans.body)
	if err != nil {
		return directory.Tenant{}, c.malformed(callOrganization, ans, err)
	}
	if !strings.EqualFold(t.ID, c.tenantID) {
		return directory.Tenant{}, wrongTenant(c.name, c.tenantID, t.ID)
	}
	c.organization.Store(&t)
	return t, nil
}

func decodeOrganization(b []byte) (directory.Tenant, error) {
	var doc struct {
		Value []struct {
			ID          string `json:"id"`
			DisplayName string `json:"displayName"`
			Domains     []struct {
				Name      string `json:"name"`
				IsDefault bool   `json:"isDefault"`
				IsInitial bool   `json:"isInitial"`
			} `json:"verifiedDomains"`
		} `json:"value"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return directory.Tenant{}, err
	}
	if len(doc.Value) != 1 || doc.Value[0].ID == "" {
		return directory.Tenant{}, errors.New("want exactly one organization with an id")
	}
	org := doc.Value[0]
	t := directory.Tenant{ID: org.ID, DisplayName: org.DisplayName}
	for _, d := range org.Domains {
		name := strings.ToLower(d.Name)
		if name == "" {
			continue
		}
		t.VerifiedDomain = append(t.VerifiedDomain, name)
		if d.IsInitial {
			t.InitialDomain = name
		}
		if d.IsDefault {
			t.DefaultDomain = name
		}
	}
	return t, nil
}
