package datetime

import (
	"errors"
	"strings"
	"time"
)

// errNoDate names the forms that Parse reads.
var errNoDate = errors.New("the text is no date: dates are written as 2026-03-01, 2026-03-01T08:00:00+01:00 or 3/1/2026 8:00:00 AM")

// textForm is the form in which a date becomes text.
var textForm = mustCompile("M/d/yyyy h:mm:ss tt")

// Text returns the text form of an instant, such as 6/29/2021 4:00:00 PM, which
// drops the fraction of a second.
func Text(t time.Time) string { return textForm.Format(t) }

// Parse reads an instant that is written in one of these forms, between white
// space, with the month and day in one or two digits and the year in four:
//
//	2026-03-01, 2026/03/01 or 3/1/2026
//	then optionally a time after T or a blank: 08:00, 08:00:00, 08:00:00.25, 8:00 AM, 8:00:00 AM
//	then optionally a zone: Z, +01:00, +0100 or +01
//
// Without a zone it is in UTC, without a time it is midnight. A fraction is
// rounded to 100 ns. The error does not repeat the text.
func Parse(s string) (time.Time, error) {
	r := &reader{text: s, rest: s, mark: unset, offset: unset, ticks: unset, second: unset, hour: unset}
	r.skipWhite()
	c, ok := r.looseDate()
	if !ok || !r.looseTime() || !r.looseZone() {
		return time.Time{}, errNoDate
	}
	if r.skipWhite(); r.rest != "" {
		return time.Time{}, errNoDate
	}
	if err := r.fullHour(); err != nil {
		return time.Time{}, err
	}
	c.hour, c.minute, c.second, c.ticks = max(r.hour, 0), r.minute, max(r.second, 0), int64(max(r.ticks, 0))
	if r.offset != unset {
		c.offset = r.offset - maxOffset
	}
	return c.instant()
}

// looseDate reads year, month and day, or month, day and year with slashes.
func (r *reader) looseDate() (c civil, ok bool) {
	fields, widths := [...]*int{&c.month, &c.day, &c.year}, [...]int{2, 2, 4}
	separator := "/"
	if strings.IndexAny(r.rest, "-/") == 4 {
		fields, widths = [...]*int{&c.year, &c.month, &c.day}, [...]int{4, 2, 2}
		separator = r.rest[4:5]
	}
	for i, field := range fields {
		if i > 0 && !r.take(separator) {
			return c, false
		}
		least := 1
		if widths[i] == 4 {
			least = 4
		}
		if *field, ok = r.digits(least, widths[i]); !ok {
			return c, false
		}
	}
	return c, true
}

// looseTime reads a time of day, if there is one.
func (r *reader) looseTime() bool {
	if !r.takeFolded("T") {
		after := r.rest
		if r.skipWhite(); r.rest == after || r.rest == "" || !isDigit(r.rest[0]) {
			return true
		}
	}
	var ok bool
	if r.hour, ok = r.digits(1, 2); !ok || !r.take(":") {
		return false
	}
	if r.minute, ok = r.digits(2, 2); !ok {
		return false
	}
	if r.take(":") {
		if r.second, ok = r.digits(2, 2); !ok || r.take(".") && !r.looseFraction() {
			return false
		}
	}
	return r.looseMark()
}

// looseFraction reads any number of digits and rounds them to ticks.
func (r *reader) looseFraction() bool {
	n, width := 0, 0
	for ; len(r.rest) > 0 && isDigit(r.rest[0]); width++ {
		digit := int(r.rest[0] - '0')
		switch {
		case width < maxFraction:
			n = 10*n + digit
		case width == maxFraction && digit >= 5:
			n++
		}
		r.rest = r.rest[1:]
	}
	for range maxFraction - width {
		n *= 10
	}
	r.ticks = n
	return width > 0
}

// looseMark reads AM or PM, if it is there, after which the hour is 1 to 12.
func (r *reader) looseMark() bool {
	after := r.rest
	r.skipWhite()
	switch {
	case r.takeFolded(am):
		r.mark = 0
	case r.takeFolded(pm):
		r.mark = 1
	default:
		r.rest = after
		return true
	}
	r.twelveHours = true
	return r.hour >= 1 && r.hour <= 12
}

// looseZone reads a zone, if there is one.
func (r *reader) looseZone() bool {
	r.skipWhite()
	if r.rest == "" {
		return true
	}
	if r.takeFolded("Z") {
		r.offset = maxOffset
		return true
	}
	whole := r.rest
	if r.zone(3) == nil {
		return true
	}
	r.rest = whole
	return r.zone(2) == nil
}
