package config

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read. A configuration of a thousand jobs is far below each
// of them; they keep a file made to exhaust the process from doing so.
const (
	maxSize  = 1 << 20 // bytes
	maxDepth = 64      // nested groups and lists
	maxNodes = 100_000 // values, aliases counted each time they are used
)

// place is a position in the file.
type place struct{ line, column int }

// syntaxError is a text that is not a YAML document this package accepts.
type syntaxError struct {
	place
	message string
	action  string // "" where the message says it all
}

func (e *syntaxError) Error() string { return e.message }

// parse reads the single document of a text. The tree is nil for a text that
// holds no value at all. The error is a *syntaxError.
func parse(text []byte) (root *node, err error) {
	if len(text) > maxSize {
		return nil, &syntaxError{place: place{1, 1}, message: fmt.Sprintf("the file is larger than %d KiB", maxSize>>10)}
	}
	// The parser is made for well-meant input: a fault in it must not end a
	// daemon that reads its file anew.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, &syntaxError{place: place{1, 1}, message: "the text cannot be read as YAML"}
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if err := boundDepth(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, asSyntaxError(err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, &syntaxError{place: placeOf(doc.Body.GetToken()), message: "a configuration is one document; a second one begins here"}
		}
		body = doc.Body
	}
	if body == nil {
		return nil, nil
	}
	b := builder{anchors: map[string]*node{}, left: maxNodes}
	return b.build(body, 0)
}

// boundDepth refuses nesting before the parser, which recurses, meets it.
func boundDepth(tokens token.Tokens) error {
	flow, line, compact := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, compact = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType, token.TagType, token.AnchorType:
			compact++ // "- - - x" nests within one line
		}
		// A block nests one level for each column at most.
		if flow > maxDepth || compact > maxDepth || (flow == 0 && t.Type == token.MappingValueType && t.Position.Column > 64*maxDepth) {
			return &syntaxError{place: placeOf(t), message: fmt.Sprintf("nested deeper than %d levels", maxDepth)}
		}
	}
	return nil
}

// asSyntaxError takes message and place out of the parser's error.
func asSyntaxError(err error) *syntaxError {
	var located interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if !errors.As(err, &located) {
		return &syntaxError{place: place{1, 1}, message: "the text cannot be read as YAML"}
	}
	return &syntaxError{place: placeOf(located.GetToken()), message: "not valid YAML: " + located.GetMessage(), action: soundYAML}
}

// soundYAML is what to do about a text that the parser refuses.
const soundYAML = "look at this line and those beside it: indent with spaces, and put text with : or # or brackets in single quotes"

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// builder turns the parser's tree into ours: anchors resolved, tags judged.
type builder struct {
	anchors map[string]*node
	left    int // nodes that may still be built
}

func (b *builder) build(n ast.Node, depth int) (*node, error) {
	if n == nil {
		return &node{line: 1, column: 1}, nil
	}
	at := placeOf(n.GetToken())
	b.left--
	if b.left < 0 || depth > maxDepth {
		return nil, &syntaxError{place: at, message: "too many values, or nested too deeply"}
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return b.buildAnchor(n, depth)
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		target, known := b.anchors[name]
		if !known {
			return nil, &syntaxError{place: at, message: fmt.Sprintf("alias *%s has no anchor &%s before it", name, name)}
		}
		return target, nil
	case *ast.TagNode:
		return b.buildTag(n, at, depth)
	case *ast.MappingNode:
		return b.buildMapping(n.Values, n.IsFlowStyle, at, depth)
	case *ast.MappingValueNode:
		return b.buildMapping([]*ast.MappingValueNode{n}, false, at, depth)
	case *ast.SequenceNode:
		out := &node{shape: valueList, line: at.line, column: at.column}
		for _, v := range n.Values {
			item, err := b.build(v, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, item)
		}
		return out, nil
	default:
		return buildScalar(n, at)
	}
}

func (b *builder) buildAnchor(n *ast.AnchorNode, depth int) (*node, error) {
	value, err := b.build(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	// Only now is the anchor known: a value cannot hold itself.
	b.anchors[n.Name.GetToken().Value] = value
	return value, nil
}

func (b *builder) buildTag(n *ast.TagNode, at place, depth int) (*node, error) {
	value, err := b.build(n.Value, depth+1)
	if err != nil {
		return nil, err
	}
	switch tag := n.Start.Value; tag {
	case "!!str":
		if value.shape == oneValue {
			value.isText = true
		}
	case "!!int", "!!bool", "!!null", "!!float", "!!map", "!!seq":
	default:
		return nil, &syntaxError{place: at, message: fmt.Sprintf("tag %s has no meaning here", tag)}
	}
	return value, nil
}

func (b *builder) buildMapping(values []*ast.MappingValueNode, flow bool, at place, depth int) (*node, error) {
	out := &node{shape: keyGroup, line: at.line, column: at.column}
	var merged []*node
	for i, v := range values {
		key, keyPlace, merge, err := keyOf(v.Key)
		if err != nil {
			return nil, err
		}
		if i == 0 && !flow {
			// A block begins with its first key, not with that key's colon.
			out.line, out.column = keyPlace.line, keyPlace.column
		}
		value, err := b.build(v.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if merge {
			merged = append(merged, value)
			continue
		}
		if value.isNull() && value.text == "" {
			value.line, value.column = keyPlace.line, keyPlace.column
		}
		out.keys = append(out.keys, pair{key: key, line: keyPlace.line, column: keyPlace.column, value: value})
	}
	for _, m := range merged {
		if err := out.merge(m); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// merge adds the keys that a << key brings along; keys of the group itself win.
func (n *node) merge(from *node) error {
	sources := []*node{from}
	if from.shape == valueList {
		sources = from.items
	}
	for _, s := range sources {
		if s.shape != keyGroup {
			return &syntaxError{place: place{s.line, s.column}, message: "<< takes a group of keys"}
		}
		for _, p := range s.keys {
			if n.get(p.key) == nil {
				n.keys = append(n.keys, p)
			}
		}
	}
	return nil
}

// keyOf returns the text of a key, and whether it is the merge key <<.
func keyOf(k ast.MapKeyNode) (text string, at place, merge bool, err error) {
	at = placeOf(k.GetToken())
	switch k := k.(type) {
	case *ast.MergeKeyNode:
		return "<<", at, true, nil
	case *ast.MappingKeyNode:
		inner, ok := k.Value.(ast.MapKeyNode)
		if !ok {
			return "", at, false, &syntaxError{place: at, message: "a key must be a single word"}
		}
		return keyOf(inner)
	case *ast.StringNode:
		return k.Value, at, false, nil
	case ast.ScalarNode:
		return k.GetToken().Value, at, false, nil
	}
	return "", at, false, &syntaxError{place: at, message: "a key must be a single word"}
}

func buildScalar(n ast.Node, at place) (*node, error) {
	out := &node{line: at.line, column: at.column}
	switch n := n.(type) {
	case *ast.LiteralNode:
		start := placeOf(n.Start)
		out.line, out.column = start.line, start.column
		out.text, out.style = n.Value.Value, literalBlock
		if n.Start.Type == token.FoldedType {
			out.style = foldedBlock
		}
	case *ast.StringNode:
		out.text = n.Value
		switch n.Token.Type {
		case token.SingleQuoteType:
			out.style = singleQuoted
		case token.DoubleQuoteType:
			out.style = doubleQuoted
		}
	case *ast.NullNode:
		if n.Token.Type != token.ImplicitNullType {
			out.text = n.Token.Value
		}
	case ast.ScalarNode:
		out.text = n.GetToken().Value
	default:
		return nil, &syntaxError{place: at, message: "this kind of value has no meaning here"}
	}
	return out, nil
}
