package datetime

import (
	"errors"
	"strings"
	"time"
)

// Interval is a unit of calendar arithmetic.
type Interval uint8

// The intervals, with the names they have in expressions.
const (
	Year   Interval = iota // yyyy
	Month                  // m
	Week                   // ww
	Day                    // d
	Hour                   // h
	Minute                 // n
	Second                 // s
)

var intervalNames = [...]string{"yyyy", "m", "ww", "d", "h", "n", "s"}

var errInterval = errors.New("there is no such interval: write yyyy (year), m (month), ww (week), d (day), h (hour), n (minute) or s (second)")

// String returns the name of the interval in expressions.
func (i Interval) String() string { return intervalNames[i] }

// ParseInterval reads the name of an interval, in any case. The error does not
// repeat the text.
func ParseInterval(s string) (Interval, error) {
	for i, name := range intervalNames {
		if strings.EqualFold(name, s) {
			return Interval(i), nil
		}
	}
	return 0, errInterval
}

// seconds returns the length of an interval that has one.
func (i Interval) seconds() int64 {
	return [...]int64{Week: 7 * 24 * 3600, Day: 24 * 3600, Hour: 3600, Minute: 60, Second: 1}[i]
}

// Add returns the instant n intervals after t, before it if n is negative. A year
// or month later is the same day, or the last day of a month that has fewer, as
// in .NET: a year after 29 February is 28 February. The error is [ErrRange].
func Add(i Interval, n int64, t time.Time) (time.Time, error) {
	switch i {
	case Year:
		if n < -9999 || n > 9999 {
			return time.Time{}, ErrRange
		}
		return addMonths(t, 12*n)
	case Month:
		return addMonths(t, n)
	}
	unit := i.seconds()
	if most := (int64(lastSecond) - firstSecond) / unit; n < -most || n > most {
		return time.Time{}, ErrRange
	}
	return instant(t.Unix()+n*unit, ticks(t))
}

func addMonths(t time.Time, n int64) (time.Time, error) {
	if n < -12*9999 || n > 12*9999 {
		return time.Time{}, ErrRange
	}
	t = t.UTC()
	months := int64(12*t.Year()) + int64(t.Month()) - 1 + n
	if months < 12 {
		return time.Time{}, ErrRange
	}
	year, month := int(months/12), int(months%12)+1
	if year > 9999 {
		return time.Time{}, ErrRange
	}
	return civil{year: year, month: month, day: min(t.Day(), daysIn(year, month)),
		hour: t.Hour(), minute: t.Minute(), second: t.Second(), ticks: ticks(t)}.instant()
}

// Diff returns how many intervals b lies after a, a negative number if before.
// Years, months and weeks, which begin on Sunday, are counted by the calendar:
// from 31 December to 1 January is one year. The others are the elapsed time
// without its fraction.
func Diff(i Interval, a, b time.Time) int64 {
	a, b = a.UTC(), b.UTC()
	switch i {
	case Year:
		return int64(b.Year() - a.Year())
	case Month:
		return int64(12*(b.Year()-a.Year()) + int(b.Month()) - int(a.Month()))
	case Week:
		return (sunday(b) - sunday(a)) / Week.seconds()
	}
	// A time.Duration ends after 292 years; ticks reach from the year 1 to 9999.
	elapsed := (b.Unix()-a.Unix())*ticksPerSecond + ticks(b) - ticks(a)
	return elapsed / (i.seconds() * ticksPerSecond)
}

// sunday returns the second in which the week of t begins.
func sunday(t time.Time) int64 {
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return midnight.Unix() - int64(t.Weekday())*Day.seconds()
}
