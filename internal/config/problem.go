package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Code sorts problems by their nature; it is what a script reads in the error
// objects of `-o json`.
type Code string

// The natures of a problem.
const (
	Syntax            Code = "ConfigSyntax"
	UnknownKey        Code = "ConfigUnknownKey"
	DuplicateKey      Code = "ConfigDuplicateKey"
	MissingKey        Code = "ConfigMissingKey"
	WrongType         Code = "ConfigWrongType"
	UnknownWord       Code = "ConfigUnknownWord"
	InvalidValue      Code = "ConfigInvalidValue"
	Conflict          Code = "ConfigConflict"
	MissingVariable   Code = "ConfigMissingVariable"
	UnreadableFile    Code = "ConfigUnreadableFile"
	InvalidFilter     Code = "ConfigInvalidFilter"
	InvalidMapping    Code = "ConfigInvalidMapping"
	InvalidExpression Code = "ConfigInvalidExpression"
	ClearTextSecret   Code = "ConfigClearTextSecret"
	WithoutEffect     Code = "ConfigWithoutEffect"
)

// Problem is one thing wrong with a configuration file, or, among
// Config.Warnings, one thing that is probably not meant.
type Problem struct {
	File         string // as the caller named it
	Line, Column int    // from 1; Column counts characters
	Path         string // the place in the document, e.g. jobs[0].deletions
	Code         Code
	Message      string // what is wrong, without a final period
	Suggestion   string // the nearest valid word, if there is one
	Action       string // what to do about it, a phrase in lower case

	excerpt string
}

// Error returns the problem in one line:
//
//	config.yaml:41:9: unknown key "treshold" in jobs[0].deletions. Did you mean "threshold"?
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	b.WriteString(p.Message)
	b.WriteByte('.')
	if p.Suggestion != "" {
		fmt.Fprintf(&b, " Did you mean %q?", p.Suggestion)
	}
	return b.String()
}

// Excerpt returns the offending line with its number and the line before it,
// and a caret below the offending place; three lines without a final line
// break, fewer at the top of a file, "" when the problem has no place. Secrets
// are blotted out.
func (p Problem) Excerpt() string { return p.excerpt }

// Text returns what a person is shown: the line of Error, the excerpt, and the
// advice where there is some.
func (p Problem) Text() string {
	parts := []string{p.Error()}
	if p.excerpt != "" {
		parts = append(parts, p.excerpt)
	}
	if p.Action != "" {
		parts = append(parts, "Do: "+p.Action)
	}
	return strings.Join(parts, "\n")
}

// Invalid is the error of a configuration that cannot be used. It holds every
// problem of the file, sorted by position.
type Invalid struct {
	Problems []Problem
}

// Error returns the problems, one a line.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// sortProblems puts problems in the order of the file.
func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// excerptWidth is how many characters of a line an excerpt shows; longer lines
// are cut around the caret.
const excerptWidth = 100

// excerpt draws the place of a problem. Lines have been cleared of secrets.
func excerpt(lines []string, line, column int) string {
	if line < 1 || line > len(lines) {
		return ""
	}
	column = max(column, 1)
	var b strings.Builder
	if line > 1 {
		text, _ := window(lines[line-2], 1)
		fmt.Fprintf(&b, "%5d | %s\n", line-1, text)
	}
	text, at := window(lines[line-1], column)
	fmt.Fprintf(&b, " >%3d | %s\n", line, text)
	b.WriteString(strings.Repeat(" ", len("  123 | ")+max(0, len(fmt.Sprint(line))-3)+at-1))
	b.WriteByte('^')
	return b.String()
}

// window returns the part of a line that an excerpt shows and the column in it
// of what was at the given column. Tabs become one blank, so that the caret
// stays below its character.
func window(line string, column int) (text string, at int) {
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimRight(line, "\r\n"))
	if utf8.RuneCountInString(line) <= excerptWidth {
		return line, column
	}
	runes := []rune(line)
	from := max(0, min(column-1-excerptWidth/2, len(runes)-excerptWidth))
	to := min(len(runes), from+excerptWidth)
	text = string(runes[from:to])
	at = column - from
	if from > 0 {
		text = "…" + text
		at++
	}
	if to < len(runes) {
		text += "…"
	}
	return text, at
}
