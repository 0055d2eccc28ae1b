package scope

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// moment is a date a clause compares with: a day, an instant, or a distance from
// the moment of the verdict.
type moment struct {
	at       time.Time
	day      bool          // the whole day that begins at at, in UTC
	relative bool          // now plus distance
	distance time.Duration // of a relative moment
	text     string        // as it was written
}

var errNoMoment = errors.New("no date")

// parseMoment reads 2026-03-01, 2026-03-01T08:00:00Z (or with an offset), now,
// now-30d, now+2w and now-12h.
func parseMoment(text string) (moment, error) {
	word := strings.TrimSpace(text)
	if rest, ok := cutNow(word); ok {
		distance, err := parseDistance(rest)
		return moment{relative: true, distance: distance, text: word}, err
	}
	at, day, ok := parseDate(word)
	if !ok {
		return moment{}, errNoMoment
	}
	return moment{at: at, day: day, text: word}, nil
}

func cutNow(word string) (rest string, ok bool) {
	if len(word) < 3 || !strings.EqualFold(word[:3], "now") {
		return "", false
	}
	return strings.ReplaceAll(word[3:], " ", ""), true
}

// maxDays bounds a distance: two centuries, which no duration overflows.
const maxDays = 73_000

// parseDistance reads +14d, -12h, +2w; nothing is no distance.
func parseDistance(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	units := map[byte]time.Duration{'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit := units[s[len(s)-1]|0x20]
	if s[0] != '+' && s[0] != '-' || unit == 0 || len(s) < 3 || s[1] == '+' || s[1] == '-' {
		return 0, errNoMoment
	}
	n, err := strconv.ParseInt(s[1:len(s)-1], 10, 32)
	if err != nil || n > int64(maxDays*24*time.Hour/unit) {
		return 0, errNoMoment
	}
	if s[0] == '-' {
		n = -n
	}
	return time.Duration(n) * unit, nil
}

// parseDate reads a date, or an instant, in ISO 8601 as Graph writes it. A date
// without a time is the midnight in UTC that begins it.
func parseDate(s string) (at time.Time, day, ok bool) {
	if len(s) == len(time.DateOnly) {
		at, err := time.Parse(time.DateOnly, s)
		return at, true, err == nil
	}
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' {
		return at, false, false // what is plainly no date is not worth an error
	}
	at, err := time.Parse(time.RFC3339, s)
	return at, false, err == nil
}

// resolve returns what the moment is at a given time: the instant, and the end of
// the day where a whole day is meant, else the same instant.
func (m *moment) resolve(now time.Time) (from, until time.Time) {
	switch {
	case m.relative:
		from = now.Add(m.distance)
		return from, from
	case m.day:
		return m.at, m.at.AddDate(0, 0, 1)
	}
	return m.at, m.at
}

// compareMoment judges the text of a date. Text that is no date is neither equal
// nor unequal, neither greater nor less.
func (c *clause) compareMoment(s string, now time.Time) bool {
	v, _, ok := parseDate(strings.TrimSpace(s))
	if !ok {
		return false
	}
	for i := range c.moments {
		m := &c.moments[i]
		from, until := m.resolve(now)
		within := v.Equal(from) || m.day && v.After(from) && v.Before(until)
		var hit bool
		switch c.operator {
		case GreaterThan:
			hit = v.After(from) && !within
		case GreaterThanOrEquals:
			hit = !v.Before(from)
		case LessThan:
			hit = v.Before(from)
		case LessThanOrEquals:
			hit = v.Before(from) || within
		default:
			hit = within
		}
		if hit {
			return c.operator != NotEquals
		}
	}
	return c.operator == NotEquals
}

// resolved says what the relative dates of a clause are at a given time:
// "now-30d is 2026-01-30T08:00:00Z"; "" when there is none.
func (c *clause) resolved(now time.Time) string {
	var parts []string
	for i := range c.moments {
		if m := &c.moments[i]; m.relative {
			from, _ := m.resolve(now)
			parts = append(parts, m.text+" is "+from.UTC().Format(time.RFC3339))
		}
	}
	return strings.Join(parts, ", ")
}
