package datetime

import (
	"strings"
	"time"
)

// The names of the invariant culture. Months and weekdays of the time package are
// the same English words.
const (
	am  = "AM"
	pm  = "PM"
	era = "A.D."
)

// abbreviated is the length of the short name of a month or weekday.
const abbreviated = 3

// Format returns an instant in this format. The offset of an instant is zero: K
// gives Z and zzz gives +00:00.
func (f *Format) Format(t time.Time) string {
	t = t.UTC()
	b := make([]byte, 0, 32)
	for i := range f.elements {
		b = f.elements[i].append(b, t)
	}
	return string(b)
}

func (e *element) append(b []byte, t time.Time) []byte {
	switch e.letter {
	case 'y':
		if e.count <= 2 {
			return digits(b, t.Year()%100, e.count)
		}
		return digits(b, t.Year(), e.count)
	case 'M':
		return named(b, int(t.Month()), t.Month().String(), e.count)
	case 'd':
		return named(b, t.Day(), t.Weekday().String(), e.count)
	case 'H':
		return digits(b, t.Hour(), min(e.count, 2))
	case 'h':
		return digits(b, (t.Hour()+11)%12+1, min(e.count, 2))
	case 'm':
		return digits(b, t.Minute(), min(e.count, 2))
	case 's':
		return digits(b, t.Second(), min(e.count, 2))
	case 'f', 'F':
		return fraction(b, e, t)
	case 't':
		mark := am
		if t.Hour() >= 12 {
			mark = pm
		}
		return append(b, mark[:min(e.count, 2)]...)
	case 'z':
		return append(b, [...]string{"+0", "+00", "+00:00"}[min(e.count, 3)-1]...)
	case 'K':
		return append(b, 'Z')
	case 'g':
		return append(b, era...)
	}
	return append(b, e.text...)
}

// named appends a number of one or two digits, or the name that stands for it.
func named(b []byte, number int, name string, count int) []byte {
	switch {
	case count < abbreviated:
		return digits(b, number, count)
	case count == abbreviated:
		return append(b, name[:abbreviated]...)
	}
	return append(b, name...)
}

// fraction appends the first digits of the fraction of a second. F leaves out
// zeros at the end, and then the point before it if no digit remains.
func fraction(b []byte, e *element, t time.Time) []byte {
	n := int(ticks(t))
	for range maxFraction - e.count {
		n /= 10
	}
	b = digits(b, n, e.count)
	if e.letter == 'f' {
		return b
	}
	start := len(b) - e.count
	b = append(b[:start], strings.TrimRight(string(b[start:]), "0")...)
	if len(b) == start && start > 0 && b[start-1] == '.' {
		b = b[:start-1]
	}
	return b
}

// digits appends a number that is not negative with at least width digits.
func digits(b []byte, n, width int) []byte {
	var reversed [20]byte
	i := len(reversed)
	for ; n > 0 || i == len(reversed); n /= 10 {
		i--
		reversed[i] = byte('0' + n%10)
	}
	for range width - (len(reversed) - i) {
		b = append(b, '0')
	}
	return append(b, reversed[i:]...)
}
