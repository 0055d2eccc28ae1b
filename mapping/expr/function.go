package expr

import (
	"fmt"
	"strings"
)

// Type is the type of a parameter or result, as far as it is checked.
type Type uint8

// The types. Text and numbers stand for each other where the text is a number,
// and every value but a list of several has a text form.
const (
	Any Type = iota
	Text
	Number
	// Condition is a Boolean: as a parameter it also takes a comparison.
	Condition
	// Texts is a list of texts.
	Texts
	// Word is one of the words of the parameter, such as vbTextCompare. It may also
	// stand in quotes.
	Word
	// Date is an instant. Its text form is M/d/yyyy h:mm:ss tt, in UTC.
	Date
)

// String returns the type's name in the documentation.
func (t Type) String() string {
	return [...]string{"any", "text", "number", "Boolean", "list", "word", "date"}[t]
}

// noun names what a function of this result gives.
func (t Type) noun() string {
	return [...]string{"a value", "text", "a number", "a Boolean", "a list", "a word", "a date"}[t]
}

func (t Type) words() string {
	return [...]string{"a value", "text", "a whole number", "a condition", "a list", "a word", "a date"}[t]
}

// Parameter is one parameter of a function. Parameters with Repeat come last and
// repeat as a group, each group in order.
type Parameter struct {
	Name string
	Type Type
	// Required says that its place must be there.
	Required bool
	// Blank says that the place may be left empty between its commas.
	Blank bool
	// Repeat says that it can be given many times.
	Repeat bool
	// Words are what a parameter of type Word can be.
	Words []string
}

// Example is a call with its outcome for a user with the given attributes.
type Example struct {
	Expression string
	Attributes map[string]any
	Result     any // nil, a string or a []string
}

// Function is the documentation of a function.
type Function struct {
	Name       string
	Summary    string
	Parameters []Parameter
	Result     Type
	Example    Example
	// Notes are rules worth knowing, a sentence each: null and empty text, limits,
	// where Microsoft's documentation leaves a choice. Those that go beyond Entra
	// begin with "Beyond Entra".
	Notes []string
}

// Signature returns the name with the parameters: "Join(separator, source, …)".
// A parameter that can be left out stands with a question mark.
func (f Function) Signature() string {
	words := make([]string, 0, len(f.Parameters)+1)
	repeats := false
	for _, p := range f.Parameters {
		word := p.Name
		if !p.Required {
			word += "?"
		}
		words = append(words, word)
		repeats = repeats || p.Repeat
	}
	if repeats {
		words = append(words, "…")
	}
	return f.Name + "(" + strings.Join(words, ", ") + ")"
}

// function is an entry of the table: what is documented and how it is done.
type function struct {
	Function
	eval func(call) (value, error)
	// prepare checks constant arguments further and stores in the node what
	// depends on nothing else; nil when there is nothing to do.
	prepare func(*node) *Error
	// fewest is the smallest number of arguments where one in the middle can be
	// left out together with its comma; 0 when Parameters tell.
	fewest int
	// outermost says that the function must be the whole expression.
	outermost bool
	// random says that each call gives another value.
	random bool
	// redacts says that what the function gives appears in no output.
	redacts bool
}

// least is the smallest number of arguments.
func (f *function) least() int {
	if f.fewest > 0 {
		return f.fewest
	}
	least := 0
	for i, p := range f.Parameters {
		if p.Required {
			least = i + 1
		}
	}
	return least
}

// parameter returns the parameter that argument i belongs to.
func (f *function) parameter(i int) Parameter {
	fixed := 0
	for fixed < len(f.Parameters) && !f.Parameters[fixed].Repeat {
		fixed++
	}
	if i >= fixed {
		i = fixed + (i-fixed)%(len(f.Parameters)-fixed)
	}
	return f.Parameters[i]
}

// arity says in words how many arguments are right.
func (f *function) arity(least, fixed, group int) string {
	switch {
	case group > 0 && least == 1:
		return "at least 1 argument is needed"
	case group > 0:
		return fmt.Sprintf("at least %d arguments are needed", least)
	case least < fixed:
		return fmt.Sprintf("%d to %d arguments are needed", least, fixed)
	case fixed == 1:
		return "1 argument is needed"
	}
	return fmt.Sprintf("%d arguments are needed", fixed)
}
