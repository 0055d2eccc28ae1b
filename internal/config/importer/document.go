package importer

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Error says why a text is no synchronization schema. The place counts from 1;
// Line is 0 when the fault has none.
type Error struct {
	Line, Column int
	// Message says what is wrong, on one line and without a period.
	Message string
	// Action is what to do about it, a phrase in lower case.
	Action string
}

// Error returns the message with its place.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Message
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// maxDepth bounds how deeply a document may nest. An expression as deep as the
// language allows takes three levels for each of its calls.
const maxDepth = 1000

type kind uint8

const (
	nullKind kind = iota
	textKind
	numberKind
	booleanKind
	listKind
	objectKind
)

func (k kind) String() string {
	return [...]string{"null", "text", "a number", "true or false", "a list", "an object"}[k]
}

// value is one value of a JSON document with its place. A nil *value is a value
// that is not there; all methods accept it.
type value struct {
	kind   kind
	at     int    // offset of its first byte in the decoded text
	scalar string // text, number or boolean as text
	items  []*value
	fields []field
}

type field struct {
	name  string
	value *value
}

// get returns a member of an object. PowerShell writes the names of Graph in
// Pascal case, so case counts only where it decides between two members.
func (v *value) get(name string) *value {
	if v == nil {
		return nil
	}
	var near *value
	for _, f := range v.fields {
		if f.name == name {
			return f.value
		}
		if near == nil && strings.EqualFold(f.name, name) {
			near = f.value
		}
	}
	return near
}

// isNull reports a value that is null or not there.
func (v *value) isNull() bool { return v == nil || v.kind == nullKind }

// text returns a scalar as text, "" for everything else.
func (v *value) text() string {
	if v == nil {
		return ""
	}
	return v.scalar
}

// list returns the members of a list; a single object stands for a list of one,
// because PowerShell unwraps those.
func (v *value) list() []*value {
	switch {
	case v == nil:
		return nil
	case v.kind == objectKind:
		return []*value{v}
	}
	return v.items
}

// document is a JSON text that has been read.
type document struct {
	text string
	root *value
}

// fault returns an error about a place of the document.
func (d *document) fault(at int, message, action string) *Error {
	line, column := position(d.text, at)
	return &Error{Line: line, Column: column, Message: message, Action: action}
}

func position(text string, at int) (line, column int) {
	before := text[:min(max(at, 0), len(text))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

const exportAgain = "export the schema anew: GET /servicePrincipals/{id}/synchronization/jobs/{jobId}/schema"

// readDocument reads the one JSON value of a text in UTF-8 or UTF-16.
func readDocument(content []byte) (*document, error) {
	d := &document{text: decode(content)}
	if strings.TrimSpace(d.text) == "" {
		return nil, &Error{Message: "the file is empty", Action: exportAgain}
	}
	if at := notUTF8(d.text); at >= 0 {
		return nil, d.fault(at, "the file is neither UTF-8 nor UTF-16", "save it as UTF-8: a value of a filter may hold the character")
	}
	r := &reader{document: d, decoder: json.NewDecoder(strings.NewReader(d.text))}
	r.decoder.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return nil, r.syntax(err)
	}
	d.root = root
	if end := r.next(); end < len(d.text) {
		return nil, d.fault(end, "the JSON ends before this", "keep one JSON document in the file")
	}
	return d, nil
}

// decode turns the encodings that PowerShell writes into UTF-8.
func decode(content []byte) string {
	switch {
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		return string(content[3:])
	case bytes.HasPrefix(content, []byte("\xff\xfe")):
		return fromUTF16(content[2:], binary.LittleEndian)
	case bytes.HasPrefix(content, []byte("\xfe\xff")):
		return fromUTF16(content[2:], binary.BigEndian)
	case len(content) > 1 && content[0] != 0 && content[1] == 0:
		return fromUTF16(content, binary.LittleEndian)
	case len(content) > 1 && content[0] == 0 && content[1] != 0:
		return fromUTF16(content, binary.BigEndian)
	}
	return string(content)
}

// notUTF8 returns where a text stops being UTF-8, -1 if it is.
func notUTF8(text string) int {
	if utf8.ValidString(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func fromUTF16(content []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(content)/2)
	for i := range units {
		units[i] = order.Uint16(content[2*i:])
	}
	return string(utf16.Decode(units))
}

// reader builds the tree of values.
type reader struct {
	*document
	decoder *json.Decoder
}

// next returns where the next value begins: commas and colons lie before it.
func (r *reader) next() int {
	at := int(r.decoder.InputOffset())
	for at < len(r.text) && strings.IndexByte(" \t\r\n,:", r.text[at]) >= 0 {
		at++
	}
	return at
}

func (r *reader) value(depth int) (*value, error) {
	v := &value{at: r.next()}
	if depth > maxDepth {
		return nil, r.fault(v.at, fmt.Sprintf("nested deeper than %d levels", maxDepth), exportAgain)
	}
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case nil:
	case string:
		v.kind, v.scalar = textKind, t
	case json.Number:
		v.kind, v.scalar = numberKind, t.String()
	case bool:
		v.kind, v.scalar = booleanKind, fmt.Sprint(t)
	case json.Delim:
		if t == '[' {
			v.kind = listKind
		} else {
			v.kind = objectKind
		}
		return v, r.members(v, depth)
	}
	return v, nil
}

// members reads what a list or an object holds, and its end.
func (r *reader) members(v *value, depth int) error {
	seen := map[string]bool{}
	for r.decoder.More() {
		var name string
		if v.kind == objectKind {
			at := r.next()
			token, err := r.decoder.Token()
			if err != nil {
				return err
			}
			name, _ = token.(string)
			if seen[name] { // one of the two would be lost, and nobody could say which is meant
				return r.fault(at, fmt.Sprintf("the object has two members %q", name), exportAgain)
			}
			seen[name] = true
		}
		member, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		if v.kind == listKind {
			v.items = append(v.items, member)
		} else {
			v.fields = append(v.fields, field{name, member})
		}
	}
	_, err := r.decoder.Token()
	return err
}

// syntax places a fault of the JSON.
func (r *reader) syntax(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.fault(len(r.text), "the JSON ends too early", exportAgain)
	}
	// Read as a whole, the text gives the place within a value too.
	at := r.next()
	var whole json.RawMessage
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal([]byte(r.text), &whole), &syntax) {
		at = max(0, int(syntax.Offset)-1)
	}
	return r.fault(at, "not valid JSON: "+err.Error(), exportAgain)
}
