package pseudonym

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// File returns a tenant file (docs/simulator.md) with the names of people, groups
// and contacts replaced. Order and shape stay. An error says that the file is no
// JSON object.
func (p *Pseudonymizer) File(raw []byte) ([]byte, error) {
	out, err := p.object(raw, p.section)
	if err != nil {
		return nil, fmt.Errorf("a tenant file is expected: %w", err)
	}
	return out, nil
}

// object copies a JSON object whose members are treated as of says.
func (p *Pseudonymizer) object(raw []byte, of func(name string) treatment) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(errors.New("it does not begin with an object"), err)
	}
	w := &rewriter{p: p, from: d}
	if err := w.members(of); err != nil {
		return nil, err
	}
	if _, more := d.Token(); !errors.Is(more, io.EOF) {
		return nil, errors.New("text follows the object")
	}
	return w.out.Bytes(), nil
}

// treatment says what becomes of a value: of texts and numbers, and of what is in
// an object.
type treatment struct {
	stays  bool
	prefix bool // a kind of address before a colon stays
	// setting: a text that may be a switch, or JSON itself.
	setting bool
	member  func(name string) treatment
}

// rewriter copies JSON, value by value.
type rewriter struct {
	p    *Pseudonymizer
	from *json.Decoder
	out  bytes.Buffer
}

// members copies the rest of an object whose brace has been read.
func (w *rewriter) members(of func(name string) treatment) error {
	w.out.WriteByte('{')
	for first := true; w.from.More(); first = false {
		if !first {
			w.out.WriteByte(',')
		}
		key, err := w.from.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string) // the decoder lets nothing else be a key
		if err := w.text(name); err != nil {
			return err
		}
		w.out.WriteByte(':')
		if err := w.value(of(name)); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	_, err := w.from.Token()
	return err
}

func (w *rewriter) elements(of treatment) error {
	w.out.WriteByte('[')
	for first := true; w.from.More(); first = false {
		if !first {
			w.out.WriteByte(',')
		}
		if err := w.value(of); err != nil {
			return err
		}
	}
	w.out.WriteByte(']')
	_, err := w.from.Token()
	return err
}

func (w *rewriter) value(of treatment) error {
	token, err := w.from.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '[' {
			return w.elements(of)
		}
		if of.member == nil {
			of.member = func(string) treatment { return of }
		}
		return w.members(of.member)
	case string:
		return w.text(w.p.treated(v, of))
	case json.Number:
		if !of.stays {
			v = json.Number(w.p.number(v.String()))
		}
		w.out.WriteString(v.String())
	case bool:
		fmt.Fprint(&w.out, v)
	default:
		w.out.WriteString("null")
	}
	return nil
}

func (p *Pseudonymizer) treated(s string, of treatment) string {
	if of.stays {
		return s
	}
	if of.setting {
		return p.setting(s)
	}
	if kind, rest, ok := strings.Cut(s, ":"); of.prefix && ok && addressKinds[strings.ToLower(kind)] {
		return kind + ":" + p.Text(rest)
	}
	return p.Text(s)
}

// text writes a JSON string.
func (w *rewriter) text(s string) error {
	e := json.NewEncoder(&w.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	w.out.Truncate(w.out.Len() - 1) // the encoder ends with a line feed
	return nil
}
