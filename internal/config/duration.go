package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as the file writes it: 0, 90s, 40m, 12h, 30d, or
// several such parts together. A day is 24 hours.
type Duration time.Duration

// errDuration says how a duration is written.
var errDuration = errors.New("must be a duration such as 90s, 40m, 12h or 30d")

// ParseDuration reads a duration: whole numbers with the units w, d, h, m, s or
// ms, largest unit first, or a plain 0. It is never negative.
func ParseDuration(text string) (Duration, error) {
	if text == "0" {
		return 0, nil
	}
	units := []struct {
		name string
		span time.Duration
	}{
		{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour},
		{"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
	}
	var total time.Duration
	rest, next := text, 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return 0, errDuration
		}
		rest = rest[digits:]
		unit := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))]
		for next < len(units) && units[next].name != unit {
			next++
		}
		if next == len(units) || n > int64((math.MaxInt64-total)/units[next].span) {
			return 0, errDuration
		}
		total += time.Duration(n) * units[next].span
		rest, next = rest[len(unit):], next+1
	}
	if text == "" {
		return 0, errDuration
	}
	return Duration(total), nil
}

// String returns the duration as the file would write it.
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	var b strings.Builder
	rest := time.Duration(d)
	for _, u := range []struct {
		name string
		span time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := rest / u.span; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteString(u.name)
			rest -= n * u.span
		}
	}
	return b.String()
}

// Std returns the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }
