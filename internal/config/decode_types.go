package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"tenantsync/directory"
)

// The types that read their values themselves: they are written as one word or number
// each, or keep something out of what is shown.

func (x *Duration) decodeNode(d *decoder, path string, n *node) {
	text, _, ok := d.text(path, n)
	if !ok {
		return
	}
	parsed, err := ParseDuration(text)
	if err != nil {
		d.add(finding{path: path, code: InvalidValue, message: path + " " + err.Error()})
		return
	}
	*x = parsed
}

func (x *Size) decodeNode(d *decoder, path string, n *node) {
	text, _, ok := d.text(path, n)
	if !ok {
		return
	}
	parsed, err := ParseSize(text)
	if err != nil {
		d.add(finding{path: path, code: InvalidValue, message: path + " " + err.Error()})
		return
	}
	*x = parsed
}

func (x *Moment) decodeNode(d *decoder, path string, n *node) {
	text, _, ok := d.text(path, n)
	if !ok {
		return
	}
	parsed, err := ParseMoment(text)
	if err != nil {
		d.add(finding{path: path, code: InvalidValue, message: path + " " + err.Error()})
		return
	}
	*x = parsed
}

func (x *Word) decodeNode(d *decoder, path string, n *node) {
	if text, _, ok := d.text(path, n); ok {
		*x = Word(text)
	}
}

func (x *Secret) decodeNode(d *decoder, path string, n *node) {
	if !isReference(n.text) {
		d.source.hide(n)
	}
	text, referred, ok := d.advised(path, n, keptApart)
	if !ok {
		return
	}
	if text != "" && (!referred || clearDefault.MatchString(n.text)) {
		d.add(finding{
			path: path, severity: warning, code: ClearTextSecret,
			message: path + " is written in clear text",
			action:  "put it into an environment variable or a file, and write ${VAR} or ${file:PATH} here",
		})
	}
	*x = NewSecret(text)
}

// keptApart is what to do about the variable of a secret that is not set: a default
// would be the secret in clear text.
func keptApart(u *unresolved) string {
	if u.name == "" {
		return u.action
	}
	return "set " + u.name + ", or write ${file:PATH} with a file that only this user can read"
}

// clearDefault finds a reference whose default is written out.
var clearDefault = regexp.MustCompile(`\$\{[^${}]*:-[^${}]`)

func (x *Literal) decodeNode(d *decoder, path string, n *node) {
	switch n.shape {
	case keyGroup:
		d.expect(path, n, oneValue)
		return
	case valueList:
		members := make([]string, 0, len(n.items))
		for i, item := range n.items {
			sub := fmt.Sprintf("%s[%d]", path, i)
			d.places[sub] = place{item.line, item.column}
			text, _, ok := d.text(sub, item)
			if !ok {
				return
			}
			members = append(members, text)
		}
		x.Value = directory.ListOf(members...)
		return
	}
	if n.isNull() {
		x.Value = directory.NullValue()
		return
	}
	text, referred, ok := d.text(path, n)
	if !ok {
		return
	}
	kind := plainType(n)
	if referred {
		kind = "text"
	}
	switch kind {
	case "true or false":
		x.Value = directory.BoolOf(strings.EqualFold(text, "true"))
	case "a number":
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.add(finding{path: path, code: WrongType, message: path + " must be text, a whole number, true, false or null", action: "put it in quotes"})
			return
		}
		if strconv.FormatInt(number, 10) != text {
			d.add(finding{path: path, code: WrongType, message: path + " is a number to YAML: its leading zeros or its sign would be lost", action: "put it in quotes"})
			return
		}
		x.Value = directory.IntOf(number)
	default:
		x.Value = directory.TextOf(text)
	}
}

// decodeNode reads a mapping; what belongs to a sensitive attribute is kept out
// of excerpts.
func (m *Mapping) decodeNode(d *decoder, path string, n *node) {
	if s := n.get("sensitive"); s != nil && s.text != "false" {
		for _, key := range []string{"constant", "defaultValue", "expression", "allowedValues"} {
			if value := n.get(key); value != nil {
				d.hideAll(value)
			}
		}
	}
	d.decodeStruct(path, n, reflect.ValueOf(m).Elem())
}

func (x *Expression) decodeNode(d *decoder, path string, n *node) {
	if n.shape == valueList { // a lone [attribute] is a list to YAML
		d.add(finding{path: path, at: place{n.line, n.column}, code: WrongType,
			message: path + " must be text, not a list", action: quoteIt + ", as in '[displayName]'"})
		return
	}
	if !d.expect(path, n, oneValue) {
		return
	}
	if plainType(n) != "text" {
		d.wrongType(path, n, "text")
		return
	}
	*x = Expression(n.text)
}

// hideAll keeps a value, be it a list, out of excerpts.
func (r *report) hideAll(n *node) {
	if n.shape == oneValue {
		r.source.hide(n)
	}
	for _, item := range n.items {
		r.hideAll(item)
	}
}
