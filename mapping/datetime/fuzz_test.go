package datetime

import (
	"testing"
	"time"
	"unicode/utf8"
)

// lossless reports whether the format writes everything of an instant, each part
// in its one way, so that reading it must give the same instant.
func (f *Format) lossless() bool {
	has := map[byte]bool{}
	for _, e := range f.elements {
		switch e.letter {
		case 'y':
			if e.count < 4 {
				return false // yyy writes four digits and reads three
			}
		case 'M', 'd', 'H', 'h', 'm', 's', 't', 'z':
			if e.count < 2 {
				return false
			}
		case 'F':
			return false
		}
		// ddd is no day of the month, and ff no whole fraction.
		if e.letter == 'd' && e.count > 2 || e.letter == 'f' && e.count < maxFraction {
			continue
		}
		has[e.letter] = true
	}
	for _, letter := range []byte("yMdmsf") {
		if !has[letter] {
			return false
		}
	}
	return has['H'] && !has['h'] || has['h'] && has['t'] && !has['H']
}

// consistent reports whether parts that are written twice are written alike:
// fractions of different length are not.
func (f *Format) consistent() bool {
	count := 0
	for _, e := range f.elements {
		if e.letter == 'f' {
			if count != 0 && count != e.count {
				return false
			}
			count = e.count
		}
	}
	return true
}

func within(t *testing.T, what string, got time.Time) {
	t.Helper()
	if got.Year() < 1 || got.Year() > 9999 || got.Location() != time.UTC || got.Nanosecond()%100 != 0 {
		t.Fatalf("%s gives %v, which is no instant", what, got)
	}
}

// FuzzDateFormat holds that no format, list of styles or text makes the package
// panic or gives a date outside the years 1 to 9999, that mistakes lie inside
// their text, that a format which loses nothing reads back what it writes, and
// that the text form of what the loose forms give is read alike by both readers.
func FuzzDateFormat(f *testing.F) {
	for _, format := range []string{"d", "D", "o", "R", "u", "y", "%h", "yyyyMMddHHmmss.fZ", "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd'T'HH:mm:ss.fffffffK",
		`dddd \d\a\y dd MMMM yyyyy hh:mm:ss.fffffff tt zzz`, `"a\"b" ss.FFF`, "yyyy'", `\`, "%%", "HH ", "g yy", " ' 'dd"} {
		f.Add(format, "2026-03-01T08:04:05.1234567Z", "AllowWhiteSpaces, NoCurrentDateDefault", int64(639_000_000_000_000_000))
	}
	f.Add("M/d/yyyy h:mm:ss tt", "8/15/2025 12:00:00 AM", "None", int64(0))
	f.Fuzz(func(t *testing.T, format, text, styleNames string, n int64) {
		now, err := instant(firstSecond+(n&(1<<62-1))%((lastSecond-firstSecond+1)*ticksPerSecond)/ticksPerSecond, (n&(1<<62-1))%ticksPerSecond)
		if err != nil {
			t.Fatal(err)
		}
		if loose, err := Parse(text); err == nil {
			within(t, text, loose)
			same, err := Parse(Text(loose))
			exact, errExact := textForm.Parse(Text(loose), None, time.Time{})
			if want := loose.Truncate(time.Second); err != nil || errExact != nil || !same.Equal(want) || !exact.Equal(want) {
				t.Fatalf("%q is %v; its text form %s gives %v (%v) and %v (%v)", text, loose, Text(loose), same, err, exact, errExact)
			}
		}
		styles, err := ParseStyles(styleNames)
		if err != nil {
			if at := err.(*SyntaxError).Offset; at < 0 || at > len(styleNames) {
				t.Fatalf("the mistake lies at %d in %d bytes of styles", at, len(styleNames))
			}
			styles = DefaultStyles
		}
		compiled, err := Compile(format)
		if err != nil {
			if at := err.(*SyntaxError).Offset; at < 0 || at > len(format) {
				t.Fatalf("the mistake lies at %d in a format of %d bytes", at, len(format))
			}
			return
		}
		if parsed, err := compiled.Parse(text, styles, now); err == nil {
			within(t, format+" of "+text, parsed)
		}
		written := compiled.Format(now)
		if utf8.ValidString(format) && !utf8.ValidString(written) {
			t.Fatalf("%q writes invalid text %q", format, written)
		}
		if !compiled.lossless() || !compiled.consistent() {
			return
		}
		back, err := compiled.Parse(written, None, time.Time{})
		if err != nil || !back.Equal(now) {
			t.Fatalf("%q writes %v as %q and reads it as %v (%v)", format, now, written, back, err)
		}
	})
}
