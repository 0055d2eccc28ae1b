package datetime

import (
	"errors"
	"time"
)

var (
	errHourBeyond12 = errors.New("the hour is more than 12")
	errMarkOfHour   = errors.New("AM or PM contradicts the hour")
	errWeekday      = errors.New("the date lies on another weekday")
)

// instant puts the fields together that were read.
func (r *reader) instant(now time.Time) (time.Time, error) {
	r.fullYear()
	if err := r.fullHour(); err != nil {
		return time.Time{}, err
	}
	r.date(now.UTC())
	c := civil{year: r.year, month: r.month, day: r.day,
		hour: max(r.hour, 0), minute: max(r.minute, 0), second: max(r.second, 0), ticks: int64(max(r.ticks, 0))}
	local, err := c.instant()
	if err != nil {
		return time.Time{}, err
	}
	if r.weekday != unset && r.weekday != int(local.Weekday()) {
		return time.Time{}, errWeekday
	}
	if r.offset != unset {
		c.offset = r.offset - maxOffset
	}
	return c.instant()
}

// fullYear gives a year of two digits its century.
func (r *reader) fullYear() {
	if !r.yearOfTwoDigits {
		return
	}
	century := lastTwoDigitYear / 100
	if r.year > lastTwoDigitYear%100 {
		century--
	}
	r.year += 100 * century
}

// fullHour turns an hour of the 12-hour clock, AM where no mark says which half,
// into one of the 24-hour clock, and sees that a mark does not contradict one.
func (r *reader) fullHour() error {
	afternoon := r.mark == 1
	switch {
	case r.twelveHours && r.hour > 12:
		return errHourBeyond12
	case r.twelveHours && afternoon && r.hour < 12:
		r.hour += 12
	case r.twelveHours && !afternoon && r.hour == 12:
		r.hour = 0
	case r.twelveHours:
	case r.mark == 0 && r.hour >= 12, afternoon && r.hour < 12:
		return errMarkOfHour
	}
	return nil
}

// date fills what the text leaves out. Rows as in .NET:
//
//	year, month or both given: the rest is the first one
//	month or day without year: the year of now
//	none of the three:         the date of now, or 1 January of the year 1
func (r *reader) date(now time.Time) {
	if r.year == unset && r.month == unset && r.day == unset {
		r.year, r.month, r.day = now.Year(), int(now.Month()), now.Day()
		if r.styles&NoCurrentDateDefault != 0 {
			r.year, r.month, r.day = 1, 1, 1
		}
		return
	}
	if r.year == unset {
		r.year = now.Year()
	}
	if r.month == unset {
		r.month = 1
	}
	if r.day == unset {
		r.day = 1
	}
}
