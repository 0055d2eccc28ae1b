package datetime_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tenantsync/mapping/datetime"
)

// instants of the years 1 to 9999, in ticks.
var instants = rapid.Custom(func(t *rapid.T) time.Time {
	seconds := rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, "seconds")
	return time.Unix(seconds, rapid.Int64Range(0, 9_999_999).Draw(t, "ticks")*100).UTC()
})

func TestDiffUndoesAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := datetime.Interval(rapid.Uint8Range(0, uint8(datetime.Second)).Draw(t, "interval"))
		n := rapid.Int64Range(-100_000, 100_000).Draw(t, "n")
		from := instants.Draw(t, "from")
		to, err := datetime.Add(i, n, from)
		if err != nil {
			return // out of range, which TestAdd looks at
		}
		if got := datetime.Diff(i, from, to); got != n {
			t.Fatalf("%d %s after %v is %v, which is %d %s away", n, i, from, to, got, i)
		}
		if got := datetime.Diff(i, to, from); got != -n {
			t.Fatalf("%d %s after %v is %v, from which it is %d back", n, i, from, to, got)
		}
	})
}

func TestFileTimesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 2_650_467_743_999_999_999).Draw(t, "n")
		instant, err := datetime.FromFileTime(n)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := datetime.FileTime(instant); err != nil || got != n {
			t.Fatalf("%d is %v, which is %d (error %v)", n, instant, got, err)
		}
	})
}

func TestStandardFormatsReadWhatTheyWrite(t *testing.T) {
	units := map[string]time.Duration{"d": 24 * time.Hour, "D": 24 * time.Hour, "f": time.Minute, "F": time.Second, "g": time.Minute, "G": time.Second,
		"o": 1, "O": 1, "r": time.Second, "R": time.Second, "s": time.Second, "u": time.Second, "U": time.Second}
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom([]string{"d", "D", "f", "F", "g", "G", "o", "O", "r", "R", "s", "u", "U"}).Draw(t, "format")
		f, err := datetime.Compile(format)
		if err != nil {
			t.Fatal(err)
		}
		instant := instants.Draw(t, "instant")
		got, err := f.Parse(f.Format(instant), datetime.None, time.Time{})
		if want := instant.Truncate(units[format]); err != nil || !got.Equal(want) {
			t.Fatalf("%s writes %v as %q and reads %v (error %v), want %v", format, instant, f.Format(instant), got, err, want)
		}
	})
}
