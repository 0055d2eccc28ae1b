package expr

import (
	"fmt"
	"strings"

	"tenantsync/mapping/pattern"
)

// context is what stays the same during one evaluation.
type context struct {
	env      Env
	program  *Program
	patterns pattern.Budget
}

func (n *node) eval(c *context) (value, error) {
	switch n.op {
	case opConstant:
		return n.constant, nil
	case opAttribute:
		r := &c.program.reads[n.slot]
		return fromDirectory(c.env.Attributes.Get(r.name), r.first), nil
	case opCall:
		return n.function.eval(call{n, c})
	case opConcat:
		return n.concat(c)
	case opCompare:
		return n.compare(c)
	case opWord:
		if n.text == ignoreObject {
			return value{}, &EvalError{Offset: n.at, Message: ErrObjectIgnored.Error(), Err: ErrObjectIgnored}
		}
		return n.constant, nil
	}
	return value{}, nil // an omitted argument is null
}

func (n *node) concat(c *context) (value, error) {
	var b strings.Builder
	for _, arg := range n.args {
		v, err := arg.eval(c)
		if err != nil {
			return value{}, err
		}
		s, _, many := v.scalar()
		switch {
		case many:
			return value{}, &EvalError{Function: "&", Offset: arg.at, Value: v.String(), Message: manyValues(v)}
		case b.Len()+len(s) > maxText:
			return value{}, &EvalError{Function: "&", Offset: n.at, Message: tooLong}
		}
		b.WriteString(s)
	}
	return textValue(b.String()), nil
}

func (n *node) compare(c *context) (value, error) {
	left, err := n.args[0].eval(c)
	if err != nil {
		return value{}, err
	}
	right, err := n.args[1].eval(c)
	if err != nil {
		return value{}, err
	}
	holds, many := compare(n.text, left, right)
	if many {
		wrong, at := left, n.args[0].at
		if _, _, leftMany := left.scalar(); !leftMany {
			wrong, at = right, n.args[1].at
		}
		return value{}, &EvalError{Function: n.text, Offset: at, Value: wrong.String(), Message: manyValues(wrong)}
	}
	return boolValue(holds), nil
}

const tooLong = "the result has more than 65536 bytes"

func manyValues(v value) string {
	return fmt.Sprintf("one value is needed, the list has %d", len(v.members))
}

// call is one call of a function while it is evaluated. Arguments are evaluated
// when the function asks for them, so a branch not taken costs and fails nothing.
type call struct {
	node *node
	c    *context
}

func (c call) count() int { return len(c.node.args) }

// given reports whether an argument is there; an empty slot is not.
func (c call) given(i int) bool {
	return i < len(c.node.args) && c.node.args[i].op != opOmitted
}

func (c call) value(i int) (value, error) {
	if i >= len(c.node.args) {
		return value{}, nil
	}
	return c.node.args[i].eval(c.c)
}

// plain returns the text of an argument that is a constant or a text attribute,
// which most are, without the detour over a value; false for anything else.
func (c call) plain(i int) (string, bool) {
	n := c.node.args[i]
	switch n.op {
	case opConstant:
		return n.constant.text, n.constant.kind == text
	case opAttribute:
		s := c.c.env.Attributes.Get(c.c.program.reads[n.slot].name).Text()
		return s, s != ""
	}
	return "", false
}

// text returns the text form of an argument, and whether it has a value. A list
// of several values has no text form and fails the call.
func (c call) text(i int) (s string, some bool, err error) {
	if i < len(c.node.args) {
		if s, ok := c.plain(i); ok {
			return s, true, nil
		}
	}
	v, err := c.value(i)
	if err != nil {
		return "", false, err
	}
	s, some, many := v.scalar()
	if many {
		return "", false, c.fail(v.String(), manyValues(v))
	}
	return s, some, nil
}

// integer returns an argument that must be a whole number.
func (c call) integer(i int) (int64, error) {
	v, err := c.value(i)
	if err != nil {
		return 0, err
	}
	return c.whole(i, v)
}

// whole returns the value of argument i as a whole number.
func (c call) whole(i int, v value) (int64, error) {
	n, ok := v.integer()
	if !ok {
		return 0, c.fail(v.String(), fmt.Sprintf("argument %d must be a whole number", i+1))
	}
	return n, nil
}

// fail returns the failure of this call; value is what it failed on.
func (c call) fail(value, message string) error {
	return &EvalError{Function: c.node.function.Name, Offset: c.node.at, Value: value, Message: message}
}
