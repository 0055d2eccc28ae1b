// Package datetime knows the dates of expressions: .NET's custom and standard
// date formats in the invariant culture, the loose forms that a date is written
// in, calendar arithmetic as Visual Basic does it, and Windows file times.
//
// An instant is a [time.Time] in UTC that lies in the years 1 to 9999 and counts
// whole units of 100 ns, which is what .NET's DateTime can hold; [Instant] makes
// one of any time. Whatever would leave these years is an error ([ErrRange]),
// never another date. Text without a zone is in UTC.
//
// A [Format] is compiled once from its text and then writes instants and reads
// them back. Nothing here reads a clock: what a text leaves open is filled from
// the instant the caller gives.
package datetime
