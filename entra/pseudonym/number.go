package pseudonym

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number replaces the digits of a JSON number. It begins with a zero, and fits into
// 32 and 64 bits, as before; numbers with an exponent, which no directory writes,
// stay.
func (p *Pseudonymizer) number(s string) string {
	if strings.ContainsAny(s, "eE") {
		return s
	}
	sign, digits := "", s
	if strings.HasPrefix(s, "-") {
		sign, digits = "-", s[1:]
	}
	whole, fraction, isFraction := strings.Cut(digits, ".")
	out := sign + p.whole(whole, sign != "")
	if isFraction {
		out += "." + p.folded(fraction)
	}
	return out
}

// whole walks around numbers of another range than the one there was.
func (p *Pseudonymizer) whole(s string, negative bool) string {
	out := p.folded(s)
	for rangeOf(out, negative) != rangeOf(s, negative) {
		out = p.folded(out)
	}
	return out
}

// numberRange is what must not differ between a number and its pseudonym.
type numberRange struct{ zero, bits32, bits64 bool }

func rangeOf(digits string, negative bool) numberRange {
	limit32, limit64 := uint64(math.MaxInt32), uint64(math.MaxInt64)
	if negative {
		limit32, limit64 = limit32+1, limit64+1
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return numberRange{zero: len(digits) > 1 && digits[0] == '0', bits32: err == nil && n <= limit32, bits64: err == nil && n <= limit64}
}

// day moves an instant, as Graph writes it, to another day of the same year; ok is
// false when the text is none.
func (p *Pseudonymizer) day(s string) (moved string, ok bool) {
	const date = len("2006-01-02")
	if len(s) <= date || s[date] != 'T' {
		return "", false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1 {
		return "", false
	}
	first := time.Date(t.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	days := time.Date(t.Year(), time.December, 31, 0, 0, 0, 0, time.UTC).YearDay()
	n := p.folded(fmt.Sprintf("%03d", t.YearDay()-1))
	for threeDigits(n) >= days {
		n = p.folded(n)
	}
	return first.AddDate(0, 0, threeDigits(n)).Format(time.DateOnly) + s[date:], true
}

// threeDigits reads three digits.
func threeDigits(digits string) int {
	n, _ := strconv.Atoi(digits) // digits only
	return n
}
