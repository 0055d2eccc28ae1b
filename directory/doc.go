// Package directory is the vocabulary every other package speaks: objects of a
// directory, their attributes and values, the difference between two sets of
// values, and errors sorted by what can be done about them.
//
// It keeps absent and null apart. A delta record that does not mention an
// attribute says nothing about it (absent); one that carries null says that the
// attribute has no value. Merging a record into what is known depends on that
// difference, so [Value] has a state of its own for each.
//
// The package is a leaf: it imports the standard library only, performs no I/O
// and reads no clock.
package directory
