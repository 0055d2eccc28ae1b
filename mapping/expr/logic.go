package expr

import (
	"fmt"
	"strings"
)

// The functions that test values and choose among them.

func coalesce(c call) (v value, err error) {
	for i := range c.count() {
		if v, err = c.value(i); err != nil || !v.none() {
			return v, err
		}
	}
	return v, nil
}

func iif(c call) (value, error) {
	holds, err := c.condition(0)
	switch {
	case err != nil:
		return value{}, err
	case holds:
		return c.value(1)
	}
	return c.value(2)
}

// condition returns the truth of an argument.
func (c call) condition(i int) (bool, error) {
	v, err := c.value(i)
	if err != nil {
		return false, err
	}
	holds, ok := v.truth()
	if !ok {
		return false, c.fail(v.String(), "the condition must be True or False")
	}
	return holds, nil
}

func cbool(c call) (value, error) {
	holds, err := c.condition(0)
	return boolValue(holds), err
}

// isString reports whether CStr gives a text.
func isString(c call) (value, error) {
	v, err := c.value(0)
	_, some, many := v.scalar()
	return boolValue(some && !many), err
}

func ignoreIfEmpty(c call) (value, error) {
	v, err := c.value(0)
	if err == nil && v.empty() {
		v = value{kind: ignore}
	}
	return v, err
}

// raise fails with a message. One that is computed can hold personal data, so it
// counts as the value on which the call failed.
func raise(c call) (value, error) {
	message, _, err := c.text(0)
	switch {
	case err != nil:
		return value{}, err
	case c.node.args[0].op == opConstant:
		return value{}, c.fail("", shorten(message))
	}
	return value{}, c.fail(message, "the expression refuses this user")
}

// prepareCondition refuses a constant that can never be a condition.
func prepareCondition(n *node) *Error {
	arg := n.args[0]
	if arg.op != opConstant {
		return nil
	}
	if _, ok := arg.constant.truth(); ok {
		return nil
	}
	return &Error{Offset: arg.at, Length: arg.end - arg.at,
		Message: fmt.Sprintf("%s: argument 1 must be a condition, %q is text", n.function.Name, shorten(arg.constant.String()))}
}

func isNull(c call) (value, error) {
	v, err := c.value(0)
	return boolValue(v.none() || v.kind == list && len(v.members) == 0), err
}

func isNullOrEmpty(c call) (value, error) {
	v, err := c.value(0)
	return boolValue(v.empty()), err
}

func isPresent(c call) (value, error) {
	v, err := c.value(0)
	return boolValue(!v.empty()), err
}

func not(c call) (value, error) {
	v, err := c.value(0)
	if err != nil {
		return value{}, err
	}
	s, _, many := v.scalar()
	return boolValue(many || !strings.EqualFold(s, "True")), nil
}

// switchCase compares with case and keeps null and empty text alike. Keys are
// evaluated one after the other and only the value of the first that fits.
func switchCase(c call) (value, error) {
	source, _, err := c.text(0)
	if err != nil {
		return value{}, err
	}
	for i := 2; i+1 < c.count(); i += 2 {
		key, _, err := c.text(i)
		if err != nil {
			return value{}, err
		}
		if key == source {
			return c.value(i + 1)
		}
	}
	return c.value(1)
}
