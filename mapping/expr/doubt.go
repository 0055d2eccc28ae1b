package expr

import "fmt"

// Doubts returns what is valid in the expression and probably not meant, in the
// order of the text: comparisons that go by other rules than they seem to.
func (p *Program) Doubts() []Error { return p.root.doubts(nil) }

func (n *node) doubts(list []Error) []Error {
	if n.op == opCompare {
		left, right := n.args[0], n.args[1]
		if e, ok := doubtOf(n, left, right); ok {
			list = append(list, e)
		} else if e, ok := doubtOf(n, right, left); ok {
			list = append(list, e)
		}
	}
	for _, arg := range n.args {
		list = arg.doubts(list)
	}
	return list
}

// doubtOf judges one side of a comparison beside the other.
func doubtOf(n, side, other *node) (Error, bool) {
	e := Error{Offset: side.at, Length: side.end - side.at}
	switch {
	case other.op == opCall && other.function.Result == Date && side.isText():
		what := "what stands"
		if side.op == opAttribute {
			what = "[" + side.text + "]"
		}
		e.Message = what + " beside a date is compared as text, not by time: put CDate around it"
	case n.text == "=" && side.op == opAttribute && other.op == opConstant && other.constant.kind == text && other.constant.text == "":
		e.Message = fmt.Sprintf("[%s]=\"\" is never true: an attribute without a value is null, not empty text; IsNullOrEmpty([%[1]s]) asks for both", side.text)
	default:
		return Error{}, false
	}
	return e, true
}

// isText reports whether a part gives text and nothing else: what an attribute
// holds is text in an expression, a date too.
func (n *node) isText() bool {
	switch n.op {
	case opAttribute, opConcat:
		return true
	case opConstant:
		return n.constant.kind == text
	case opCall:
		return n.function.Result == Text
	}
	return false
}
