package entrasim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// identify gives ids to the users and groups of a file that have none: the same
// name, the same id.
func (t *Tenant) identify(f File) File {
	name := func(list []Object, key string) []Object {
		out := slices.Clone(list)
		for i, o := range out {
			if o.ID() == "" {
				id := nameID(t.ID + "/" + key + "/" + strings.ToLower(o.String(key)))
				out[i] = Object{append([]Field{{"id", quote(id)}}, o.fields...)}
			}
		}
		return out
	}
	if f.Users != nil {
		f.Users = name(f.Users, "userPrincipalName")
	}
	if f.Groups != nil {
		f.Groups = name(f.Groups, "displayName")
	}
	return f
}

// nameID derives an id from a name.
func nameID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return formatID(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:]))
}

// checkFile holds a file against the rules that span objects.
func (t *Tenant) checkFile(f File) error {
	known := map[string]bool{}
	names := map[string]string{}
	proxies := map[string]string{}
	for _, s := range f.sections() {
		for i, o := range *s.list {
			place := fmt.Sprintf("%s[%d]", s.name, i)
			if known[o.ID()] && o.ID() != "" {
				return fmt.Errorf("%s.id: %q occurs twice", place, o.ID())
			}
			known[o.ID()] = true
			if s.name == "users" {
				if err := claim(names, place, "userPrincipalName", o.String("userPrincipalName")); err != nil {
					return err
				}
			}
			if s.name == "users" || s.name == "groups" || s.name == "contacts" {
				for _, p := range fileProxies(o) {
					if err := claim(proxies, place, "proxyAddresses", p); err != nil {
						return err
					}
				}
			}
		}
	}
	if err := t.checkFileExtensions(f); err != nil {
		return err
	}
	for i, o := range f.Users {
		id := fileManager(o)
		if id == "" || known[id] {
			continue
		}
		if m := t.objects[id]; m == nil || m.state == statePurged {
			return fmt.Errorf("users[%d].manager: no user or contact has the id %q", i, id)
		}
	}
	return nil
}

func claim(owners map[string]string, place, property, value string) error {
	value = strings.ToLower(value)
	if other, taken := owners[value]; taken && other != place {
		return fmt.Errorf("%s.%s: %q belongs to %s already", place, property, value, other)
	}
	owners[value] = place
	return nil
}

// fileProxies lists the addresses an object of a file owns. Without proxy
// addresses mail counts, except for external users: a guest may share the
// address of a contact.
func fileProxies(o Object) []string {
	if raw := o.Raw("proxyAddresses"); raw != "" {
		var out []string
		for _, p := range o.Strings("proxyAddresses") {
			if a := proxyAddress(p); a != "" {
				out = append(out, a)
			}
		}
		return out
	}
	if mail := o.String("mail"); mail != "" {
		return []string{mail}
	}
	return nil
}

func fileManager(o Object) string { return strings.ToLower(memberString(o.Raw("manager"), "id")) }
