package entrasim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// File is the state of a tenant: a tenant file. A nil section is one that was
// left out, which Load leaves as it is; an empty one says that there are none.
type File struct {
	Organization      Object   // id, displayName, verifiedDomains …; the zero Object: left out
	Users             []Object // with "manager": {"id": …}
	Groups            []Object // with "members": [ids]
	DeletedUsers      []Object // soft-deleted, with deletedDateTime
	Contacts          []Object
	ServicePrincipals []Object // with "appRoleAssignedTo": […] and "synchronization": {"jobs": […], "secrets": […]}
	DirectoryRoles    []Object // with "members": [ids]
	Applications      []Object // appId, secret, roles
	// ExtensionProperties are the directory extensions: name, dataType,
	// isMultiValued, targetObjects. Left out, every well-formed name is one.
	ExtensionProperties []Object
	Policies            Object // authorizationPolicy, crossTenantAccess, invitationDomains
}

// empty reports whether the file describes a tenant without any content.
func (f File) empty() bool {
	return f.Users == nil && f.Groups == nil && f.DeletedUsers == nil && f.Contacts == nil &&
		f.ServicePrincipals == nil && f.DirectoryRoles == nil && f.Policies.fields == nil
}

// section is one list of a tenant file.
type section struct {
	name string
	list *[]Object
}

func (f *File) sections() []section {
	return []section{
		{"users", &f.Users}, {"groups", &f.Groups}, {"deletedUsers", &f.DeletedUsers}, {"contacts", &f.Contacts},
		{"servicePrincipals", &f.ServicePrincipals}, {"directoryRoles", &f.DirectoryRoles}, {"applications", &f.Applications},
		{"extensionProperties", &f.ExtensionProperties},
	}
}

// ErrFile reports a tenant file that does not have the documented shape.
var ErrFile = errors.New("invalid tenant file")

// ParseFile reads a tenant file. Unknown sections and properties, values of the
// wrong type and objects that occur twice are errors that name the place.
func ParseFile(r io.Reader) (File, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return File{}, fmt.Errorf("read tenant file: %w", err)
	}
	text, err := compact(src)
	if err != nil {
		return File{}, fmt.Errorf("%w: %s", ErrFile, syntaxPlace(src, err))
	}
	var f File
	if err := f.parse(text); err != nil {
		return File{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return f, nil
}

// syntaxPlace adds line and column to an error of encoding/json.
func syntaxPlace(src []byte, err error) string {
	var syntax *json.SyntaxError
	var whole json.RawMessage
	if !errors.As(json.Unmarshal(src, &whole), &syntax) { // Compact counts no offset
		return err.Error()
	}
	before := string(src[:min(int(syntax.Offset), len(src))])
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n') - 1
	return fmt.Sprintf("line %d, column %d: %v", line, max(column, 1), err)
}

func (f *File) parse(text string) error {
	seen := map[string]bool{}
	err := eachMember(text, func(key, raw string) error {
		if seen[key] {
			return fmt.Errorf("%s: the section occurs twice", key)
		}
		seen[key] = true
		var err error
		switch key {
		case "organization":
			f.Organization, err = parseObject(raw)
		case "policies":
			f.Policies, err = parseObject(raw)
		default:
			sections := f.sections()
			i := slices.IndexFunc(sections, func(s section) bool { return s.name == key })
			if i < 0 {
				return fmt.Errorf("%s: there is no such section", key)
			}
			*sections[i].list, err = parseObjects(raw)
		}
		if err != nil {
			return fmt.Errorf("%s%w", key, joinPlace(err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.check()
}

// placedError is an error that already begins with its place, such as "[3]: …".
type placedError struct{ err error }

func (e placedError) Error() string { return e.err.Error() }
func (e placedError) Unwrap() error { return e.err }

func joinPlace(err error) error {
	var placed placedError
	if errors.As(err, &placed) {
		return err
	}
	return fmt.Errorf(": %w", err)
}

func parseObjects(raw string) ([]Object, error) {
	list := []Object{}
	err := eachElement(raw, func(i int, e string) error {
		o, err := parseObject(e)
		if err != nil {
			return placedError{fmt.Errorf("[%d]: %w", i, err)}
		}
		list = append(list, o)
		return nil
	})
	return list, err
}

// check validates shapes and brings ids into lower case.
func (f *File) check() error {
	ids := map[string]string{}
	for _, s := range f.sections() {
		for i, o := range *s.list {
			place := fmt.Sprintf("%s[%d]", s.name, i)
			checked, err := checkFileObject(s.name, o)
			if err != nil {
				return fmt.Errorf("%s.%w", place, err)
			}
			(*s.list)[i] = checked
			id := checked.ID()
			if s.name == "applications" {
				id = checked.String("appId")
			}
			if id == "" {
				continue
			}
			if first, twice := ids[id]; twice {
				return fmt.Errorf("%s.id: %q is already the id of %s", place, id, first)
			}
			ids[id] = place
		}
	}
	return f.checkPolicies()
}

// checkFileObject validates one object of a section.
func checkFileObject(sectionName string, o Object) (Object, error) {
	out := Object{fields: make([]Field, 0, len(o.fields))}
	s := sectionSchema(sectionName)
	for _, f := range o.fields {
		if strings.HasPrefix(f.Name, "@odata.") {
			continue
		}
		if s != nil {
			if err := checkFileProperty(s, f); err != nil {
				return o, err
			}
		}
		switch f.Name {
		case "id", "appId":
			id, isText := unquote(f.Raw)
			if !isText || id == "" || strings.ContainsAny(id, "/?# ") {
				return o, fmt.Errorf("%s: an id is expected, got %s", f.Name, f.Raw)
			}
			f.Raw = quote(strings.ToLower(id))
		case "members", "roles":
			if f.Raw[0] != '[' {
				return o, fmt.Errorf("%s: a list is expected, got %s", f.Name, f.Raw)
			}
			list, isList := stringList(f.Raw)
			if !isList {
				return o, fmt.Errorf("%s: a list of texts is expected", f.Name)
			}
			if f.Name == "members" {
				for i := range list {
					list[i] = strings.ToLower(list[i])
				}
				if d := firstDuplicate(list); d != "" {
					return o, fmt.Errorf("members: %q occurs twice", d)
				}
			}
			f.Raw = quoteList(list)
		case "appRoleAssignedTo":
			if err := checkAssignments(f.Raw); err != nil {
				return o, err
			}
		case "synchronization":
			if err := checkSynchronization(f.Raw); err != nil {
				return o, err
			}
		}
		out.fields = append(out.fields, f)
	}
	if sectionName == "extensionProperties" {
		return out, checkExtensionProperty(out)
	}
	return out, checkRequired(sectionName, out)
}

func firstDuplicate(list []string) string {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return s
		}
		seen[s] = true
	}
	return ""
}

func sectionSchema(name string) *schema {
	switch name {
	case "users", "deletedUsers":
		return userProperties
	case "groups":
		return groupProperties
	case "contacts":
		return contactProperties
	}
	return nil
}

// checkRequired names the properties an object cannot be without.
func checkRequired(sectionName string, o Object) error {
	var required []string
	switch sectionName {
	case "users":
		required = []string{"userPrincipalName"}
	case "deletedUsers", "servicePrincipals", "directoryRoles", "contacts":
		required = []string{"id"}
	case "groups":
		if o.ID() == "" {
			required = []string{"displayName"}
		}
	case "applications":
		required = []string{"appId"}
	}
	for _, name := range required {
		if o.String(name) == "" {
			return fmt.Errorf("%s: is missing", name)
		}
	}
	return nil
}

// checkFileProperty holds a property of a user, group or contact to its type.
// Limits of length are not checked: a real directory holds older values.
func checkFileProperty(s *schema, f Field) error {
	if s == userProperties && isSimulatorProperty(f.Name) {
		return nil
	}
	p, found := s.lookup(f.Name)
	if !found {
		return fmt.Errorf("%s: there is no such property on %s", f.Name, s.typeName())
	}
	if isNull(f.Raw) || f.Name == "members" {
		return nil
	}
	good := true
	switch p.typ {
	case typeString, typeDate:
		_, good = unquote(f.Raw)
	case typeBool:
		good = f.Raw == "true" || f.Raw == "false"
	case typeStrings:
		_, good = stringList(f.Raw)
	case typeObjects:
		good = f.Raw[0] == '['
	case typeObject:
		good = f.Raw[0] == '{'
	case typeExtension: // held against the tenant's registrations later
	case typeNumber:
		good = f.Raw[0] == '-' || f.Raw[0] >= '0' && f.Raw[0] <= '9'
	}
	if p.name == "manager" && good {
		good = memberString(f.Raw, "id") != ""
	}
	if !good {
		return fmt.Errorf("%s: the value has the wrong type: %.60s", f.Name, f.Raw)
	}
	return nil
}

func checkAssignments(raw string) error {
	return eachElement(raw, func(i int, e string) error {
		if memberString(e, "principalId") == "" {
			return fmt.Errorf("appRoleAssignedTo[%d].principalId: is missing", i)
		}
		return nil
	})
}

// checkPolicies validates the policies section.
func (f *File) checkPolicies() error {
	for _, p := range f.Policies.fields {
		switch p.Name {
		case "authorizationPolicy", "invitationDomains":
			if p.Raw[0] != '{' {
				return fmt.Errorf("policies.%s: an object is expected", p.Name)
			}
		case "crossTenantAccess":
			err := eachMember(p.Raw, func(key, raw string) error {
				switch key {
				case "default":
					if raw[0] != '{' {
						return fmt.Errorf("default: an object is expected")
					}
					return nil
				case "partners":
					return eachElement(raw, func(i int, e string) error {
						if memberString(e, "tenantId") == "" {
							return fmt.Errorf("partners[%d].tenantId: is missing", i)
						}
						return nil
					})
				}
				return fmt.Errorf("%s: there is no such policy", key)
			})
			if err != nil {
				return fmt.Errorf("policies.crossTenantAccess.%w", err)
			}
		default:
			return fmt.Errorf("policies.%s: there is no such policy", p.Name)
		}
	}
	return nil
}

// Write writes the file as JSON, one object a line, in a stable order.
func (f File) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	first := true
	begin := func(name string) {
		if !first {
			b.WriteString(",\n")
		}
		first = false
		b.WriteString(quote(name) + ": ")
	}
	b.WriteString("{\n")
	if f.Organization.fields != nil {
		begin("organization")
		b.WriteString(f.Organization.text())
	}
	for _, s := range f.sections() {
		if *s.list == nil {
			continue
		}
		begin(s.name)
		b.WriteString("[")
		for i, o := range *s.list {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString("\n" + o.text())
		}
		b.WriteString("\n]")
	}
	if f.Policies.fields != nil {
		begin("policies")
		b.WriteString(f.Policies.text())
	}
	b.WriteString("\n}\n")
	if err := b.Flush(); err != nil { // bufio keeps the first error of all writes
		return fmt.Errorf("write tenant file: %w", err)
	}
	return nil
}
