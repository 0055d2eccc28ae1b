package mapping

import "tenantsync/mapping/attribute"

// AttributeInfo tells of one user attribute: its Graph name, the kind of its
// value, its limits, and whether an app can write it for an external user.
type AttributeInfo = attribute.Info

// Attribute returns what is known of a user attribute, by its Graph name or an
// old directory name.
func Attribute(name string) (AttributeInfo, bool) { return attribute.Lookup(name) }

// Nearest returns the known attribute whose name is closest to name, or "".
func Nearest(name string) string { return attribute.Nearest(name) }
