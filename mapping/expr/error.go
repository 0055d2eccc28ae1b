package expr

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

var (
	// ErrObjectIgnored is the cause of an [EvalError] that is no failure: the
	// expression came upon IgnoreObjectFlow, by which it leaves the user out.
	ErrObjectIgnored = errors.New("the expression leaves this user out")
	// ErrNoUniqueValue is the cause of an [EvalError] of SelectUniqueValue: every
	// value that its rules give is taken, or none of them gives one.
	ErrNoUniqueValue = errors.New("no rule gives a value that is free")
)

// Error is a mistake in the text of an expression.
type Error struct {
	// Offset and Length give the place in bytes. A place at the end of the text,
	// where something is missing, has the length 0.
	Offset, Length int
	// Message says what is wrong, on one line and without a period.
	Message string
	// Suggestion is the known name that was probably meant, or "".
	Suggestion string
}

// Error returns the message with its suggestion.
func (e *Error) Error() string {
	if e.Suggestion == "" {
		return e.Message
	}
	return fmt.Sprintf("%s (did you mean %s?)", e.Message, e.Suggestion)
}

// excerpt is the greatest number of characters of a line that Caret shows.
const excerpt = 100

// Caret returns two lines: the line of the text that has the mistake, cut to a
// readable width, and a caret under the place. Tabs show as blanks.
func (e *Error) Caret(text string) string {
	at := min(max(e.Offset, 0), len(text))
	start := strings.LastIndexByte(text[:at], '\n') + 1
	line := text[start:]
	if end := strings.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end]
	}
	column := utf8.RuneCountInString(text[start:at])
	runes := []rune(strings.ReplaceAll(line, "\t", " "))
	column = min(column, len(runes))
	first := 0
	if len(runes) > excerpt && column > excerpt/2 {
		first = min(column-excerpt/2, len(runes)-excerpt)
	}
	shown := runes[first:min(first+excerpt, len(runes))]
	width := max(1, min(utf8.RuneCountInString(text[at:min(at+max(e.Length, 0), len(text))]), len(shown)-(column-first)))
	return string(shown) + "\n" + strings.Repeat(" ", column-first) + strings.Repeat("^", width)
}

// EvalError says why an expression has no value for one user.
type EvalError struct {
	// Function is the function that failed, "" when it was an operator.
	Function string
	// Value is what it failed on, as text. It can be personal data: whoever shows
	// the error leaves it out where the mapping is sensitive.
	Value string
	// Offset is the place of the failing call in the expression, in bytes.
	Offset int
	// Message says what is wrong, without the value.
	Message string
	// Err is the cause where there is one, such as a time limit.
	Err error
}

// Error describes the failure on one line, value included.
func (e *EvalError) Error() string {
	var b strings.Builder
	if e.Function != "" {
		b.WriteString(e.Function + ": ")
	}
	b.WriteString(e.Message)
	if e.Value != "" {
		fmt.Fprintf(&b, " (value %q)", shorten(e.Value))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *EvalError) Unwrap() error { return e.Err }

func shorten(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most-1]) + "…"
}
