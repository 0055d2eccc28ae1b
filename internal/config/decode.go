package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decoder fills a Config from the tree. It knows every key from the yaml tags
// of the types, and records the place of every value it meets.
type decoder struct {
	*report
	resolver resolver
	nodes    map[string]*node // scalars by path, for places inside their text
	left     int              // values that may still be decoded
}

// nodeDecoder is a type that reads its own node.
type nodeDecoder interface {
	decodeNode(d *decoder, path string, n *node)
}

// defaulter is a type that fills itself with defaults before it is decoded.
type defaulter interface{ setDefaults() }

// field is one key of a type.
type field struct {
	key      string
	index    int
	required bool
}

func fieldsOf(t reflect.Type) []field {
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		tags := strings.Split(f.Tag.Get("jsonschema"), ",")
		list = append(list, field{key: key, index: i, required: slices.Contains(tags, "required")})
	}
	return list
}

// decode fills v, which must be addressable, from a node.
func (d *decoder) decode(path string, n *node, v reflect.Value) {
	if d.left--; d.left < 0 {
		if d.left == -1 {
			d.add(finding{path: "", at: place{1, 1}, code: Syntax, message: "the file expands to too many values"})
		}
		return
	}
	if custom, ok := v.Addr().Interface().(nodeDecoder); ok {
		custom.decodeNode(d, path, n)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(fresh(v.Type().Elem()))
		d.decode(path, n, v.Elem())
	case reflect.Struct:
		d.decodeStruct(path, n, v)
	case reflect.Map:
		d.decodeMap(path, n, v)
	case reflect.Slice:
		d.decodeSlice(path, n, v)
	case reflect.String:
		d.decodeString(path, n, v)
	case reflect.Bool:
		d.decodeBool(path, n, v)
	case reflect.Int:
		d.decodeInt(path, n, v)
	case reflect.Float64:
		d.decodeFloat(path, n, v)
	default:
		panic(fmt.Sprintf("config: no decoding for %s", v.Type())) // a mistake in types.go, found by any test
	}
}

// fresh returns a pointer to a new value with its defaults.
func fresh(t reflect.Type) reflect.Value {
	p := reflect.New(t)
	if x, ok := p.Interface().(defaulter); ok {
		x.setDefaults()
	}
	return p
}

func (d *decoder) decodeStruct(path string, n *node, v reflect.Value) {
	if !d.expect(path, n, keyGroup) {
		return
	}
	fields := fieldsOf(v.Type())
	d.eachKey(path, n, func(p pair) {
		i := slices.IndexFunc(fields, func(f field) bool { return f.key == p.key })
		if i < 0 {
			d.unknownKey(path, p, fields)
			return
		}
		d.decode(join(path, p.key), p.value, v.Field(fields[i].index))
	})
	for _, f := range fields {
		if f.required && n.get(f.key) == nil && !d.refused[join(path, f.key)] {
			d.add(finding{
				path: join(path, f.key), at: place{n.line, n.column}, code: MissingKey,
				message: fmt.Sprintf("key %q is missing%s", f.key, within(path)),
			})
		}
	}
}

// eachKey calls visit for every key of a group once and reports repetitions.
func (d *decoder) eachKey(path string, n *node, visit func(pair)) {
	first := map[string]int{}
	for _, p := range n.keys {
		if line, seen := first[p.key]; seen {
			d.add(finding{
				path: join(path, p.key), at: place{p.line, p.column}, code: DuplicateKey,
				message: fmt.Sprintf("key %q is given twice%s, first in line %d", p.key, within(path), line),
				action:  "remove one of the two",
			})
			continue
		}
		first[p.key] = p.line
		sub := join(path, p.key)
		d.places[sub] = place{p.value.line, p.value.column}
		d.nodes[sub] = p.value
		visit(p)
	}
}

func (d *decoder) unknownKey(path string, p pair, fields []field) {
	valid := make([]string, len(fields))
	for i, f := range fields {
		valid[i] = f.key
	}
	f := finding{
		path: join(path, p.key), at: place{p.line, p.column}, code: UnknownKey,
		message:    fmt.Sprintf("unknown key %q%s", p.key, within(path)),
		suggestion: nearest(p.key, valid),
	}
	switch {
	case f.suggestion != "":
	case len(valid) == 1:
		f.action = "remove it; the only key here is " + valid[0]
	default:
		f.action = "remove it; the keys here are " + strings.Join(valid, ", ")
	}
	d.add(f)
	// A misspelt key is not missing as well.
	if f.suggestion != "" {
		d.refused[join(path, f.suggestion)] = true
	}
}

func (d *decoder) decodeMap(path string, n *node, v reflect.Value) {
	if !d.expect(path, n, keyGroup) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.eachKey(path, n, func(p pair) {
		element := reflect.New(v.Type().Elem()).Elem()
		d.decode(join(path, p.key), p.value, element)
		v.SetMapIndex(reflect.ValueOf(p.key), element)
	})
}

func (d *decoder) decodeSlice(path string, n *node, v reflect.Value) {
	if !d.expect(path, n, valueList) {
		return
	}
	list := reflect.MakeSlice(v.Type(), 0, min(len(n.items), maxNodes))
	for i, item := range n.items {
		sub := path + "[" + strconv.Itoa(i) + "]"
		d.places[sub] = place{item.line, item.column}
		d.nodes[sub] = item
		element := fresh(v.Type().Elem()).Elem()
		d.decode(sub, item, element)
		list = reflect.Append(list, element)
	}
	v.Set(list)
}

// expect reports a value of another shape than wanted.
func (d *decoder) expect(path string, n *node, want shape) bool {
	switch {
	case n.isNull():
		d.noValue(path, n)
	case n.shape != want:
		d.add(finding{
			path: path, at: place{n.line, n.column}, code: WrongType,
			message: fmt.Sprintf("%s must be %s, not %s", nameOf(path), want, n.shape),
		})
	default:
		return true
	}
	return false
}

func (d *decoder) noValue(path string, n *node) {
	d.add(finding{
		path: path, at: place{n.line, n.column}, code: WrongType,
		message: nameOf(path) + " has no value",
		action:  "write a value, or remove the key to get its default",
	})
}

// nameOf names a value in a message.
func nameOf(path string) string {
	if path == "" {
		return "the configuration"
	}
	return path
}

// text returns the text of a single value, references replaced. referred says
// that it held a reference. ok is false when a problem was reported.
func (d *decoder) text(path string, n *node) (text string, referred, ok bool) {
	return d.advised(path, n, func(u *unresolved) string { return u.action })
}

// advised is text with advice of its own about what cannot be resolved.
func (d *decoder) advised(path string, n *node, advice func(*unresolved) string) (text string, referred, ok bool) {
	if !d.expect(path, n, oneValue) {
		return "", false, false
	}
	text, problem := d.resolver.expand(n.text)
	if problem != nil {
		at, _ := d.source.locate(n, problem.offset)
		d.add(finding{path: path, at: at, code: problem.code, message: problem.message, action: advice(problem)})
		return "", false, false
	}
	return text, strings.Contains(n.text, "${"), true
}

// plainType returns what YAML takes an unquoted text for.
func plainType(n *node) string {
	if n.style != plain || n.isText {
		return "text"
	}
	switch n.text {
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return "true or false"
	}
	if c := n.text[:min(1, len(n.text))]; c == "" || !strings.Contains("+-.0123456789", c) {
		return "text"
	}
	if _, err := strconv.ParseFloat(n.text, 64); err == nil {
		return "a number"
	}
	return "text"
}

func (d *decoder) wrongType(path string, n *node, want string) {
	f := finding{
		path: path, at: place{n.line, n.column}, code: WrongType,
		message: fmt.Sprintf("%s must be %s, not %s", nameOf(path), want, plainType(n)),
	}
	switch {
	case want == "text":
		f.action = "put it in quotes"
	case n.style == singleQuoted || n.style == doubleQuoted:
		f.action = "remove the quotes"
	}
	d.add(f)
}

func (d *decoder) decodeString(path string, n *node, v reflect.Value) {
	text, referred, ok := d.text(path, n)
	if !ok {
		return
	}
	if words, closed := v.Interface().(enum); closed {
		d.checkWord(path, n, text, words.words())
	} else if !referred && plainType(n) != "text" {
		d.wrongType(path, n, "text")
		return
	}
	v.SetString(text)
}

// checkWord reports a word that is not one of a closed list.
func (d *decoder) checkWord(path string, n *node, text string, words []string) {
	if slices.Contains(words, text) {
		return
	}
	d.add(finding{
		path: path, at: place{n.line, n.column}, code: UnknownWord,
		message:    fmt.Sprintf("%s must be %s, not %q", path, alternatives(words), n.text),
		suggestion: nearest(text, words),
	})
}

// alternatives writes "a, b or c".
func alternatives(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

func (d *decoder) decodeBool(path string, n *node, v reflect.Value) {
	text, referred, ok := d.text(path, n)
	if !ok {
		return
	}
	if (n.style != plain || n.isText) && !referred {
		d.wrongType(path, n, "true or false")
		return
	}
	switch text {
	case "true", "True", "TRUE":
		v.SetBool(true)
	case "false", "False", "FALSE":
		v.SetBool(false)
	default:
		d.wrongType(path, n, "true or false")
	}
}

func (d *decoder) decodeInt(path string, n *node, v reflect.Value) {
	if text, ok := d.number(path, n, "a whole number"); ok {
		number, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			d.add(finding{path: path, code: WrongType, message: path + " must be a whole number"})
			return
		}
		v.SetInt(number)
	}
}

func (d *decoder) decodeFloat(path string, n *node, v reflect.Value) {
	if text, ok := d.number(path, n, "a number"); ok {
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || number != number || number > 1e15 || number < -1e15 {
			d.add(finding{path: path, code: WrongType, message: path + " must be a number"})
			return
		}
		v.SetFloat(number)
	}
}

// number returns the text of a value that may be a number.
func (d *decoder) number(path string, n *node, want string) (string, bool) {
	text, referred, ok := d.text(path, n)
	if ok && !referred && plainType(n) != "a number" {
		d.wrongType(path, n, want)
		return "", false
	}
	return text, ok
}
