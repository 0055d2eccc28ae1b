package expr

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// MaxLength is the greatest number of characters of an expression, as .NET counts
	// them: in units of UTF-16.
	MaxLength = 10_000
	// maxDepth bounds how deeply calls may be nested.
	maxDepth = 100
)

type op uint8

const (
	opOmitted op = iota // an empty slot between commas
	opConstant
	opAttribute
	opCall
	opConcat
	opCompare
	opWord
)

// node is one part of a parsed expression, and what is evaluated.
type node struct {
	op       op
	at, end  int    // place in the text, in bytes
	text     string // number, operator or word as written, name of the attribute
	constant value
	slot     int // of an attribute in Program.reads
	function *function
	args     []*node
	// prepared is what the function computed from constant arguments when it was
	// compiled, a regular expression for example.
	prepared any
}

// parser is a precedence-climbing parser: comparisons bind weaker than "&".
type parser struct {
	lex   lexer
	tok   token // the token to be looked at next
	depth int
	reads []Reference
}

// Binding powers. A comparison does not associate: a = b = c means nothing.
const (
	bindsNothing = iota
	bindsCompare
	bindsConcat
)

func binding(t token) int {
	switch {
	case t.kind != tokenOperator:
		return bindsNothing
	case t.text == "&":
		return bindsConcat
	}
	return bindsCompare
}

func parse(text string) (*node, []Reference, *Error) {
	if n := units(text); n > MaxLength {
		return nil, nil, &Error{Message: fmt.Sprintf("an expression has at most %d characters, this one has %d", MaxLength, n)}
	}
	if !utf8.ValidString(text) {
		at := 0
		for r, size := utf8.DecodeRuneInString(text); r != utf8.RuneError || size > 1; r, size = utf8.DecodeRuneInString(text[at:]) {
			at += size
		}
		return nil, nil, &Error{Offset: at, Length: 1, Message: "the expression is not valid UTF-8"}
	}
	p := &parser{lex: lexer{text: text}}
	if err := p.advance(true); err != nil {
		return nil, nil, err
	}
	if p.tok.kind == tokenEnd {
		return nil, nil, &Error{Message: "the expression is empty"}
	}
	root, err := p.expression(bindsNothing)
	if err != nil {
		return nil, nil, err
	}
	switch p.tok.kind {
	case tokenEnd:
	case tokenAttribute, tokenText, tokenName, tokenNumber:
		return nil, nil, p.unexpected("the expression ends before it; & joins texts, and so does Join")
	default:
		return nil, nil, p.unexpected("the expression ends before it")
	}
	return root, p.reads, nil
}

// units returns the length of a text in units of UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// advance reads the next token; operand says that an operand is expected there.
func (p *parser) advance(operand bool) *Error {
	t, err := p.lex.next(operand)
	p.tok = t
	return err
}

func (p *parser) unexpected(why string) *Error {
	t := p.tok
	if t.kind == tokenEnd {
		return &Error{Offset: t.at, Message: "the expression ends too early: " + why}
	}
	return &Error{Offset: t.at, Length: t.end - t.at, Message: fmt.Sprintf("unexpected %s: %s", shorten(p.lex.text[t.at:t.end]), why)}
}

// expression reads an operand and all operators that bind stronger than least.
func (p *parser) expression(least int) (*node, *Error) {
	left, err := p.primary()
	if err != nil {
		return nil, err
	}
	for binding(p.tok) > least {
		operator := p.tok
		if err := p.advance(true); err != nil {
			return nil, err
		}
		if operator.text != "&" && binding(p.tok) == bindsCompare {
			return nil, p.unexpected("comparisons are written =, <>, >, >=, < and <=")
		}
		right, err := p.expression(binding(operator))
		if err != nil {
			return nil, err
		}
		switch {
		case operator.text != "&":
			left = &node{op: opCompare, text: operator.text, at: left.at, end: right.end, args: []*node{left, right}}
			if binding(p.tok) == bindsCompare {
				return nil, p.unexpected("comparisons cannot be chained")
			}
		case left.op == opConcat:
			// One node for a whole chain keeps the tree shallow.
			left.args, left.end = append(left.args, right), right.end
		default:
			left = &node{op: opConcat, at: left.at, end: right.end, args: []*node{left, right}}
		}
	}
	return left, nil
}

func (p *parser) primary() (*node, *Error) {
	t := p.tok
	switch t.kind {
	case tokenText:
		return &node{op: opConstant, at: t.at, end: t.end, constant: textValue(t.text)}, p.advance(false)
	case tokenNumber:
		v, err := numberConstant(t)
		if err != nil {
			return nil, err
		}
		return &node{op: opConstant, at: t.at, end: t.end, text: t.text, constant: v}, p.advance(false)
	case tokenAttribute:
		n := &node{op: opAttribute, at: t.at, end: t.end, text: t.text, slot: p.slot(t)}
		return n, p.advance(false)
	case tokenName:
		if err := p.advance(false); err != nil {
			return nil, err
		}
		if p.tok.kind == tokenOpen {
			return p.call(t)
		}
		if v, ok := words[t.text]; ok {
			return &node{op: opWord, at: t.at, end: t.end, text: t.text, constant: v}, nil
		}
		return nil, strayName(t)
	}
	return nil, p.unexpected("an attribute, a text, a number or a function is expected")
}

func numberConstant(t token) (value, *Error) {
	var n int64
	var err error
	if t.hexadecimal {
		var bits uint64
		bits, err = strconv.ParseUint(t.text[2:], 16, 64)
		n = int64(bits) // all 64 bits count: &HFFFFFFFFFFFFFFFF is -1
	} else {
		n, err = strconv.ParseInt(t.text, 10, 64)
	}
	if err == nil {
		return intValue(n), nil
	}
	if t.hexadecimal {
		return value{}, &Error{Offset: t.at, Length: t.end - t.at, Message: "the number does not fit into 64 bits"}
	}
	// A fraction, or too long for an integer: comparisons read it digit by digit.
	return textValue(t.text), nil
}

// slot returns the place of an attribute among those the program reads.
func (p *parser) slot(t token) int {
	p.reads = append(p.reads, Reference{Name: t.text, Offset: t.at, Length: t.end - t.at})
	return len(p.reads) - 1
}

// call reads the arguments of a function. The current token is the "(".
func (p *parser) call(name token) (*node, *Error) {
	f, ok := functionNamed(name.text)
	if !ok {
		return nil, unknownFunction(name)
	}
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{Offset: name.at, Length: name.end - name.at, Message: fmt.Sprintf("functions are nested more than %d deep", maxDepth)}
	}
	n := &node{op: opCall, at: name.at, function: f}
	if err := p.advance(true); err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		if first && p.tok.kind == tokenClose {
			break // no argument at all
		}
		arg, err := p.argument()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if p.tok.kind == tokenClose {
			break
		}
		if p.tok.kind == tokenName {
			if advice, ok := foreignWords[strings.ToLower(p.tok.text)]; ok {
				return nil, p.unexpected(advice)
			}
		}
		if p.tok.kind != tokenComma {
			return nil, p.unexpected(fmt.Sprintf("a comma or the closing parenthesis of %s is expected", name.text))
		}
		if err := p.advance(true); err != nil {
			return nil, err
		}
	}
	n.end = p.tok.end
	p.depth--
	return n, p.advance(false)
}

// argument reads one argument; an empty slot is an omitted one, which is not the
// same as empty text.
func (p *parser) argument() (*node, *Error) {
	if p.tok.kind == tokenComma || p.tok.kind == tokenClose {
		return &node{op: opOmitted, at: p.tok.at, end: p.tok.at}, nil
	}
	return p.expression(bindsNothing)
}
