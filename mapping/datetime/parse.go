package datetime

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// unset marks a field that a text has not mentioned.
const unset = -1

// maxOffset is the greatest distance of a zone from UTC, in minutes.
const maxOffset = 14 * 60

// lastTwoDigitYear is the year up to which two digits reach: 49 is 2049 and 50 is
// 1950 (https://learn.microsoft.com/dotnet/api/system.globalization.calendar.twodigityearmax).
const lastTwoDigitYear = 2049

var (
	errTwice = errors.New("one part of the date is given twice, with two values")
	errZone  = errors.New("a zone lies at most 14 hours from UTC")
)

// Parse reads an instant that is written in this format and in no other way, as
// .NET's ParseExact does in the invariant culture: doubled letters take exactly
// that many digits, single ones take one or two, names and AM and PM are read in
// any case, and what is read twice must agree. A zone is taken into account, text
// without one is in UTC.
//
// What the format leaves out is the first month, day or moment; a year that is
// missing, and the date of a text that has only a time of day, are those of now.
//
// The error says where the text departs from the format and does not repeat it.
func (f *Format) Parse(s string, styles Styles, now time.Time) (time.Time, error) {
	elements := f.elements
	if styles&AllowTrailingWhite != 0 {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
		for len(elements) > 0 && elements[len(elements)-1].white() {
			elements = elements[:len(elements)-1]
		}
	}
	trimmed := s
	if styles&AllowLeadingWhite != 0 {
		trimmed = strings.TrimLeftFunc(s, unicode.IsSpace)
		for len(elements) > 0 && elements[0].white() {
			elements = elements[1:]
		}
	}
	r := &reader{text: s, rest: trimmed, styles: styles,
		year: unset, month: unset, day: unset, weekday: unset, hour: unset, minute: unset, second: unset, ticks: unset, offset: unset, mark: unset}
	if err := r.all(elements); err != nil {
		return time.Time{}, fmt.Errorf("the text does not fit the date format %q: %w", f.text, err)
	}
	t, err := r.instant(now)
	if err != nil {
		return time.Time{}, fmt.Errorf("the text is no date in the format %q: %w", f.text, err)
	}
	return t, nil
}

// white reports whether the element is nothing but white space.
func (e *element) white() bool {
	return e.letter == 0 && strings.TrimFunc(e.text, unicode.IsSpace) == ""
}

// reader is a text that is being read, with the fields found so far.
type reader struct {
	text, rest string
	styles     Styles

	year, month, day, weekday    int
	hour, minute, second         int
	ticks                        int
	mark                         int // 0 AM, 1 PM
	offset                       int // in minutes; moved by maxOffset so that unset is none of them
	twelveHours, yearOfTwoDigits bool
}

// all reads the elements one after the other and nothing after them.
func (r *reader) all(elements []element) error {
	for i := 0; i < len(elements); {
		next, err := r.element(elements, i)
		if err != nil {
			return err
		}
		i = next
	}
	if r.rest != "" {
		return r.expected("the end")
	}
	return nil
}

// expected is the error that something else stands where the reader is.
func (r *reader) expected(what string) error {
	at := utf8.RuneCountInString(r.text[:len(r.text)-len(r.rest)]) + 1
	return fmt.Errorf("%s is expected at character %d", what, at)
}

// element reads one element and returns the index of the one to read next.
func (r *reader) element(elements []element, i int) (next int, err error) {
	e := &elements[i]
	if r.styles&AllowInnerWhite != 0 {
		r.skipWhite()
	}
	switch {
	case e.letter != 0:
		return i + 1, r.specifier(e)
	case e.quoted:
		return i + 1, r.quotation(e.text)
	case e.text == " " && r.styles&AllowInnerWhite != 0:
		return i + 1, nil // the white space has been skipped
	case r.take(e.text):
		return i + 1, nil
	case e.text == "." && i+1 < len(elements) && elements[i+1].letter == 'F':
		return i + 2, nil // a fraction that may be missing takes its point along
	case e.text == " " && r.styles&AllowTrailingWhite != 0 && i+1 < len(elements):
		// .NET lets the blank be missing where the text goes on as the format does.
		return r.element(elements, i+1)
	}
	return 0, r.expected(fmt.Sprintf("%q", e.text))
}

func (r *reader) skipWhite() { r.rest = strings.TrimLeftFunc(r.rest, unicode.IsSpace) }

// take reads a text that must stand here exactly so.
func (r *reader) take(text string) bool {
	rest, ok := strings.CutPrefix(r.rest, text)
	if ok {
		r.rest = rest
	}
	return ok
}

// quotation reads text that stands between quotes in the format.
func (r *reader) quotation(text string) error {
	for rest := text; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		if rest[0] == ' ' && r.styles&AllowInnerWhite != 0 {
			r.skipWhite()
		} else if !r.take(rest[:size]) {
			return r.expected(fmt.Sprintf("%q", text))
		}
		rest = rest[size:]
	}
	return nil
}

func (r *reader) specifier(e *element) error {
	switch e.letter {
	case 'y':
		r.yearOfTwoDigits = r.yearOfTwoDigits || e.count <= 2
		return r.number(&r.year, e, e.count)
	case 'M':
		return r.numberOrName(&r.month, &r.month, e, monthNames[:], 1)
	case 'd':
		return r.numberOrName(&r.day, &r.weekday, e, weekdayNames[:], 0)
	case 'H':
		return r.number(&r.hour, e, min(e.count, 2))
	case 'h':
		r.twelveHours = true
		return r.number(&r.hour, e, min(e.count, 2))
	case 'm':
		return r.number(&r.minute, e, min(e.count, 2))
	case 's':
		return r.number(&r.second, e, min(e.count, 2))
	case 'f', 'F':
		return r.fraction(e)
	case 't':
		return r.timeMark(e)
	case 'z':
		return r.zone(e.count)
	case 'K':
		return r.roundTripZone()
	}
	if !r.takeFolded(era) { // g
		return r.expected(era)
	}
	return nil
}

// set stores what was read, and refuses a second value of the same field.
func (r *reader) set(field *int, n int) error {
	if *field != unset && *field != n {
		return errTwice
	}
	*field = n
	return nil
}

// number reads width digits, or one or two where the width is 1.
func (r *reader) number(field *int, e *element, width int) error {
	least, most := width, max(width, 2)
	if width > 1 {
		most = width
	}
	n, ok := r.digits(least, most)
	if !ok {
		what := fmt.Sprintf("%s, %d digits,", strings.Repeat(string(e.letter), e.count), width)
		if width == 1 {
			what = fmt.Sprintf("%c, one or two digits,", e.letter)
		}
		return r.expected(what)
	}
	return r.set(field, n)
}

// beyond is what a number of many digits counts as: more than any field holds.
const beyond = 100_000_000

// digits reads as many digits as there are, up to most; false if there are fewer
// than least, and then none is read.
func (r *reader) digits(least, most int) (n int, ok bool) {
	i := 0
	for ; i < most && i < len(r.rest) && isDigit(r.rest[i]); i++ {
		n = min(n*10+int(r.rest[i]-'0'), beyond)
	}
	if i < least {
		return 0, false
	}
	r.rest = r.rest[i:]
	return n, true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var (
	monthNames = func() (names [12]string) {
		for i := range names {
			names[i] = time.Month(i + 1).String()
		}
		return names
	}()
	weekdayNames = func() (names [7]string) {
		for i := range names {
			names[i] = time.Weekday(i).String()
		}
		return names
	}()
)

// numberOrName reads a number for one or two letters and a name, short or long,
// for more.
func (r *reader) numberOrName(number, name *int, e *element, names []string, first int) error {
	if e.count < abbreviated {
		return r.number(number, e, e.count)
	}
	for i, known := range names {
		if e.count == abbreviated {
			known = known[:abbreviated]
		}
		if r.takeFolded(known) {
			return r.set(name, i+first)
		}
	}
	what := "the name of a month"
	if e.letter == 'd' {
		what = "the name of a weekday"
	}
	if e.count == abbreviated {
		what += " of three letters"
	}
	return r.expected(what)
}

// takeFolded reads an ASCII text in any case.
func (r *reader) takeFolded(text string) bool {
	if len(r.rest) < len(text) || !strings.EqualFold(r.rest[:len(text)], text) {
		return false
	}
	r.rest = r.rest[len(text):]
	return true
}

// fraction reads exactly the digits of f and at most those of F.
func (r *reader) fraction(e *element) error {
	before := len(r.rest)
	least := e.count
	if e.letter == 'F' {
		least = 0
	}
	n, ok := r.digits(least, e.count)
	if !ok {
		return r.expected(fmt.Sprintf("%s, %d digits,", strings.Repeat("f", e.count), e.count))
	}
	for range maxFraction - (before - len(r.rest)) {
		n *= 10
	}
	return r.set(&r.ticks, n)
}

// timeMark reads AM or PM, or for a single t the first letter, a capital.
func (r *reader) timeMark(e *element) error {
	for i, mark := range [...]string{am, pm} {
		if e.count == 1 && r.take(mark[:1]) || e.count > 1 && r.takeFolded(mark) {
			return r.set(&r.mark, i)
		}
	}
	return r.expected("AM or PM")
}

// zone reads an offset: hours for z and zz, hours and minutes, with or without a
// colon, for zzz.
func (r *reader) zone(count int) error {
	negative := r.take("-")
	if !negative && !r.take("+") {
		return r.expected("a zone such as +01:00")
	}
	least := min(count, 2)
	if count > 2 {
		least = 1
	}
	hours, ok := r.digits(least, 2)
	minutes := 0
	if ok && count > 2 {
		r.take(":")
		minutes, ok = r.digits(2, 2)
	}
	offset := 60*hours + minutes
	switch {
	case !ok:
		return r.expected("a zone such as +01:00")
	case minutes > 59 || offset > maxOffset:
		return errZone
	case negative:
		offset = -offset
	}
	return r.set(&r.offset, offset+maxOffset)
}

// roundTripZone reads Z, an offset, or nothing.
func (r *reader) roundTripZone() error {
	switch {
	case r.take("Z"):
		return r.set(&r.offset, maxOffset)
	case strings.HasPrefix(r.rest, "+") || strings.HasPrefix(r.rest, "-"):
		return r.zone(3)
	}
	return nil
}
