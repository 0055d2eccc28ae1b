package entra

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tenantsync/directory"
)

// DecodePage reads one page of users as Graph writes it: an answer of GET /users,
// of a delta query, or of a listing of deleted users.
//
// It reads to the end of the document and is strict about its shape: a page
// without value, text behind the document, a name that occurs twice in one
// object, invalid UTF-8, a user without id, or a delta page that ends with both
// kinds of link is an error, and no object of such a page is returned. Attributes
// a record does not mention stay absent, null is null, and so is empty text.
// Members of onPremisesExtensionAttributes and employeeOrgData come under their
// own names; manager@delta and manager become the attribute manager; annotations
// and properties that are objects are left out, except identities. A number that
// is not a 64-bit integer becomes text.
func DecodePage(b []byte) (directory.Page, error) { return decodePage(b, nil) }

// decodePage is DecodePage for known selects: of the members of a complex
// property only selected ones are kept. nil keeps all.
func decodePage(b []byte, selects []string) (directory.Page, error) {
	d := newDecoder(b, selects)
	var page directory.Page
	seen := false
	err := d.object(func(name []byte) error {
		var err error
		switch string(name) {
		case `"value"`:
			seen = true
			page.Objects, err = d.users()
		case `"@odata.nextLink"`:
			page.Next, err = d.link()
		case `"@odata.deltaLink"`:
			page.Watermark, err = d.link()
		default:
			err = d.json.SkipValue()
		}
		return err
	})
	if err == nil {
		err = d.end()
	}
	switch {
	case err != nil:
		return directory.Page{}, err
	case !seen:
		return directory.Page{}, errors.New("page without value")
	case page.Next != "" && page.Watermark != "":
		return directory.Page{}, errors.New("page with both nextLink and deltaLink")
	}
	return page, nil
}

// decodeUser reads one user as GET /users/{id} returns it.
func decodeUser(b []byte, selects []string) (directory.Object, error) {
	d := newDecoder(b, selects)
	o, err := d.user()
	if err == nil {
		err = d.end()
	}
	return o, err
}

// role is how a property of a user is read.
type role uint8

const (
	rolePlain role = iota
	roleSkip
	roleID
	roleRemoved
	roleManagerDelta
	roleManager
	roleIdentities
	roleHolder
)

// property is a name as it was first seen; all later occurrences share it.
type property struct {
	name string
	role role
}

func newProperty(name string) property {
	p := property{name: name}
	switch name {
	case "id":
		p.role = roleID
	case "@removed":
		p.role = roleRemoved
	case "manager@delta":
		p.role, p.name = roleManagerDelta, "manager"
	case "manager":
		p.role = roleManager
	case "identities":
		p.role = roleIdentities
	case extensionHolder, orgDataHolder:
		p.role = roleHolder
	default:
		if strings.Contains(name, "@") {
			p.role = roleSkip
		}
	}
	return p
}

func (d *decoder) users() ([]directory.Object, error) {
	var out []directory.Object
	err := d.array(func() error {
		o, err := d.user()
		if err != nil {
			return fmt.Errorf("value[%d]: %w", len(out), err)
		}
		out = append(out, o)
		return nil
	})
	if err == nil && out == nil {
		out = []directory.Object{}
	}
	return out, err
}

func (d *decoder) user() (directory.Object, error) {
	var o directory.Object
	d.scratch = d.scratch[:0]
	err := d.object(func(raw []byte) error {
		p, known := d.names[string(raw)]
		if !known {
			name, err := unquote(raw)
			if err != nil {
				return err
			}
			p = newProperty(name)
			d.names[string(raw)] = p
		}
		return d.property(&o, p)
	})
	if err != nil {
		return directory.Object{}, err
	}
	if o.ID == "" {
		return directory.Object{}, errors.New("object without id")
	}
	o.Attributes = d.sorted()
	return o, nil
}

func (d *decoder) property(o *directory.Object, p property) (err error) {
	switch p.role {
	case roleSkip:
		return d.json.SkipValue()
	case roleID:
		o.ID, err = d.text()
	case roleRemoved:
		o.Removed, err = d.removed()
	case roleManagerDelta:
		return d.managerDelta()
	case roleManager:
		return d.manager()
	case roleIdentities:
		o.Identities, err = d.identities()
	case roleHolder:
		return d.holder(p.name)
	default:
		var v directory.Value
		if v, err = d.value(); err == nil && !v.IsAbsent() {
			d.put(p.name, v)
		}
	}
	return err
}

func (d *decoder) put(name string, v directory.Value) {
	d.scratch = append(d.scratch, directory.Attribute{Name: name, Value: v})
}

// value reads the value of an attribute; absent for what is no attribute.
func (d *decoder) value() (directory.Value, error) {
	switch kind := d.json.PeekKind(); kind {
	case '"':
		s, err := d.text()
		return directory.TextOf(s), err
	case 'n':
		return directory.NullValue(), d.json.SkipValue()
	case 't', 'f':
		return directory.BoolOf(kind == 't'), d.json.SkipValue()
	case '0':
		raw, err := d.json.ReadValue()
		if n, bad := strconv.ParseInt(string(raw), 10, 64); bad == nil {
			return directory.IntOf(n), err
		}
		return directory.TextOf(string(raw)), err
	case '[':
		return d.list()
	}
	return directory.Value{}, d.json.SkipValue()
}

// list reads an array of texts. Numbers and booleans, which a directory extension
// can hold several of, count in their text form; an array of anything else is no
// attribute.
func (d *decoder) list() (directory.Value, error) {
	var texts, plain []string
	strange := false
	err := d.array(func() error {
		switch d.json.PeekKind() {
		case '"':
			s, err := d.text()
			texts = append(texts, s)
			return err
		case '0', 't', 'f':
			v, err := d.value()
			plain = append(plain, v.String())
			return err
		}
		strange = true
		return d.json.SkipValue()
	})
	switch {
	case err != nil:
		return directory.Value{}, err
	case texts != nil && (strange || plain != nil):
		return directory.Value{}, fmt.Errorf("list of text and other things at byte %d", d.json.InputOffset())
	case strange:
		return directory.Value{}, nil
	case plain != nil:
		return directory.ListOf(plain...), nil
	}
	return directory.ListOf(texts...), nil
}

func (d *decoder) removed() (directory.Removal, error) {
	// Without a reason the weaker one is assumed: it can be undone.
	removal := directory.SoftDeleted
	err := d.object(func(name []byte) error {
		if string(name) != `"reason"` {
			return d.json.SkipValue()
		}
		reason, err := d.text()
		if strings.EqualFold(reason, string(directory.Purged)) {
			removal = directory.Purged
		}
		return err
	})
	return removal, err
}

// reference reads {"id":…} and whether it carries @removed.
func (d *decoder) reference() (id string, gone bool, err error) {
	err = d.object(func(name []byte) error {
		var err error
		switch string(name) {
		case `"id"`:
			id, err = d.text()
		case `"@removed"`:
			gone, err = true, d.json.SkipValue()
		default:
			err = d.json.SkipValue()
		}
		return err
	})
	if err == nil && id == "" {
		err = errors.New("reference without id")
	}
	return id, gone, err
}

// managerDelta reads the changes of the manager link. A user has one manager: one
// that was added counts, whatever was removed beside it.
func (d *decoder) managerDelta() error {
	v := directory.Value{}
	err := d.array(func() error {
		id, gone, err := d.reference()
		switch {
		case err != nil:
			return err
		case !gone:
			v = directory.RefOf(id)
		case v.IsAbsent():
			v = directory.NullValue()
		}
		return nil
	})
	if err == nil && !v.IsAbsent() {
		d.put("manager", v)
	}
	return err
}

func (d *decoder) manager() error {
	if d.json.PeekKind() == 'n' {
		d.put("manager", directory.NullValue())
		return d.json.SkipValue()
	}
	id, _, err := d.reference()
	if err == nil {
		d.put("manager", directory.RefOf(id))
	}
	return err
}

func (d *decoder) identities() ([]directory.Identity, error) {
	out := []directory.Identity{}
	if d.json.PeekKind() == 'n' {
		return out, d.json.SkipValue()
	}
	err := d.array(func() error {
		var identity directory.Identity
		err := d.object(func(name []byte) error {
			var into *string
			switch string(name) {
			case `"signInType"`:
				into = &identity.SignInType
			case `"issuer"`:
				into = &identity.Issuer
			case `"issuerAssignedId"`:
				into = &identity.IssuerAssignedID
			}
			if into == nil || d.json.PeekKind() != '"' {
				return d.json.SkipValue()
			}
			var err error
			*into, err = d.text()
			return err
		})
		out = append(out, identity)
		return err
	})
	return out, err
}

// holder reads a complex property whose members are attributes of their own. Null
// says that none of them has a value.
func (d *decoder) holder(holder string) error {
	if d.json.PeekKind() == 'n' {
		for _, name := range d.selects {
			if holderOf(name) == holder {
				d.put(name, directory.NullValue())
			}
		}
		return d.json.SkipValue()
	}
	return d.object(func(raw []byte) error {
		p, known := d.names[string(raw)]
		if !known {
			name, err := unquote(raw)
			if err != nil {
				return err
			}
			p = newProperty(name)
			d.names[string(raw)] = p
		}
		if holderOf(p.name) != holder || d.selects != nil && !slices.Contains(d.selects, p.name) {
			return d.json.SkipValue()
		}
		v, err := d.value()
		if err == nil && !v.IsAbsent() {
			d.put(p.name, v)
		}
		return err
	})
}
