package datetime_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"tenantsync/mapping/datetime"
)

func interval(t testing.TB, s string) datetime.Interval {
	t.Helper()
	i, err := datetime.ParseInterval(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestAdd(t *testing.T) {
	tests := []struct {
		interval string
		n        int64
		from     string
		want     string // "": out of range
	}{
		{"yyyy", 2, "2012-03-16T07:00:00Z", "2014-03-16T07:00:00Z"},
		{"yyyy", 1, "2020-02-29T01:02:03.5Z", "2021-02-28T01:02:03.5Z"},
		{"yyyy", 4, "2020-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"yyyy", -1, "2020-02-29T00:00:00Z", "2019-02-28T00:00:00Z"},
		{"YYYY", 0, "2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z"},
		{"m", 1, "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		{"m", 1, "2024-01-31T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"m", -1, "2026-03-31T00:00:00Z", "2026-02-28T00:00:00Z"},
		{"m", 11, "2026-03-31T00:00:00Z", "2027-02-28T00:00:00Z"},
		{"m", -3, "2026-01-15T00:00:00Z", "2025-10-15T00:00:00Z"},
		{"m", 3, "2026-10-31T00:00:00Z", "2027-01-31T00:00:00Z"},
		{"ww", 2, "2012-03-16T07:00:00Z", "2012-03-30T07:00:00Z"},
		{"d", -10, "2012-03-16T07:00:00Z", "2012-03-06T07:00:00Z"},
		{"d", 1, "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z"},
		{"h", 25, "2026-12-31T00:00:00Z", "2027-01-01T01:00:00Z"},
		{"n", 90, "2021-03-01T23:00:00Z", "2021-03-02T00:30:00Z"},
		{"s", -1, "2021-03-01T00:00:00.1234567Z", "2021-02-28T23:59:59.1234567Z"},
		{"d", 3652058, "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"},
		{"s", 315537897599, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"},
		{"m", 12*9999 - 13, "0001-01-01T00:00:00Z", "9998-12-01T00:00:00Z"},
		{"m", -1, "0001-01-31T00:00:00Z", ""},
		{"yyyy", -1, "0001-01-31T00:00:00Z", ""},
		{"yyyy", 1, "9999-01-31T00:00:00Z", ""},
		{"d", 3652059, "0001-01-01T00:00:00Z", ""},
		{"s", 1, "9999-12-31T23:59:59Z", ""},
		{"s", -1, "0001-01-01T00:00:00Z", ""},
		{"yyyy", math.MaxInt64, "2026-01-01T00:00:00Z", ""},
		{"yyyy", math.MinInt64, "2026-01-01T00:00:00Z", ""},
		{"m", math.MaxInt64, "2026-01-01T00:00:00Z", ""},
		{"m", math.MinInt64, "2026-01-01T00:00:00Z", ""},
		{"ww", math.MaxInt64, "2026-01-01T00:00:00Z", ""},
		{"s", math.MinInt64, "2026-01-01T00:00:00Z", ""},
	}
	for _, tt := range tests {
		got, err := datetime.Add(interval(t, tt.interval), tt.n, at(t, tt.from))
		switch {
		case tt.want == "":
			if !errors.Is(err, datetime.ErrRange) {
				t.Errorf("%d %s after %s: %v, error %v, want %v", tt.n, tt.interval, tt.from, got, err, datetime.ErrRange)
			}
		case err != nil || !got.Equal(at(t, tt.want)):
			t.Errorf("%d %s after %s: %v (error %v), want %s", tt.n, tt.interval, tt.from, got.Format(time.RFC3339Nano), err, tt.want)
		}
	}
}

func TestDiff(t *testing.T) {
	tests := []struct {
		interval, a, b string
		want           int64
	}{
		{"d", "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -3449},
		{"ww", "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -493},
		{"m", "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -113},
		{"yyyy", "2021-08-25T17:41:18Z", "2012-03-16T07:00:00Z", -9},
		{"yyyy", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", 1},
		{"m", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", 1},
		{"m", "2026-01-31T00:00:00Z", "2026-01-01T00:00:00Z", 0},
		{"ww", "2026-03-07T23:00:00Z", "2026-03-08T01:00:00Z", 1},
		{"ww", "2026-03-08T01:00:00Z", "2026-03-07T23:00:00Z", -1},
		{"ww", "2026-03-01T00:00:00Z", "2026-03-07T23:59:59Z", 0},
		{"ww", "2026-03-01T23:00:00Z", "2026-03-15T01:00:00Z", 2},
		{"d", "2026-03-01T12:00:00Z", "2026-03-02T11:59:59.9999999Z", 0},
		{"d", "2026-03-02T11:59:59.9999999Z", "2026-03-01T12:00:00Z", 0},
		{"d", "2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", 1},
		{"h", "2021-08-24T00:00:00Z", "2021-08-25T00:00:00Z", 24},
		{"n", "2021-08-24T00:00:00Z", "2021-08-25T00:00:00Z", 1440},
		{"s", "2021-08-24T00:00:00Z", "2021-08-25T00:00:00Z", 86400},
		{"s", "2021-08-24T00:00:00.9Z", "2021-08-24T00:00:02.8Z", 1},
		{"s", "2021-08-24T00:00:02.8Z", "2021-08-24T00:00:00.9Z", -1},
		{"s", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", 315537897599},
		{"d", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", -3652058},
		{"ww", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 521722},
		{"yyyy", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", 9998},
	}
	for _, tt := range tests {
		if got := datetime.Diff(interval(t, tt.interval), at(t, tt.a), at(t, tt.b)); got != tt.want {
			t.Errorf("%s from %s to %s: %d, want %d", tt.interval, tt.a, tt.b, got, tt.want)
		}
	}
}

func TestIntervals(t *testing.T) {
	for i := datetime.Year; i <= datetime.Second; i++ {
		if got := interval(t, i.String()); got != i {
			t.Errorf("%s is read as %s", i, got)
		}
	}
	_, err := datetime.ParseInterval("w")
	const want = `there is no such interval: write yyyy (year), m (month), ww (week), d (day), h (hour), n (minute) or s (second)`
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestFileTime(t *testing.T) {
	tests := []struct {
		n       int64
		instant string
	}{
		{129699324000000000, "2012-01-01T23:00:00Z"},
		{134117171990000000, "2025-12-31T23:59:59-05:00"},
		{0, "1601-01-01T00:00:00Z"},
		{1, "1601-01-01T00:00:00.0000001Z"},
		{116444736000000000, "1970-01-01T00:00:00Z"},
		{116444735999999999, "1969-12-31T23:59:59.9999999Z"},
		{2650467743999999999, "9999-12-31T23:59:59.9999999Z"},
	}
	for _, tt := range tests {
		if got, err := datetime.FromFileTime(tt.n); err != nil || !got.Equal(at(t, tt.instant)) {
			t.Errorf("%d: %v (error %v), want %s", tt.n, got, err, tt.instant)
		}
		if got, err := datetime.FileTime(at(t, tt.instant)); err != nil || got != tt.n {
			t.Errorf("%s: %d (error %v), want %d", tt.instant, got, err, tt.n)
		}
	}
	for n, want := range map[int64]string{
		-1:                  "a file time is not negative",
		2650467744000000000: "the date lies outside the years 1 to 9999",
		math.MaxInt64:       "9223372036854775807 stands for never and is no date",
	} {
		if got, err := datetime.FromFileTime(n); err == nil || err.Error() != want {
			t.Errorf("%d: %v, error %v, want %s", n, got, err, want)
		}
	}
	const before = "the date lies before 1601, where file times begin"
	if got, err := datetime.FileTime(at(t, "1600-12-31T23:59:59.9999999Z")); err == nil || err.Error() != before {
		t.Errorf("the end of 1600: %d, error %v, want %s", got, err, before)
	}
}

func TestInstant(t *testing.T) {
	got, err := datetime.Instant(at(t, "2026-03-01T08:00:00.123456789+01:00"))
	if want := "2026-03-01T07:00:00.1234567Z"; err != nil || got.Format(time.RFC3339Nano) != want {
		t.Errorf("%s (error %v), want %s", got.Format(time.RFC3339Nano), err, want)
	}
	for _, year := range []int{0, 10_000} {
		if got, err := datetime.Instant(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, datetime.ErrRange) {
			t.Errorf("year %d: %v, error %v, want %v", year, got, err, datetime.ErrRange)
		}
	}
}
