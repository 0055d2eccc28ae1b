package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"tenantsync/mapping/suggest"
)

// mappingCase is one case of a file: what an expression gives for a user.
type mappingCase struct {
	ID         string         `json:"id"`
	Expression *string        `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expect     caseValue      `json:"expect"`
	Error      caseError      `json:"error"`
	Now        string         `json:"now"`
	Taken      caseTaken      `json:"taken"`
	Ignored    bool           `json:"ignored"`
	// Target is the attribute that the value is for: what it would hold is compared.
	Target string `json:"target"`

	at position
}

// position is a place in a file, from 1; the zero position is unknown.
type position struct{ line, column int }

func (p position) in(path string) string {
	if p.line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d:%d", path, p.line, p.column)
}

// caseValue is a value that a case may leave out, which is not the same as null.
type caseValue struct {
	given bool
	value any
}

// UnmarshalJSON is called for null as well.
func (v *caseValue) UnmarshalJSON(b []byte) error {
	v.given = true
	return decodeNumbers(b, &v.value)
}

// caseError says that an error is expected, and which words are in its message.
type caseError struct {
	expected bool
	words    string
}

// UnmarshalJSON takes true, false and the words.
func (e *caseError) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &e.words) == nil && string(b) != "null" {
		e.expected = true
		return nil
	}
	if err := json.Unmarshal(b, &e.expected); err != nil {
		return errors.New("error is neither true, false nor a text that the message contains")
	}
	return nil
}

// caseTaken are values that the target has: by attribute, or of any attribute.
type caseTaken struct {
	any []string
	by  map[string][]string
}

// UnmarshalJSON takes a list of texts, or one for each attribute.
func (t *caseTaken) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &t.any) == nil || json.Unmarshal(b, &t.by) == nil {
		return nil
	}
	return errors.New("taken is neither a list of texts nor a list of texts for each attribute")
}

// has reports whether a value is taken in an attribute; "" stands for any. Case
// does not count, as in a directory.
func (t *caseTaken) has(attribute, value string) bool {
	same := func(v string) bool { return strings.EqualFold(v, value) }
	if slices.ContainsFunc(t.any, same) {
		return true
	}
	for name, list := range t.by {
		if (attribute == "" || name == attribute) && slices.ContainsFunc(list, same) {
			return true
		}
	}
	return false
}

func decodeNumbers(b []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	return decoder.Decode(into)
}

// readCases reads a file of cases, JSON or YAML; "-" is standard input. What is
// wrong with the file is a usage error with its place.
func readCases(env *environment, path string) ([]mappingCase, error) {
	b, err := readInput(env, path)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	f := &caseFile{path: path, text: bytes.TrimPrefix(b, []byte("\ufeff"))}
	if f.isJSON() {
		err = f.splitJSON()
	} else {
		err = f.splitYAML()
	}
	if err != nil {
		return nil, err
	}
	return f.cases()
}

// caseFile is a file taken apart into its cases, each as JSON with its place.
type caseFile struct {
	path   string
	text   []byte
	items  []json.RawMessage
	places []position
}

// quoteExpression is for an expression such as [mail], which YAML takes for a list.
const quoteExpression = "put it in single quotes, as in '[displayName]'"

const isListOfCases = "the file is a JSON or YAML list of cases; see: tenantsync mapping test --help"

func (f *caseFile) wrong(at position, action, format string, args ...any) error {
	return &usageError{Message: fmt.Sprintf(format, args...), Action: action, File: f.path, Line: at.line, Column: at.column}
}

// isJSON tells JSON by its name, or because it can be nothing else.
func (f *caseFile) isJSON() bool {
	return strings.HasSuffix(strings.ToLower(f.path), ".json") || json.Valid(f.text)
}

// placeOf turns a byte offset into a place.
func (f *caseFile) placeOf(offset int64) position {
	before := f.text[:min(max(offset, 0), int64(len(f.text)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return position{1 + bytes.Count(before, []byte("\n")), 1 + len([]rune(string(line)))}
}

func (f *caseFile) splitJSON() error {
	decoder := json.NewDecoder(bytes.NewReader(f.text))
	syntax := func(err error) error {
		at := decoder.InputOffset()
		if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
			at = s.Offset - 1
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			at, err = int64(len(f.text)), errors.New("the list ends too early")
		}
		return f.wrong(f.placeOf(at), isListOfCases, "not valid JSON: %s.", err)
	}
	if first, err := decoder.Token(); err != nil {
		return syntax(err)
	} else if first != json.Delim('[') {
		return f.wrong(position{1, 1}, isListOfCases, "the file is not a list of cases.")
	}
	for decoder.More() {
		var item json.RawMessage
		if err := decoder.Decode(&item); err != nil {
			return syntax(err)
		}
		f.items = append(f.items, item)
		f.places = append(f.places, f.placeOf(decoder.InputOffset()-int64(len(item))))
	}
	if _, err := decoder.Token(); err != nil {
		return syntax(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return f.wrong(f.placeOf(decoder.InputOffset()), isListOfCases, "text after the list of cases.")
	}
	return nil
}

func (f *caseFile) splitYAML() (err error) {
	// The parser is made for well-meant input: a fault in it is a fault of the file.
	defer func() {
		if r := recover(); r != nil {
			err = f.wrong(position{}, isListOfCases, "the file cannot be read as YAML.")
		}
	}()
	tree, err := parser.ParseBytes(f.text, 0)
	if err != nil {
		return f.notYAML(err)
	}
	for _, doc := range tree.Docs {
		if list, ok := doc.Body.(*ast.SequenceNode); ok {
			for _, item := range list.Values {
				f.places = append(f.places, placeOfToken(item.GetToken()))
			}
		}
	}
	converted, err := yaml.YAMLToJSON(f.text)
	if err != nil {
		return f.notYAML(err)
	}
	if json.Unmarshal(converted, &f.items) != nil || len(f.items) != len(f.places) {
		return f.wrong(position{1, 1}, isListOfCases, "the file is not a list of cases.")
	}
	return nil
}

func (f *caseFile) notYAML(err error) error {
	var located interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &located) {
		return f.wrong(position{}, isListOfCases, "the file is neither JSON nor YAML.")
	}
	return f.wrong(placeOfToken(located.GetToken()), isListOfCases, "not valid YAML: %s.", located.GetMessage())
}

// placeOfToken returns where a token stands. The first token of a mapping is the
// colon after its first key.
func placeOfToken(t *token.Token) position {
	if t != nil && t.Type == token.MappingValueType && t.Prev != nil {
		t = t.Prev
	}
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// cases decodes and checks what the file holds.
func (f *caseFile) cases() ([]mappingCase, error) {
	list := make([]mappingCase, len(f.items))
	seen := map[string]position{}
	for i, item := range f.items {
		c, at := &list[i], f.places[i]
		if err := decodeNumbers(item, c); err != nil {
			return nil, f.wrong(at, isListOfCases, "case %d: %s.", i+1, f.plainly(err))
		}
		c.at = at
		if c.ID == "" {
			c.ID = fmt.Sprintf("#%d", i+1)
		}
		switch first, twice := seen[c.ID]; {
		case twice:
			return nil, f.wrong(at, "give each case an id of its own", "case %d has the id %q, as has the case at %s.", i+1, c.ID, first.in(f.path))
		case c.Expression == nil:
			return nil, f.wrong(at, instead(item, "expression", isListOfCases), "case %q has no expression.", c.ID)
		case !c.Expect.given && !c.Error.expected && !c.Ignored:
			return nil, f.wrong(at, instead(item, "expect", "give expect, error: true or ignored: true"), "case %q expects nothing.", c.ID)
		}
		seen[c.ID] = at
	}
	return list, nil
}

// instead returns what to do about a key that a case lacks: rename the one that is
// probably meant to be it, else what is generally to be done.
func instead(item json.RawMessage, key, otherwise string) string {
	var keys map[string]json.RawMessage
	if json.Unmarshal(item, &keys) == nil {
		if near := suggest.Nearest(key, slices.Values(slices.Sorted(maps.Keys(keys)))); near != "" {
			return fmt.Sprintf("rename the key %q to %q", near, key)
		}
	}
	return otherwise
}

// plainly says what a value should have been instead of naming Go's types.
func (f *caseFile) plainly(err error) error {
	wrong := (*json.UnmarshalTypeError)(nil)
	if !errors.As(err, &wrong) {
		return err
	}
	want := map[string]string{"string": "text", "bool": "true or false", "main.mappingCase": "an object with id, expression and expect",
		"map[string]interface {}": "an object of attributes"}[wrong.Type.String()]
	if want == "" {
		return err
	}
	field := wrong.Field
	if field == "" {
		field = "a case"
	}
	if field == "expression" && wrong.Value == "array" && !f.isJSON() {
		return errors.New("expression must be text, not a list: " + quoteExpression)
	}
	return fmt.Errorf("%s must be %s, not %s", field, want, wrong.Value)
}
