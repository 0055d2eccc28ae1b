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

// count takes a value that is not a list as a list of one.
func count(c call) (value, error) {
	v, err := c.value(0)
	switch {
	case err != nil || v.none():
		return intValue(0), err
	case v.kind == list:
		return intValue(int64(len(v.members))), nil
	}
	return intValue(1), nil
}

// removeDuplicates keeps the first of equal members, in their order.
func removeDuplicates(c call) (value, error) {
	members, err := c.members(0)
	if err != nil || members == nil {
		return value{}, err
	}
	seen := make(map[string]bool, len(members))
	kept := make([]string, 0, len(members))
	for _, m := range members {
		if !seen[m] {
			seen[m] = true
			kept = append(kept, m)
		}
	}
	return listValue(kept), nil
}

// contains returns the position of the first member that has a text within it.
func contains(c call) (value, error) {
	members, err := c.members(0)
	if err != nil {
		return value{}, err
	}
	find, _, err := c.text(1)
	if err != nil {
		return value{}, err
	}
	how, err := c.word(2)
	if err != nil || find == "" {
		return intValue(0), err
	}
	find = comparable(find, how)
	for i, m := range members {
		if strings.Contains(comparable(m, how), find) {
			return intValue(int64(i) + 1), nil
		}
	}
	return intValue(0), nil
}

// members returns the members of a list argument. Any other value is a list of
// one, null is nil.
func (c call) members(i int) ([]string, error) {
	v, err := c.value(i)
	switch {
	case err != nil || v.none():
		return nil, err
	case v.kind != list:
		return []string{v.String()}, nil
	case v.members == nil:
		return []string{}, nil
	}
	return v.members, nil
}
