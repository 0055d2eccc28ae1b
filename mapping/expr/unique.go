package expr

// selectUnique tries one rule after the other and takes the first value that does
// not exist in the target yet. A rule without a value offers nothing.
func selectUnique(c call) (value, error) {
	tried := make([]string, 0, c.count())
	for i := range c.count() {
		candidate, _, err := c.text(i)
		switch {
		case err != nil:
			return value{}, err
		case candidate == "":
			continue
		case c.c.env.Taken == nil || !c.c.env.Taken(candidate):
			return textValue(candidate), nil
		}
		tried = append(tried, candidate)
	}
	message := "every value that the rules give exists already"
	if len(tried) == 0 {
		message = "none of the rules gives a value"
	}
	return value{}, &EvalError{Function: c.node.function.Name, Offset: c.node.at, Value: listValue(tried).String(),
		Message: message, Err: ErrNoUniqueValue}
}
