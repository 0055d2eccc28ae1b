package entrasim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// filterNode is a compiled $filter expression.
type filterNode struct {
	op    string // and or not any eq ne ge le gt lt in startswith endswith
	left  *filterNode
	right *filterNode

	property string   // what is compared; of a lambda: its collection
	lambda   bool     // property is below the element of the enclosing any
	values   []string // JSON texts
}

// filter is a compiled $filter and what it needs.
type filter struct {
	root     *filterNode
	advanced bool // needs ConsistencyLevel and $count
}

// maxInTerms is the number of values an in list may have.
const maxInTerms = 15

var errFilter = errors.New("invalid filter clause")

// parseFilter reads the subset of OData's filter language that the directory
// serves: https://learn.microsoft.com/graph/filter-query-parameter
func parseFilter(s *schema, text string) (*filter, error) {
	p := &filterParser{schema: s, rest: text}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if tok := p.next(); tok != "" {
		return nil, fmt.Errorf("%w: syntax error at '%s'", errFilter, tok)
	}
	return &filter{root: root, advanced: p.advanced}, nil
}

type filterParser struct {
	schema   *schema
	rest     string
	advanced bool
	variable string // of the lambda being read
	over     string
}

// next consumes one token: a word, a quoted text, or one of ( ) , :
func (p *filterParser) next() string {
	p.rest = strings.TrimLeft(p.rest, " \t")
	if p.rest == "" {
		return ""
	}
	n := 0
	switch c := p.rest[0]; {
	case strings.IndexByte("(),:", c) >= 0:
		n = 1
	case c == '\'':
		for n = 1; n < len(p.rest); n++ {
			if p.rest[n] != '\'' {
				continue
			}
			if n+1 < len(p.rest) && p.rest[n+1] == '\'' {
				n++
				continue
			}
			n++
			tok := p.rest[:n]
			p.rest = p.rest[n:]
			return tok
		}
		p.rest = ""
		return "'" // unterminated: no rule accepts it
	default:
		for n < len(p.rest) && strings.IndexByte(" \t(),'", p.rest[n]) < 0 {
			if p.rest[n] == ':' && !strings.Contains(p.rest[:n], "-") { // x: of a lambda, not 10:00 of a date
				break
			}
			n++
		}
	}
	tok := p.rest[:n]
	p.rest = p.rest[n:]
	return tok
}

func (p *filterParser) peek() string {
	saved := p.rest
	tok := p.next()
	p.rest = saved
	return tok
}

func (p *filterParser) expect(want string) error {
	if tok := p.next(); tok != want {
		return fmt.Errorf("%w: '%s' expected, got '%s'", errFilter, want, tok)
	}
	return nil
}

// maxFilterDepth bounds the nesting of a filter.
const maxFilterDepth = 50

func (p *filterParser) or(depth int) (*filterNode, error) {
	return p.chain("or", depth, p.and)
}

func (p *filterParser) and(depth int) (*filterNode, error) {
	return p.chain("and", depth, p.unary)
}

func (p *filterParser) chain(op string, depth int, operand func(int) (*filterNode, error)) (*filterNode, error) {
	if depth > maxFilterDepth {
		return nil, fmt.Errorf("%w: nested too deeply", errFilter)
	}
	left, err := operand(depth)
	for err == nil && p.peek() == op {
		p.next()
		var right *filterNode
		if right, err = operand(depth); err == nil {
			left = &filterNode{op: op, left: left, right: right}
		}
	}
	return left, err
}

func (p *filterParser) unary(depth int) (*filterNode, error) {
	switch tok := p.peek(); tok {
	case "not":
		p.next()
		p.advanced = true
		n, err := p.unary(depth + 1)
		if depth > maxFilterDepth {
			return nil, fmt.Errorf("%w: nested too deeply", errFilter)
		}
		return &filterNode{op: "not", left: n}, err
	case "(":
		p.next()
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	case "startswith", "startsWith", "endswith", "endsWith":
		p.next()
		return p.function(strings.ToLower(tok))
	}
	return p.comparison(depth)
}

func (p *filterParser) function(name string) (*filterNode, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	prop, err := p.property(p.next())
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	v, err := p.value(p.next())
	if err != nil {
		return nil, err
	}
	if name == "endswith" {
		p.advanced = true
	}
	return &filterNode{op: name, property: prop, lambda: p.variable != "", values: []string{v}}, p.expect(")")
}

// comparison reads property op value, property in (…), or property/any(x:…).
func (p *filterParser) comparison(depth int) (*filterNode, error) {
	word := p.next()
	if name, ok := strings.CutSuffix(word, "/any"); ok && p.peek() == "(" {
		return p.any(name, depth)
	}
	prop, err := p.property(word)
	if err != nil {
		return nil, err
	}
	n := &filterNode{op: p.next(), property: prop, lambda: p.variable != ""}
	switch n.op {
	case "eq":
	case "ne":
		p.advanced = true
	case "ge", "le", "gt", "lt":
		p.advanced = p.advanced || prop != "createdDateTime" && prop != "deletedDateTime"
	case "in":
		return n, p.inList(n)
	default:
		return nil, fmt.Errorf("%w: operator '%s' unknown", errFilter, n.op)
	}
	v, err := p.value(p.next())
	if v == "null" && n.op == "ne" {
		p.advanced = true
	}
	n.values = []string{v}
	return n, err
}

func (p *filterParser) inList(n *filterNode) error {
	if err := p.expect("("); err != nil {
		return err
	}
	for {
		v, err := p.value(p.next())
		if err != nil {
			return err
		}
		n.values = append(n.values, v)
		switch tok := p.next(); tok {
		case ",":
		case ")":
			if len(n.values) > maxInTerms {
				return fmt.Errorf("%w: too many child clauses: %d, the most is %d", errFilter, len(n.values), maxInTerms)
			}
			return nil
		default:
			return fmt.Errorf("%w: ',' or ')' expected, got '%s'", errFilter, tok)
		}
	}
}

// any reads the body of a lambda, such as (x:x eq 'SMTP:a@b.example').
func (p *filterParser) any(name string, depth int) (*filterNode, error) {
	if p.variable != "" {
		return nil, fmt.Errorf("%w: a lambda inside a lambda", errFilter)
	}
	prop, err := p.property(name)
	if err != nil {
		return nil, err
	}
	p.next() // the parenthesis
	p.variable, p.over = p.next(), prop
	defer func() { p.variable, p.over = "", "" }()
	if err := p.expect(":"); err != nil {
		return nil, err
	}
	body, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	return &filterNode{op: "any", property: prop, left: body}, p.expect(")")
}

// property resolves a name; inside a lambda the variable stands for its collection.
func (p *filterParser) property(name string) (string, error) {
	if p.variable != "" {
		if name == p.variable {
			return p.over, nil
		}
		if rest, ok := strings.CutPrefix(name, p.variable+"/"); ok {
			return p.over + "/" + rest, nil
		}
		return "", fmt.Errorf("%w: '%s' is not the variable '%s'", errFilter, name, p.variable)
	}
	base, _, _ := strings.Cut(name, "/")
	if _, ok := p.schema.lookup(base); !ok {
		return "", fmt.Errorf("%w: could not find a property named '%s' on type '%s'", errFilter, name, p.schema.typeName())
	}
	return name, nil
}

// value turns a literal into JSON text.
func (p *filterParser) value(tok string) (string, error) {
	switch {
	case tok == "true", tok == "false", tok == "null":
		return tok, nil
	case len(tok) >= 2 && tok[0] == '\'' && tok[len(tok)-1] == '\'':
		return quote(strings.ReplaceAll(tok[1:len(tok)-1], "''", "'")), nil
	case tok != "" && strings.IndexByte("(),:'", tok[0]) < 0 && (tok[0] >= '0' && tok[0] <= '9' || isID(tok)):
		return quote(tok), nil // a date, a number or a bare id
	}
	return "", fmt.Errorf("%w: a value is expected, got '%s'", errFilter, tok)
}

// matches evaluates a filter over an object.
func (n *filterNode) matches(o *object) bool { return n.holds(o, "") }

// holds evaluates a filter over an object and, inside a lambda, one element of
// its collection.
func (n *filterNode) holds(o *object, element string) bool {
	switch n.op {
	case "and":
		return n.left.holds(o, element) && n.right.holds(o, element)
	case "or":
		return n.left.holds(o, element) || n.right.holds(o, element)
	case "not":
		return !n.left.holds(o, element)
	case "any":
		found := false
		_ = eachElement(o.raw(n.property), func(_ int, e string) error { // no collection: nothing found
			found = found || n.left.holds(o, e)
			return nil
		})
		return found
	}
	if !n.lambda {
		return n.test(o.path(n.property))
	}
	if _, sub, nested := strings.Cut(n.property, "/"); nested {
		element = member(element, sub)
	}
	return n.test(element)
}

// path reads a property or one member of a complex one.
func (o *object) path(name string) string {
	base, sub, nested := strings.Cut(name, "/")
	raw := o.raw(base)
	if nested {
		return member(raw, sub)
	}
	return raw
}

// test compares one value; text compares without regard to case.
func (n *filterNode) test(raw string) bool {
	switch n.op {
	case "eq", "in":
		return slices.ContainsFunc(n.values, func(v string) bool { return equalFold(raw, v) })
	case "ne":
		return !equalFold(raw, n.values[0])
	}
	a, _ := unquote(raw)
	b, _ := unquote(n.values[0])
	a, b = strings.ToLower(a), strings.ToLower(b)
	switch n.op {
	case "startswith":
		return raw != "" && strings.HasPrefix(a, b)
	case "endswith":
		return raw != "" && strings.HasSuffix(a, b)
	case "ge":
		return !isNull(raw) && a >= b
	case "le":
		return !isNull(raw) && a <= b
	case "gt":
		return !isNull(raw) && a > b
	case "lt":
		return !isNull(raw) && a < b
	}
	return false
}

func equalFold(raw, v string) bool {
	if isNull(raw) || isNull(v) {
		return isNull(raw) && isNull(v)
	}
	a, okA := unquote(raw)
	b, okB := unquote(v)
	if okA != okB {
		return okB && raw == b // a number stands in filters without quotes
	}
	return okA && strings.EqualFold(a, b) || !okA && raw == v
}

// candidates returns the few users a filter can match when every branch of it
// compares an indexed property; ok is false when all users must be looked at.
// The caller holds the lock.
func (n *filterNode) candidates(t *Tenant) (list []*object, ok bool) {
	switch n.op {
	case "or":
		a, okA := n.left.candidates(t)
		b, okB := n.right.candidates(t)
		return append(a, b...), okA && okB
	case "and":
		if a, ok := n.left.candidates(t); ok {
			return a, true
		}
		return n.right.candidates(t)
	case "any":
		return n.left.candidates(t)
	case "eq", "in":
		for _, v := range n.values {
			s, isText := unquote(v)
			if !isText {
				return nil, false
			}
			switch n.property {
			case "id":
				if o := t.objects[strings.ToLower(s)]; o != nil {
					list = append(list, o)
				}
			case "userPrincipalName", "mail", "otherMails":
				list = append(list, t.holders(s)...)
			case "proxyAddresses":
				if a := proxyAddress(s); a != "" {
					list = append(list, t.holders(a)...)
				}
			default:
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// idsOnly returns the ids of a filter that is nothing but id eq '…' joined by
// or, the only one delta queries take.
func (n *filterNode) idsOnly() ([]string, bool) {
	switch {
	case n.op == "or":
		a, okA := n.left.idsOnly()
		b, okB := n.right.idsOnly()
		return append(a, b...), okA && okB
	case (n.op == "eq" || n.op == "in") && n.property == "id":
		var out []string
		for _, v := range n.values {
			s, ok := unquote(v)
			if !ok {
				return nil, false
			}
			out = append(out, strings.ToLower(s))
		}
		return out, true
	}
	return nil, false
}
