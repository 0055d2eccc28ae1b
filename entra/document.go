package entra

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/go-json-experiment/json/jsontext"

	"tenantsync/directory"
)

// decoder reads one document token by token. The names of a page repeat for each
// user, and mostly in the same order: names are shared, and so is the permutation
// that sorts them.
type decoder struct {
	json     *jsontext.Decoder
	selects  []string
	names    map[string]property // by the name as it is written, quotes included
	scratch  []directory.Attribute
	lastSeen []string // the names of the previous user, as they came …
	order    []int    // … and where each sorted place takes its attribute from
}

func newDecoder(b []byte, selects []string, options ...jsontext.Options) *decoder {
	return &decoder{
		json:    jsontext.NewDecoder(bytes.NewBuffer(b), options...),
		selects: selects,
		names:   make(map[string]property, 32),
		scratch: make([]directory.Attribute, 0, 32),
	}
}

// object reads an object and calls member after each name. The name is as
// written, quotes included, and valid until the next read.
func (d *decoder) object(member func(name []byte) error) error {
	open, err := d.json.ReadToken()
	if err != nil {
		return unexpected(err)
	}
	if open.Kind() != '{' {
		return fmt.Errorf("want an object, got %s at byte %d", open.Kind(), d.json.InputOffset())
	}
	for d.json.PeekKind() == '"' {
		name, err := d.json.ReadValue()
		if err != nil {
			return unexpected(err)
		}
		if err := member(name); err != nil {
			return unexpected(err)
		}
	}
	_, err = d.json.ReadToken()
	return unexpected(err)
}

// array reads an array and calls element before each element.
func (d *decoder) array(element func() error) error {
	open, err := d.json.ReadToken()
	if err != nil {
		return unexpected(err)
	}
	if open.Kind() != '[' {
		return fmt.Errorf("want an array, got %s at byte %d", open.Kind(), d.json.InputOffset())
	}
	for {
		switch d.json.PeekKind() {
		case ']', 0:
			_, err := d.json.ReadToken()
			return unexpected(err)
		}
		if err := element(); err != nil {
			return err
		}
	}
}

// unexpected keeps an end of input from passing for a regular end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// end makes sure that nothing follows the document.
func (d *decoder) end() error {
	_, err := d.json.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("text behind the document at byte %d", d.json.InputOffset())
}

func (d *decoder) link() (string, error) {
	if d.json.PeekKind() != '"' {
		return "", fmt.Errorf("link is not text at byte %d", d.json.InputOffset())
	}
	return d.text()
}

// text reads a string.
func (d *decoder) text() (string, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return "", err
	}
	if len(raw) < 2 || raw[0] != '"' {
		return "", fmt.Errorf("want text at byte %d", d.json.InputOffset())
	}
	return unquote(raw)
}

// unquote turns a string as it is written into its value. Most have no escape.
func unquote(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	return string(plain), err
}

// sorted returns a copy of the scratch attributes as a set.
func (d *decoder) sorted() directory.Attributes {
	list := d.scratch
	if !d.sameNames(list) {
		d.learnOrder(list)
	}
	if d.order == nil {
		return directory.SortedAttributes(slices.Clone(list))
	}
	out := make([]directory.Attribute, len(list))
	for i, from := range d.order {
		out[i] = list[from]
	}
	return out
}

func (d *decoder) sameNames(list []directory.Attribute) bool {
	if len(list) != len(d.lastSeen) {
		return false
	}
	for i := range list {
		if list[i].Name != d.lastSeen[i] {
			return false
		}
	}
	return true
}

func (d *decoder) learnOrder(list []directory.Attribute) {
	d.lastSeen, d.order = d.lastSeen[:0], make([]int, len(list))
	for i := range list {
		d.lastSeen = append(d.lastSeen, list[i].Name)
		d.order[i] = i
	}
	sort.SliceStable(d.order, func(i, j int) bool { return list[d.order[i]].Name < list[d.order[j]].Name })
	for i := 1; i < len(d.order); i++ {
		if list[d.order[i]].Name == list[d.order[i-1]].Name {
			d.order = nil // a name came twice, as manager may: the slow way
			return
		}
	}
}
