package entrasim

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// extensionName is the form of a directory extension's name.
var extensionName = regexp.MustCompile(`^extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]{1,120}$`)

// extensionTypes are the data types of directory extensions.
// https://learn.microsoft.com/graph/api/resources/extensionproperty
var extensionTypes = []string{"Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"}

// maxExtensionValue is the greatest length of one value: characters of a text,
// bytes of a binary value.
const maxExtensionValue = 256

// extension is what a directory extension of users holds.
type extension struct {
	dataType    string
	multivalued bool
}

// extensions are the directory extensions of a tenant. Those that its file
// registers are the only ones; without that section every well-formed name is
// one, and its first value decides what it holds.
type extensions struct {
	registered []Object // as in the file
	closed     bool     // the file has the section
	ofUsers    map[string]extension
}

// register takes the section of a file; nil leaves everything as it is.
func (e *extensions) register(list []Object) {
	if list == nil {
		return
	}
	e.registered, e.closed, e.ofUsers = list, true, map[string]extension{}
	for _, o := range list {
		if targets := o.Strings("targetObjects"); targets == nil || slices.Contains(targets, "User") {
			e.ofUsers[o.String("name")] = extensionOf(o)
		}
	}
}

func extensionOf(o Object) extension {
	e := extension{dataType: o.String("dataType"), multivalued: o.Bool("isMultiValued")}
	if e.dataType == "" {
		e.dataType = "String"
	}
	return e
}

// check validates a value that is to be stored under the name of a directory
// extension and returns it in the form it is stored in.
func (e *extensions) check(name, raw string) (string, error) {
	def, known := e.ofUsers[name]
	switch {
	case !known && e.closed:
		return "", unavailable(name)
	case isNull(raw), known && def.multivalued && raw == "[]":
		return raw, nil
	case !known:
		return checkExtension(learn(raw), name, raw)
	}
	return checkExtension(def, name, raw)
}

// admit checks a property that an administrator sets, and learns from it.
func (e *extensions) admit(f Field) error {
	if !strings.HasPrefix(f.Name, "extension_") {
		return nil
	}
	_, err := e.check(f.Name, f.Raw)
	if err == nil {
		e.learned(f.Name, f.Raw)
	}
	return err
}

// checkExtensions holds the directory extensions among properties that an
// administrator sets against the registrations. The caller holds the lock.
func (t *Tenant) checkExtensions(fields []Field) error {
	for _, f := range fields {
		if err := t.extensions.admit(f); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// learned notes what the first value of an extension that no file registers says
// of it.
func (e *extensions) learned(name, raw string) {
	if e.closed || !strings.HasPrefix(name, "extension_") || isEmpty(raw) {
		return
	}
	if _, known := e.ofUsers[name]; known {
		return
	}
	if e.ofUsers == nil {
		e.ofUsers = map[string]extension{}
	}
	e.ofUsers[strings.Clone(name)] = learn(raw)
}

// learn guesses the type of a value.
func learn(raw string) extension {
	switch {
	case raw[0] == '[':
		first := "\"\""
		_ = eachElement(raw, func(i int, e string) error { // of another shape: refused when it is checked
			if i == 0 {
				first = e
			}
			return nil
		})
		return extension{dataType: learn(first).dataType, multivalued: true}
	case raw == "true", raw == "false":
		return extension{dataType: "Boolean"}
	case raw[0] == '"', raw[0] == '{':
		return extension{dataType: "String"}
	}
	return extension{dataType: "LargeInteger"}
}

// unavailable is the complaint about a name that is not registered.
type unavailable string

// Error implements error.
func (u unavailable) Error() string {
	return "The following extension properties are not available: " + string(u) + "."
}

// mismatch is the complaint about a value of another type.
type mismatch string

// Error implements error.
func (m mismatch) Error() string {
	return "Property " + string(m) + " in payload has a value that does not match schema."
}

func checkExtension(e extension, name, raw string) (string, error) {
	if !e.multivalued {
		return checkExtensionValue(e.dataType, name, raw)
	}
	if raw[0] != '[' {
		return "", mismatch(name)
	}
	var out []string
	err := eachElement(raw, func(_ int, v string) error {
		v, err := checkExtensionValue(e.dataType, name, v)
		out = append(out, v)
		return err
	})
	return "[" + strings.Join(out, ",") + "]", err
}

func checkExtensionValue(dataType, name, raw string) (string, error) {
	s, isText := unquote(raw)
	switch dataType {
	case "Boolean":
		if raw == "true" || raw == "false" {
			return raw, nil
		}
		return "", mismatch(name)
	case "Integer", "LargeInteger":
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || dataType == "Integer" && (n < math.MinInt32 || n > math.MaxInt32) {
			return "", mismatch(name)
		}
		return strconv.FormatInt(n, 10), nil
	}
	if !isText {
		return "", mismatch(name)
	}
	switch dataType {
	case "DateTime":
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return "", mismatch(name)
		}
		return quote(at.UTC().Format(time.RFC3339Nano)), nil
	case "Binary":
		b, err := base64.StdEncoding.DecodeString(s)
		switch {
		case err != nil:
			return "", mismatch(name)
		case len(b) > maxExtensionValue:
			return "", valueError(fmt.Sprintf("The value is longer than %d bytes.", maxExtensionValue))
		}
		return raw, nil
	}
	switch {
	case s == "":
		return "", valueError("The value cannot be empty; use null to clear it.")
	case utf8.RuneCountInString(s) > maxExtensionValue:
		return "", valueError(fmt.Sprintf("The value is longer than %d characters.", maxExtensionValue))
	}
	return quote(s), nil
}

// checkExtensionProperty validates one registration of a tenant file.
func checkExtensionProperty(o Object) error {
	if name := o.String("name"); !extensionName.MatchString(name) {
		return fmt.Errorf("name: %q is not the name of a directory extension, such as extension_0123456789abcdef0123456789abcdef_costCode", name)
	}
	for _, f := range o.fields {
		good := true
		switch f.Name {
		case "id", "name", "appDisplayName", "deletedDateTime":
		case "dataType":
			if !slices.Contains(extensionTypes, o.String("dataType")) {
				return fmt.Errorf("dataType: one of %s is expected, got %s", strings.Join(extensionTypes, ", "), f.Raw)
			}
		case "isMultiValued", "isSyncedFromOnPremises":
			good = f.Raw == "true" || f.Raw == "false"
		case "targetObjects":
			_, good = stringList(f.Raw)
		default:
			return fmt.Errorf("%s: there is no such property on microsoft.graph.extensionProperty", f.Name)
		}
		if !good {
			return fmt.Errorf("%s: the value has the wrong type: %.60s", f.Name, f.Raw)
		}
	}
	return nil
}

// checkFileExtensions holds the users of a file against the directory extensions
// that the file, or else the tenant, registers.
func (t *Tenant) checkFileExtensions(f File) error {
	e := t.extensions
	e.ofUsers = maps.Clone(e.ofUsers)
	names := map[string]bool{}
	for i, o := range f.ExtensionProperties {
		name := o.String("name")
		if names[name] {
			return fmt.Errorf("extensionProperties[%d].name: %q occurs twice", i, name)
		}
		names[name] = true
	}
	e.register(f.ExtensionProperties)
	for _, s := range []section{{"users", &f.Users}, {"deletedUsers", &f.DeletedUsers}} {
		for i, o := range *s.list {
			for _, p := range o.fields {
				if err := e.admit(p); err != nil {
					return fmt.Errorf("%s[%d].%s: %w", s.name, i, p.Name, err)
				}
			}
		}
	}
	return nil
}

// listExtensions answers POST /directoryObjects/getAvailableExtensionProperties.
// A tenant whose file registers none cannot tell what it takes.
// https://learn.microsoft.com/graph/api/directoryobject-getavailableextensionproperties
func (x *call) listExtensions() answer {
	body, refused := x.readObject()
	if refused != nil {
		return *refused
	}
	t := x.tenant
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !t.extensions.closed {
		return x.fail(http.StatusNotImplemented, "NotImplemented", "The file of this simulated tenant has no section extensionProperties: every well-formed directory extension is accepted.")
	}
	synced := body.Raw("isSyncedFromOnPremises")
	list := []Object{}
	for _, o := range t.extensions.registered {
		o = publicExtension(o)
		if isNull(synced) || o.Raw("isSyncedFromOnPremises") == synced {
			list = append(list, o)
		}
	}
	return x.writeObjects("Collection(extensionProperty)", list)
}

// publicExtension is a registration as Graph shows it.
func publicExtension(o Object) Object {
	def := extensionOf(o)
	out := Object{fields: []Field{{"@odata.type", `"#microsoft.graph.extensionProperty"`}}}
	for _, f := range []Field{
		{"id", quote(extensionID(o))}, {"deletedDateTime", "null"}, {"appDisplayName", `""`}, {"dataType", quote(def.dataType)},
		{"isMultiValued", strconv.FormatBool(def.multivalued)}, {"isSyncedFromOnPremises", "false"}, {"name", o.Raw("name")}, {"targetObjects", `["User"]`},
	} {
		if raw := o.Raw(f.Name); raw != "" {
			f.Raw = raw
		}
		out.fields = append(out.fields, f)
	}
	return out
}

// extensionID is the id of a registration: the file's, or one that follows from
// the name.
func extensionID(o Object) string {
	if id := o.ID(); id != "" {
		return id
	}
	return nameID("extensionProperties/" + o.String("name"))
}
