package datetime

import (
	"errors"
	"math"
	"time"
)

// fileEpoch is the beginning of 1601 in seconds since 1970: where Windows, and
// so Active Directory, begins to count.
const fileEpoch = -11_644_473_600

// lastFileTime is the last unit of 100 ns of the year 9999.
const lastFileTime = (lastSecond-fileEpoch)*ticksPerSecond + ticksPerSecond - 1

var (
	errBeforeFileTime = errors.New("the date lies before 1601, where file times begin")
	errNegative       = errors.New("a file time is not negative")
	errNever          = errors.New("9223372036854775807 stands for never and is no date")
)

// FromFileTime returns the instant n units of 100 ns after the beginning of 1601
// in UTC. The greatest 64-bit number, which Active Directory writes for never, is
// an error like any other that lies after the year 9999 or before 1601.
func FromFileTime(n int64) (time.Time, error) {
	switch {
	case n < 0:
		return time.Time{}, errNegative
	case n == math.MaxInt64:
		return time.Time{}, errNever
	case n > lastFileTime:
		return time.Time{}, ErrRange
	}
	return instant(fileEpoch+n/ticksPerSecond, n%ticksPerSecond)
}

// FileTime returns how many units of 100 ns after the beginning of 1601 t lies;
// an earlier t is an error.
func FileTime(t time.Time) (int64, error) {
	t, err := Instant(t)
	if err != nil {
		return 0, err
	}
	if t.Unix() < fileEpoch {
		return 0, errBeforeFileTime
	}
	return (t.Unix()-fileEpoch)*ticksPerSecond + ticks(t), nil
}
