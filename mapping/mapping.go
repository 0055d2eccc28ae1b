package mapping

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/suggest"
)

// Mapping says where the value of one target attribute comes from. Exactly one of
// Source, Constant and Expression is given.
type Mapping struct {
	// Target is the attribute to write, by its Graph name or an old directory name.
	Target string
	// Source is the attribute whose value flows as it is (a direct mapping).
	Source string
	// Constant is a fixed value; absent when the mapping is not constant. A null
	// constant is allowed: it leaves the target to Default and FlowNull.
	Constant directory.Value
	// Expression is a call in the expression language.
	Expression string
	// Default is written on create when there is no value; absent for none.
	Default directory.Value
	// FlowType says when the value flows.
	FlowType FlowType
	// Drift says what becomes of a value that somebody else changed in the target;
	// other than Overwrite only where the value flows always.
	Drift Drift
	// FlowNull says whether no value clears the target on update. Nil leaves it to
	// the kind of attribute: references clear, all others do not.
	FlowNull *bool
	// MatchingPriority makes the target a matching attribute, 1 being tried first;
	// 0 when it is none.
	MatchingPriority int
	// Sensitive keeps the value out of every output and log.
	Sensitive bool
	// Type is what the target holds, if it is a directory extension: values are
	// converted to it. "" leaves the value as it is.
	Type attribute.Type
	// Multivalued says that the target is a directory extension that holds
	// several values.
	Multivalued bool
	// Allowed are the only values that may be written, as texts and exactly as they
	// are written; none for no restriction. Whoever gets another one fails.
	Allowed []string
}

// Kind is the kind of a mapping.
type Kind uint8

// The kinds of mapping. The zero Kind is that of a mapping without a source.
const (
	NoSource Kind = iota
	Direct
	Constant
	Expression
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"none", "direct", "constant", "expression"}[k]
}

// Kind returns the kind of a mapping that has one source; of several it names the
// first.
func (m Mapping) Kind() Kind {
	switch {
	case m.Source != "":
		return Direct
	case !m.Constant.IsAbsent():
		return Constant
	case m.Expression != "":
		return Expression
	}
	return NoSource
}

// FlowType says when a value flows to the target.
type FlowType uint8

// The flow types, by the names of the synchronization schema.
const (
	// Always: on create and on update.
	Always FlowType = iota
	// ObjectAddOnly: on create only.
	ObjectAddOnly
	// MultiValueAddOnly: values are added to a multi-valued target, none removed.
	MultiValueAddOnly
	// ValueAddOnly: values are added, none removed or replaced.
	ValueAddOnly
	// AttributeAddOnly: only while the target has no value.
	AttributeAddOnly
)

var flowTypes = [...]string{"Always", "ObjectAddOnly", "MultiValueAddOnly", "ValueAddOnly", "AttributeAddOnly"}

// String returns the name of the flow type.
func (f FlowType) String() string {
	if int(f) < len(flowTypes) {
		return flowTypes[f]
	}
	return fmt.Sprintf("flowType(%d)", uint8(f))
}

// FlowTypes returns the names of all flow types.
func FlowTypes() []string { return slices.Clone(flowTypes[:]) }

// UnknownWord is the error for a word that is none of those known.
type UnknownWord struct {
	What, Word string
	// Nearest is the known word that was probably meant, or "".
	Nearest string
	Known   []string
}

// Error names the word, and the nearest one or all that are known.
func (e *UnknownWord) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("%s %q unknown (did you mean %s?)", e.What, e.Word, e.Nearest)
	}
	return fmt.Sprintf("%s %q unknown: one of %s", e.What, e.Word, strings.Join(e.Known, ", "))
}

// ParseFlowType returns the flow type with that name; "" is Always. The error is
// an [*UnknownWord].
func ParseFlowType(name string) (FlowType, error) {
	if name == "" {
		return Always, nil
	}
	if i := slices.Index(flowTypes[:], name); i >= 0 {
		return FlowType(i), nil
	}
	return Always, &UnknownWord{What: "flow type", Word: name, Known: FlowTypes(),
		Nearest: suggest.Nearest(name, slices.Values(flowTypes[:]))}
}

// Severity says whether a problem keeps the mappings from being used.
type Severity uint8

// The severities.
const (
	// Error: the mappings cannot be used.
	Error Severity = iota
	// Warning: the mapping is left out, or means less than it says.
	Warning
)

// String returns the severity's name.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is something wrong with a mapping.
type Problem struct {
	// Mapping is the index of the mapping in the list.
	Mapping int
	// Field is the key of the mapping that is wrong: target, source, constant,
	// expression, defaultValue, flowType, flowNull, matchingPriority, type,
	// multivalued, allowedValues, or "" for the mapping as a whole.
	Field string
	// Offset and Length give the place in the expression in bytes; Offset is -1
	// when the problem is not inside an expression.
	Offset, Length int
	Severity       Severity
	// Message says what is wrong, on one line and without a period.
	Message string
	// Suggestion is the valid word that was probably meant, or "".
	Suggestion string
}

// Error returns the message with its suggestion.
func (p Problem) Error() string {
	if p.Suggestion == "" {
		return p.Message
	}
	return fmt.Sprintf("%s (did you mean %s?)", p.Message, p.Suggestion)
}

// Default returns the mappings of a job that names none: those of Microsoft's
// cross-tenant synchronization, as far as Graph lets an app write them.
func Default() []Mapping {
	direct := []string{"accountEnabled", "streetAddress", "city", "state", "postalCode", "country", "department", "employeeId",
		"displayName", "givenName", "jobTitle", "officeLocation", "preferredLanguage", "surname", "businessPhones", "mail", "manager"}
	list := make([]Mapping, 0, len(direct)+2)
	for _, name := range direct {
		list = append(list, Mapping{Target: name, Source: name})
	}
	return append(list,
		Mapping{Target: "userType", Constant: directory.TextOf("Member"), FlowType: ObjectAddOnly},
		Mapping{Target: "showInAddressList", Constant: directory.BoolOf(true), FlowType: ObjectAddOnly})
}
