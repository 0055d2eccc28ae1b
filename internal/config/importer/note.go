package importer

import "fmt"

// Kind sorts notes by what they ask of the reader.
type Kind uint8

// The kinds of notes.
const (
	// LeftOut: something of the schema is not in the job.
	LeftOut Kind = iota + 1
	// Changed: it is in the job in another form, or means something else there.
	Changed
	// Check: it is in the job, and a person has to decide whether it is meant so.
	Check
)

// String returns the kind as JSON output and reports name it.
func (k Kind) String() string {
	switch k {
	case LeftOut:
		return "left out"
	case Changed:
		return "changed"
	case Check:
		return "check"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Note says what of the schema the job does not have, or has otherwise.
type Note struct {
	Kind Kind
	// Where is the place in the schema: a target attribute, an object mapping, a
	// clause of a filter.
	Where string
	// What stands there, on one line; it may be empty.
	What string
	// Why it is not taken over as it is, a phrase without a period.
	Why string
	// Do is what can be done about it, a phrase in lower case, or "".
	Do string
	// Excerpt is, for a mistake inside an expression, its line and a caret below
	// the place, else "".
	Excerpt string
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
