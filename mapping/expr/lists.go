package expr

import (
	"fmt"
	"strings"
)

// The functions that make and read lists.

// item counts from 1. A value that is not a list counts as a list of one; no
// value has no items, which is null and not an error.
func item(c call) (value, error) {
	v, err := c.value(0)
	if err != nil {
		return value{}, err
	}
	index, err := c.integer(1)
	if err != nil || v.none() {
		return value{}, err
	}
	members := v.members
	if v.kind != list {
		members = []string{v.String()}
	}
	if index < 1 || index > int64(len(members)) {
		return value{}, c.fail(v.String(), fmt.Sprintf("there is no item %d, the list has %d", index, len(members)))
	}
	return textValue(members[index-1]), nil
}

func split(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	delimiter, _, err := c.text(1)
	if err != nil {
		return value{}, err
	}
	if delimiter == "" {
		return value{}, c.fail(source, "the delimiter is empty")
	}
	var members []string
	for member := range strings.SplitSeq(source, delimiter) {
		if member = strings.TrimSpace(member); member != "" {
			members = append(members, member)
		}
	}
	return listValue(members), nil
}

func prepareSplit(n *node) *Error {
	if arg := n.args[1]; arg.op == opConstant && arg.constant.empty() {
		return &Error{Offset: arg.at, Length: arg.end - arg.at, Message: "Split: argument 2 (delimiter) is empty"}
	}
	return nil
}
