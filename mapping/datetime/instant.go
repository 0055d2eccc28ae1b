package datetime

import (
	"errors"
	"time"
)

// The bounds of the calendar in seconds since 1970: the first second of the year
// 1 and the last one of the year 9999.
const (
	firstSecond = -62_135_596_800
	lastSecond  = 253_402_300_799
)

// tick is the unit of .NET's DateTime.
const (
	tick           = 100 * time.Nanosecond
	ticksPerSecond = int64(time.Second / tick)
)

// ErrRange says that a date lies outside the years that can be written.
var ErrRange = errors.New("the date lies outside the years 1 to 9999")

// errCalendar says that a time of day or a day does not exist.
var errCalendar = errors.New("there is no such day or time of day")

// Instant returns t in UTC without what is finer than 100 ns. The error is
// [ErrRange].
func Instant(t time.Time) (time.Time, error) {
	return instant(t.Unix(), int64(t.Nanosecond())/int64(tick))
}

// instant puts an instant together from seconds since 1970 and the ticks within
// the second, of which there may be a whole second.
func instant(seconds, ticks int64) (time.Time, error) {
	if ticks >= ticksPerSecond {
		seconds, ticks = seconds+1, ticks-ticksPerSecond
	}
	if seconds < firstSecond || seconds > lastSecond {
		return time.Time{}, ErrRange
	}
	return time.Unix(seconds, ticks*int64(tick)).UTC(), nil
}

// ticks returns the units of 100 ns within the second.
func ticks(t time.Time) int64 { return int64(t.Nanosecond()) / int64(tick) }

// civil is a date and a time of day as they are read, with the zone they are in.
type civil struct {
	year, month, day     int
	hour, minute, second int
	ticks                int64 // within the second; a whole one when rounded up
	offset               int   // east of UTC, in minutes
}

// instant returns what the fields stand for. The error is [ErrRange], or one that
// says that the calendar has no such date.
func (c civil) instant() (time.Time, error) {
	switch {
	case c.year < 1 || c.year > 9999:
		return time.Time{}, ErrRange
	case c.month < 1 || c.month > 12 || c.day < 1 || c.day > daysIn(c.year, c.month),
		c.hour < 0 || c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59:
		return time.Time{}, errCalendar
	}
	local := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC)
	return instant(local.Unix()-int64(c.offset)*60, c.ticks)
}

// daysIn returns the number of days of a month.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
