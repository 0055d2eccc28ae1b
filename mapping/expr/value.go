package expr

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/datetime"
)

// maxText is the greatest length in bytes of a text that an evaluation may
// produce: nested replacements could otherwise grow without bound.
const maxText = 1 << 16

type kind uint8

const (
	null kind = iota
	text
	boolean
	number
	list
	date   // an instant, in UTC
	ignore // the marker that the target attribute is not to be written
)

// value is a value inside an expression. Other than a directory's it can be empty
// text, which most functions treat as no value but some tell from null.
type value struct {
	kind    kind
	num     int64 // of a date: ticks since the year 1
	text    string
	members []string
}

func textValue(s string) value { return value{kind: text, text: s} }

func intValue(n int64) value { return value{kind: number, num: n} }

func boolValue(b bool) value {
	v := value{kind: boolean}
	if b {
		v.num = 1
	}
	return v
}

// A date is counted in ticks of 100 ns since 0001-01-01, as .NET does: the years 1
// to 9999 fit into 64 bits, and no arithmetic rounds.
const (
	tick           = 100 * time.Nanosecond
	ticksPerSecond = int64(time.Second / tick)
)

// yearOne is the Unix time, in seconds, of 0001-01-01.
var yearOne = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

// dateValue returns an instant as a value; anything finer than a tick is cut. The
// year must be from 1 to 9999.
func dateValue(t time.Time) value {
	return value{kind: date, num: (t.Unix()-yearOne)*ticksPerSecond + int64(t.Nanosecond())/int64(tick)}
}

// instant returns the instant of a date, in UTC.
func (v value) instant() time.Time {
	return time.Unix(v.num/ticksPerSecond+yearOne, v.num%ticksPerSecond*int64(tick)).UTC()
}

func listValue(members []string) value { return value{kind: list, members: members} }

func fromDirectory(v directory.Value, first bool) value {
	switch v.Kind() {
	case directory.Text, directory.Ref:
		return textValue(v.Text())
	case directory.Bool:
		b, _ := v.Bool()
		return boolValue(b)
	case directory.Int:
		n, _ := v.Int()
		return intValue(n)
	case directory.List:
		members := v.List()
		if !first {
			return listValue(members)
		}
		if len(members) > 0 {
			return textValue(members[0])
		}
	}
	return value{}
}

// none reports whether the value is null. The marker that nothing is to be written
// counts as null wherever it is not the outcome of the whole expression.
func (v value) none() bool { return v.kind == null || v.kind == ignore }

// empty reports whether there is no value to use: null, empty text, a list
// without members.
func (v value) empty() bool {
	return v.none() || v.kind == text && v.text == "" || v.kind == list && len(v.members) == 0
}

// scalar returns the text form. Null gives "" and false; so does a list without
// members. A list of one member counts as that member; a longer one has no text
// form, which many reports.
func (v value) scalar() (s string, some, many bool) {
	switch v.kind {
	case text:
		return v.text, true, false
	case boolean:
		if v.num != 0 {
			return "True", true, false
		}
		return "False", true, false
	case number:
		return strconv.FormatInt(v.num, 10), true, false
	case date:
		return datetime.Text(v.instant()), true, false
	case list:
		if len(v.members) > 1 {
			return "", true, true
		}
		if len(v.members) == 1 {
			return v.members[0], true, false
		}
	}
	return "", false, false
}

// String returns the value as error texts show it.
func (v value) String() string {
	if v.kind == list {
		return strings.Join(v.members, ", ")
	}
	s, _, _ := v.scalar()
	return s
}

// integer returns the value as a whole number; numeric text counts.
func (v value) integer() (int64, bool) {
	if v.kind == number {
		return v.num, true
	}
	s, some, many := v.scalar()
	if !some || many || v.kind == boolean {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// truth returns what the value means as a condition, and whether it means
// anything: text other than True, False or a number does not.
func (v value) truth() (holds, ok bool) {
	switch v.kind {
	case null, ignore:
		return false, true
	case boolean, number:
		return v.num != 0, true
	}
	s, _, many := v.scalar()
	switch {
	case many:
		return false, false
	case s == "" || strings.EqualFold(s, "False"):
		return false, true
	case strings.EqualFold(s, "True"):
		return true, true
	}
	d, ok := parseDecimal(s)
	return ok && !d.zero(), ok
}

// decimal is a number of any length, taken apart so that two can be compared
// without rounding.
type decimal struct {
	negative        bool
	whole, fraction string // without leading, without trailing zeros
}

// parseDecimal reads digits with an optional sign and fraction, and nothing else.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	rest, negative := strings.CutPrefix(s, "-")
	whole, fraction, dot := strings.Cut(rest, ".")
	if !digits(whole) || dot && !digits(fraction) {
		return d, false
	}
	d = decimal{negative: negative, whole: strings.TrimLeft(whole, "0"), fraction: strings.TrimRight(fraction, "0")}
	if d.zero() {
		d.negative = false
	}
	return d, true
}

func digits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

func (d decimal) zero() bool { return d.whole == "" && d.fraction == "" }

func (d decimal) compare(o decimal) int {
	if d.negative != o.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	c := len(d.whole) - len(o.whole)
	if c == 0 {
		c = strings.Compare(d.whole, o.whole)
	}
	if c == 0 {
		c = strings.Compare(d.fraction, o.fraction)
	}
	if d.negative {
		c = -c
	}
	return c
}

// compare judges a comparison. Dates are compared as instants, numbers, and texts
// that are numbers, as such, everything else as text with case. A comparison with null is false,
// save that null equals null.
func compare(operator string, a, b value) (holds, many bool) {
	as, aSome, aMany := a.scalar()
	bs, bSome, bMany := b.scalar()
	switch {
	case a.kind == date && b.kind == date:
		return ordered(operator, cmp.Compare(a.num, b.num)), false
	case aMany || bMany:
		return false, true
	case !aSome || !bSome:
		return operator == "=" && !aSome && !bSome, false
	}
	c := 0
	if ad, ok := parseDecimal(as); !ok {
		c = strings.Compare(as, bs)
	} else if bd, ok := parseDecimal(bs); !ok {
		c = strings.Compare(as, bs)
	} else {
		c = ad.compare(bd)
	}
	return ordered(operator, c), false
}

// ordered reports whether an operator holds for two values that compare as c.
func ordered(operator string, c int) bool {
	switch operator {
	case "=":
		return c == 0
	case "<>":
		return c != 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	}
	return c <= 0
}
