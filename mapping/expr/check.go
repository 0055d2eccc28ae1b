package expr

import (
	"fmt"
	"slices"

	"tenantsync/directory"
)

// check reports the first mistake that can be seen without a user at hand:
// argument counts, arguments that are missing or can never have the right type,
// comparisons where none is read. It also lets functions prepare what depends on
// constants only.
func check(root *node, types Types) *Error {
	switch {
	case root.op == opCompare:
		return misplaced(root)
	case root.op == opWord && !root.ignores():
		return strayWord(root)
	}
	return checkNode(root, types, true)
}

func misplaced(n *node) *Error {
	return &Error{Offset: n.at, Length: n.end - n.at, Message: "a comparison can stand only where a condition is read: in IIF, CBool and Not"}
}

func checkNode(n *node, types Types, outermost bool) *Error {
	if n.op == opCall {
		if n.function.outermost && !outermost {
			return n.mistake(n.function.Name + " must be the outermost function")
		}
		if err := n.function.accepts(n); err != nil {
			return err
		}
	}
	for i, arg := range n.args {
		switch {
		case arg.op == opCompare && n.op != opCall:
			return misplaced(arg)
		case arg.op == opWord && n.op != opCall:
			return strayWord(arg)
		}
		if n.op == opCall {
			if err := checkArgument(n, i, types); err != nil {
				return err
			}
		}
		if err := checkNode(arg, types, false); err != nil {
			return err
		}
	}
	if n.op == opCall && n.function.prepare != nil {
		return n.function.prepare(n)
	}
	return nil
}

// accepts checks the number of arguments and that none is missing.
func (f *function) accepts(n *node) *Error {
	fixed := slices.IndexFunc(f.Parameters, func(p Parameter) bool { return p.Repeat })
	if fixed < 0 {
		fixed = len(f.Parameters)
	}
	group := len(f.Parameters) - fixed
	least, got := f.least(), len(n.args)
	switch {
	case got < least || group == 0 && got > fixed:
		return n.mistake(fmt.Sprintf("%s: %s, not %d: %s", f.Name, f.arity(least, fixed, group), got, f.Signature()))
	case group > 1 && got > fixed && (got-fixed)%group != 0:
		last := f.Parameters[fixed+(got-fixed)%group-1].Name
		return n.mistake(fmt.Sprintf("%s: the number of arguments must be even: the last %s stands without a %s",
			f.Name, last, f.Parameters[len(f.Parameters)-1].Name))
	}
	for i, arg := range n.args {
		if p := f.parameter(i); arg.op == opOmitted && p.Required && !p.Blank {
			return &Error{Offset: n.at, Length: n.end - n.at, Message: fmt.Sprintf("%s: argument %d (%s) is missing", f.Name, i+1, p.Name)}
		}
	}
	return nil
}

// mistake places an error at the function's name.
func (n *node) mistake(message string) *Error {
	return &Error{Offset: n.at, Length: len(n.function.Name), Message: message}
}

func checkArgument(n *node, i int, types Types) *Error {
	arg, want := n.args[i], n.function.parameter(i).Type
	wrong := func(is string) *Error {
		return &Error{Offset: arg.at, Length: arg.end - arg.at,
			Message: fmt.Sprintf("%s: argument %d must be %s, %s", n.function.Name, i+1, want.words(), is)}
	}
	if want == Word {
		return checkWord(n.function, i, arg)
	}
	switch arg.op {
	case opWord:
		if want != Any || !arg.ignores() {
			return strayWord(arg)
		}
	case opCompare:
		if want != Condition {
			return misplaced(arg)
		}
	case opConstant:
		if want == Number {
			if _, ok := arg.constant.integer(); !ok {
				return wrong(fmt.Sprintf("%q is not", shorten(arg.constant.String())))
			}
		}
	case opCall:
		if gives := arg.function.Result; !gives.fits(want) {
			return wrong(arg.function.Name + " gives " + gives.noun())
		}
	case opAttribute:
		return checkAttribute(arg, want, types, wrong)
	}
	return nil
}

// fits reports whether the result of a function can be an argument that must be
// of another type. Text can be any of them, and a date that flows on is text.
func (t Type) fits(want Type) bool {
	switch want {
	case Number:
		return t != Condition && t != Texts && t != Date
	case Condition:
		return t != Texts && t != Date
	case Date:
		return t != Condition && t != Texts && t != Number
	}
	return true
}

func checkAttribute(arg *node, want Type, types Types, wrong func(string) *Error) *Error {
	if types == nil {
		return nil
	}
	kind, known := types(arg.text)
	if !known {
		return nil
	}
	switch {
	case kind == directory.Ref:
		return &Error{Offset: arg.at, Length: arg.end - arg.at,
			Message: fmt.Sprintf("[%s] is a reference to another user: only a direct mapping can carry it", arg.text)}
	case kind == directory.Bool && (want == Text || want == Number || want == Date):
		return wrong(fmt.Sprintf("[%s] is Boolean", arg.text))
	case kind == directory.List && (want == Number || want == Condition || want == Date):
		return wrong(fmt.Sprintf("[%s] has several values", arg.text))
	}
	return nil
}
