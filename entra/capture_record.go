package entra

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// record is a JSON object, property by property.
type record []recordField

type recordField struct {
	name string
	raw  json.RawMessage
}

// readRecord decodes an object without OData's annotations, and without nulls,
// which is what a tenant file takes for left out.
func readRecord(raw []byte) (record, error) { return decodeRecord(raw, false) }

// readRecordWithNulls is readRecord for an object that has its nulls on purpose.
func readRecordWithNulls(raw []byte) (record, error) { return decodeRecord(raw, true) }

func decodeRecord(raw []byte, nulls bool) (record, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("an object is expected"), err)
	}
	out := record{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder lets nothing else be a key
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		switch {
		case strings.Contains(name, "@"), string(value) == "null" && !nulls:
			continue
		case value[0] == '{':
			if value, err = stripAnnotations(value); err != nil {
				return nil, err
			}
		}
		out = append(out, recordField{name, value})
	}
	return out, nil
}

// text returns a text property, "" when there is none.
func (r record) text(name string) string {
	for _, p := range r {
		var s string
		if p.name == name && json.Unmarshal(p.raw, &s) == nil {
			return s
		}
	}
	return ""
}

// add puts a property at the end.
func (r *record) add(name string, value any) error {
	raw, err := json.Marshal(value)
	*r = append(*r, recordField{name, raw})
	return err
}

// drop takes a property away.
func (r *record) drop(name string) {
	*r = slices.DeleteFunc(*r, func(p recordField) bool { return p.name == name })
}

// json writes the object, id first and the rest by name: Graph promises no order,
// and the same tenant shall give the same file.
func (r record) json() (json.RawMessage, error) {
	sorted := slices.Clone(r)
	slices.SortFunc(sorted, func(a, b recordField) int {
		if a.name == "id" || b.name == "id" {
			return rank(a.name) - rank(b.name)
		}
		return strings.Compare(a.name, b.name)
	})
	b := []byte{'{'}
	for i, p := range sorted {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(p.name)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), p.raw...)
	}
	return append(b, '}'), nil
}

func rank(name string) int {
	if name == "id" {
		return 0
	}
	return 1
}

// stripAnnotations returns an object as a tenant file has it.
func stripAnnotations(raw []byte) (json.RawMessage, error) {
	r, err := readRecord(raw)
	if err != nil {
		return nil, err
	}
	return r.json()
}
