package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
)

// errNotAllowed is why a value is not written.
var errNotAllowed = errors.New("the value is not among the allowedValues of the mapping")

// allowed takes up the values that a mapping restricts its target to. What the
// configuration itself would write must be among them.
func (c *compiler) allowed(r *rule, m Mapping) {
	if len(m.Allowed) == 0 {
		return
	}
	if r.target.Kind == directory.Ref {
		c.fail("allowedValues", "%s is a reference, which has no values to allow", r.target.Name)
		return
	}
	r.allowed = m.Allowed
	for _, written := range []struct {
		field string
		value directory.Value
	}{{"constant", r.constant}, {"defaultValue", r.fallback}} {
		if v, err := convert(written.value, &r.target); err == nil && !written.value.IsEmpty() && r.admits(v) != nil {
			c.fail(written.field, "the value is not among the allowedValues %s", strings.Join(quoted(m.Allowed), ", "))
		}
	}
}

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}

// admits reports whether a value, and every member of a list, is one that the
// mapping may write.
func (r *rule) admits(v directory.Value) error {
	if r.allowed == nil {
		return nil
	}
	texts := v.List()
	if v.Kind() != directory.List {
		texts = []string{v.String()}
	}
	for _, text := range texts {
		if !slices.Contains(r.allowed, text) {
			return errNotAllowed
		}
	}
	return nil
}
