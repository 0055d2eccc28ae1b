package scope

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/mapping/suggest"
)

// Operator compares an attribute with the values of a clause.
type Operator uint8

// The operators. Every one of them is false for an attribute without a value,
// IsNull apart. Text is compared with case unless the clause says otherwise. Those
// from StartsWith on are beyond Entra (see [Operator.Beyond]).
const (
	invalid Operator = iota
	// Equals: the text is one of the values.
	Equals
	// NotEquals: the text is none of the values.
	NotEquals
	// IsTrue and IsFalse judge Booleans.
	IsTrue
	IsFalse
	// IsNull: there is no value. Empty text and an empty list are none.
	IsNull
	// IsNotNull: there is a value.
	IsNotNull
	// RegexMatch: one of the .NET patterns is found anywhere in the text.
	RegexMatch
	// NotRegexMatch: none of the patterns is found.
	NotRegexMatch
	// GreaterThan and GreaterThanOrEquals compare whole numbers, or dates where the
	// attribute or the operand is one; text that is neither is not greater.
	GreaterThan
	GreaterThanOrEquals
	// Includes: the text contains one of the values.
	Includes
	// EndsWith: the text ends with one of the values.
	EndsWith
	// BitsSet (&): the whole number has a bit in common with one of the values.
	BitsSet
	// BitsClear (!&): the whole number has no bit in common with any of the values.
	BitsClear
	// StartsWith: the text begins with one of the values.
	StartsWith
	// NotIncludes: the text contains none of the values.
	NotIncludes
	// LessThan and LessThanOrEquals are the counterparts of GreaterThan and
	// GreaterThanOrEquals; text that is no number and no date is not less either.
	LessThan
	LessThanOrEquals
)

// names are the operators as configuration and logs write them.
var names = [...]string{"", "EQUALS", "NOT EQUALS", "IS TRUE", "IS FALSE", "IS NULL", "IS NOT NULL", "REGEX MATCH", "NOT REGEX MATCH",
	"GREATER_THAN", "GREATER_THAN_OR_EQUALS", "INCLUDES", "ENDS_WITH", "&", "!&",
	"STARTS_WITH", "NOT INCLUDES", "LESS_THAN", "LESS_THAN_OR_EQUALS"}

// String returns the operator's name.
func (o Operator) String() string {
	if o == invalid || int(o) >= len(names) {
		return fmt.Sprintf("operator(%d)", uint8(o))
	}
	return names[o]
}

// Operators returns the names of all operators.
func Operators() []string { return slices.Clone(names[1:]) }

// Unary reports whether the operator takes no value.
func (o Operator) Unary() bool { return o >= IsTrue && o <= IsNotNull }

// Beyond reports whether Microsoft's own service does not have the operator: a
// filter with it cannot be carried back to Entra.
func (o Operator) Beyond() bool { return o >= StartsWith }

// ordered reports whether the operator compares numbers or dates by their order.
func (o Operator) ordered() bool {
	return o == GreaterThan || o == GreaterThanOrEquals || o == LessThan || o == LessThanOrEquals
}

// bits reports whether the operator looks at the bits of a number.
func (o Operator) bits() bool { return o == BitsSet || o == BitsClear }

// textual reports whether the operator compares text, so that case can count.
func (o Operator) textual() bool { return !o.Unary() && !o.ordered() && !o.bits() }

// negative reports whether none of the values may match.
func (o Operator) negative() bool {
	return o == NotEquals || o == NotRegexMatch || o == NotIncludes || o == BitsClear
}

// UnknownOperator is the error for a word that is no operator.
type UnknownOperator struct {
	Word string
	// Nearest is the operator that was probably meant, or "".
	Nearest string
}

// Error names the word, and the nearest operator or all of them.
func (e *UnknownOperator) Error() string {
	if e.Nearest != "" {
		return fmt.Sprintf("operator %q unknown (did you mean %s?)", e.Word, e.Nearest)
	}
	return fmt.Sprintf("operator %q unknown: one of %s", e.Word, strings.Join(Operators(), ", "))
}

// ParseOperator returns the operator with that name. Case does not count, and
// blanks and underscores stand for each other, because the admin centre, the
// documentation and exported schemas spell them differently. The error is an
// [*UnknownOperator].
func ParseOperator(name string) (Operator, error) {
	word := spelling(name)
	for i, known := range names[1:] {
		if spelling(known) == word {
			return Operator(i + 1), nil
		}
	}
	near, ok := foreignOperators[word]
	if !ok {
		near = suggest.Nearest(name, slices.Values(names[1:]))
	}
	return invalid, &UnknownOperator{Word: name, Nearest: near}
}

// foreignOperators are the words of neighbouring languages, each with the operator
// that means the same here.
var foreignOperators = map[string]string{
	"=": "EQUALS", "==": "EQUALS", "EQ": "EQUALS", "IN": "EQUALS", "IS": "EQUALS",
	"<>": "NOT EQUALS", "!=": "NOT EQUALS", "NE": "NOT EQUALS", "NOT IN": "NOT EQUALS", "IS NOT": "NOT EQUALS",
	"CONTAINS": "INCLUDES", "NOT CONTAINS": "NOT INCLUDES", "DOES NOT CONTAIN": "NOT INCLUDES",
	"MATCH": "REGEX MATCH", "MATCHES": "REGEX MATCH", "NOT MATCH": "NOT REGEX MATCH",
	">": "GREATER_THAN", "GT": "GREATER_THAN", ">=": "GREATER_THAN_OR_EQUALS", "GE": "GREATER_THAN_OR_EQUALS",
	"<": "LESS_THAN", "LT": "LESS_THAN", "<=": "LESS_THAN_OR_EQUALS", "LE": "LESS_THAN_OR_EQUALS",
	"IS EMPTY": "IS NULL", "IS NOT EMPTY": "IS NOT NULL", "IS PRESENT": "IS NOT NULL", "IS NOT PRESENT": "IS NULL",
}

func spelling(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return r == '_' || r == ' ' }), " ")
}
