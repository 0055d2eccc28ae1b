package config

import (
	"errors"
	"time"
)

// Moment is a point in time as the file writes it: a day, such as 2027-03-01, which
// stands for its beginning in UTC, or a time of RFC 3339. Its zero value was not
// written.
type Moment struct{ at time.Time }

// errMoment says how a moment is written.
var errMoment = errors.New("must be a day such as 2027-03-01, or a time such as 2027-03-01T09:30:00Z")

// ParseMoment reads a moment. Of a day its beginning counts, since nobody knows
// the hour: who is told of an end is rather told too early.
func ParseMoment(text string) (Moment, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil && !at.IsZero() {
			return Moment{at.UTC()}, nil
		}
	}
	return Moment{}, errMoment
}

// Time returns the moment in UTC; written is false when the file says nothing.
func (m Moment) Time() (at time.Time, written bool) { return m.at, !m.at.IsZero() }

// String returns the moment as the file would write it.
func (m Moment) String() string {
	switch {
	case m.at.IsZero():
		return ""
	case m.at.Equal(m.at.Truncate(24 * time.Hour)):
		return m.at.Format(time.DateOnly)
	}
	return m.at.Format(time.RFC3339)
}
