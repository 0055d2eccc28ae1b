// Package pattern runs the .NET regular expressions that expressions and scoping
// filters are written in, within limits of time and size.
//
// A pattern that only asks whether a text matches, and that means the same in
// every dialect, is judged without backtracking: as plain text where it is plain
// text, else by Go's linear engine after the classes have been widened to
// Unicode as .NET has them, unless pattern and text are so long that even this
// could take longer than the time limit. Everything else, and everything that replaces or
// captures, runs on a backtracking engine with .NET's rules, which gives up after
// a time limit ([ErrTimeout]) rather than hold up a cycle. That engine reads the
// clock to do so; it is the only thing here that does, besides the [Budget] that
// bounds all matches of one evaluation together.
package pattern
