package expr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// appRole is one role a user is assigned to. The order of its fields is that of
// the JSON text.
type appRole struct {
	ID          string `json:"id"`
	Value       string `json:"value"`
	DisplayName string `json:"displayName"`
}

// name is what a role is called: its display name, else its value.
func (r appRole) name() string { return cmp.Or(r.DisplayName, r.Value, r.ID) }

// appRoles reads the members of a list as roles, sorted by name, each once. A
// member is a role as JSON text, or only its name.
func (c call) appRoles(i int) ([]appRole, error) {
	members, err := c.members(i)
	if err != nil {
		return nil, err
	}
	roles := make([]appRole, 0, len(members))
	for _, m := range members {
		if m == "" {
			continue
		}
		r := appRole{Value: m, DisplayName: m}
		if strings.HasPrefix(m, "{") {
			r = appRole{}
			if err := json.Unmarshal([]byte(m), &r); err != nil || r == (appRole{}) {
				return nil, c.fail(m, "this is no app role: a name or a JSON text with id, value and displayName is needed")
			}
		}
		roles = append(roles, r)
	}
	slices.SortFunc(roles, func(a, b appRole) int {
		return cmp.Or(cmp.Compare(a.name(), b.name()), cmp.Compare(a.Value, b.Value), cmp.Compare(a.ID, b.ID), cmp.Compare(a.DisplayName, b.DisplayName))
	})
	return slices.Compact(roles), nil
}

// singleRole takes the first role in the order of their names, so that the choice
// among several is the same each time.
func singleRole(c call) (value, error) {
	roles, err := c.appRoles(0)
	if err != nil || len(roles) == 0 {
		return value{}, err
	}
	return textValue(roles[0].name()), nil
}

func complexRoles(c call) (value, error) {
	roles, err := c.appRoles(0)
	if err != nil || len(roles) == 0 {
		return value{}, err
	}
	members, size := make([]string, len(roles)), 0
	for i, r := range roles {
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(r); err != nil {
			return value{}, c.fail(r.name(), "the role cannot be written as JSON")
		}
		members[i] = strings.TrimSuffix(b.String(), "\n")
		if size += len(members[i]); size > maxText {
			return value{}, c.fail("", tooLong)
		}
	}
	return listValue(members), nil
}
