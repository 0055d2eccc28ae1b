package datetime_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tenantsync/mapping/datetime"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	x, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func compile(t testing.TB, format string) *datetime.Format {
	t.Helper()
	f, err := datetime.Compile(format)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return f
}

func TestFormat(t *testing.T) {
	const (
		afternoon = "2009-06-15T13:45:30.6170001Z" // a Monday
		morning   = "2026-03-01T08:04:05Z"         // a Sunday
		midnight  = "2021-08-24T00:00:00Z"
		noon      = "2024-02-29T12:05:09.05Z"
		early     = "0007-01-02T03:04:05.0000009Z"
	)
	tests := []struct{ format, instant, want string }{
		{"d", afternoon, "06/15/2009"},
		{"D", afternoon, "Monday, 15 June 2009"},
		{"f", afternoon, "Monday, 15 June 2009 13:45"},
		{"F", afternoon, "Monday, 15 June 2009 13:45:30"},
		{"g", afternoon, "06/15/2009 13:45"},
		{"G", afternoon, "06/15/2009 13:45:30"},
		{"m", afternoon, "June 15"},
		{"M", morning, "March 01"},
		{"o", afternoon, "2009-06-15T13:45:30.6170001Z"},
		{"O", morning, "2026-03-01T08:04:05.0000000Z"},
		{"r", afternoon, "Mon, 15 Jun 2009 13:45:30 GMT"},
		{"R", morning, "Sun, 01 Mar 2026 08:04:05 GMT"},
		{"s", afternoon, "2009-06-15T13:45:30"},
		{"t", afternoon, "13:45"},
		{"T", morning, "08:04:05"},
		{"u", afternoon, "2009-06-15 13:45:30Z"},
		{"U", afternoon, "Monday, 15 June 2009 13:45:30"},
		{"y", afternoon, "2009 June"},
		{"Y", morning, "2026 March"},
		{"%d", morning, "1"},
		{"%M", morning, "3"},
		{"%y", early, "7"},
		{"%h", midnight, "12"},
		{"%H", midnight, "0"},
		{"%m", morning, "4"},
		{"%s", morning, "5"},
		{"%t", midnight, "A"},
		{"%f", afternoon, "6"},
		{"%F", noon, ""},
		{"%z", morning, "+0"},
		{"%K", morning, "Z"},
		{"%dd", morning, "11"},
		{"%-", morning, "-"},
		{"d M y", morning, "1 3 26"},
		{"dd MM yy", morning, "01 03 26"},
		{"ddd MMM yyy", morning, "Sun Mar 2026"},
		{"dddd MMMM yyyy", morning, "Sunday March 2026"},
		{"ddddd MMMMM yyyyy", morning, "Sunday March 02026"},
		{"y yy yyy yyyy yyyyyy", early, "7 07 007 0007 000007"},
		{"H HH HHH", morning, "8 08 08"},
		{"h hh hhh", afternoon, "1 01 01"},
		{"h hh", noon, "12 12"},
		{"m mm mmm", morning, "4 04 04"},
		{"s ss sss", morning, "5 05 05"},
		{"t tt ttt", afternoon, "P PM PM"},
		{"t tt", noon, "P PM"},
		{"h:mm:ss tt", midnight, "12:00:00 AM"},
		{"f ff fff ffff", afternoon, "6 61 617 6170"},
		{"fffff ffffff fffffff", afternoon, "61700 617000 6170001"},
		{"F FF FFF FFFF FFFFF FFFFFF FFFFFFF", afternoon, "6 61 617 617 617 617 6170001"},
		{"ss.FFF", noon, "09.05"},
		{"ss.FFF", morning, "05"},
		{"ss.fff", morning, "05.000"},
		{"ss.FF-", morning, "05-"},
		{"ss,FF", morning, "05,"},
		{"ss'.'F", morning, "05"},
		{"z zz zzz zzzz", morning, "+0 +00 +00:00 +00:00"},
		{"yyyy-MM-ddTHH:mm:ssK", morning, "2026-03-01T08:04:05Z"},
		{"yyyy g", morning, "2026 A.D."},
		{"yyyyMMddHHmmss.0Z", morning, "20260301080405.0Z"},
		{"yyyyMMddHHmmss.fZ", afternoon, "20090615134530.6Z"},
		{"yyyy/MM/dd HH:mm", morning, "2026/03/01 08:04"},
		{"'day' d", morning, "day 1"},
		{`"day" d`, morning, "day 1"},
		{`'it''s' d`, morning, "its 1"},
		{`'a\'b' d`, morning, "a'b 1"},
		{`'"' d "'"`, morning, `" 1 '`},
		{`\d\a\y d`, morning, "day 1"},
		{`\\d`, morning, `\1`},
		{"'' d", morning, " 1"},
		{"kl. H.mm", morning, "kl. 8.04"},
		{"Århus d", morning, "År8u5 1"},
		{"d'—'M", morning, "1—3"},
		{"[d]", morning, "[1]"},
		{"M/d/yyyy h:mm:ss tt", noon, "2/29/2024 12:05:09 PM"},
	}
	for _, tt := range tests {
		t.Run(tt.format+" of "+tt.instant, func(t *testing.T) {
			if got := compile(t, tt.format).Format(at(t, tt.instant)); got != tt.want {
				t.Errorf("%q of %s: %q, want %q", tt.format, tt.instant, got, tt.want)
			}
		})
	}
}

func TestFormatIsInUTC(t *testing.T) {
	if got, want := compile(t, "s").Format(at(t, "2026-03-01T00:30:00+01:00")), "2026-02-28T23:30:00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		name, format string
		offset       int
		message      string
	}{
		{"empty", "", 0, "the date format is empty"},
		{"letter of no standard format", "x", 0, `"x" alone is no standard date format`},
		{"letter of a custom format", "H", 0, `"H" alone is no standard date format: write %H for that part of a date`},
		{"sign alone", "-", 0, `"-" alone is no standard date format`},
		{"quotation without end", "yyyy 'week", 5, "the quotation that begins with ' does not end"},
		{"quotation ended by another quote", `yyyy "w'`, 5, `the quotation that begins with " does not end`},
		{"backslash at the end", `yyyy\`, 4, `nothing follows the last \ of the format`},
		{"backslash at the end of a quotation", `yyyy'ab\`, 7, `nothing follows the last \ of the format`},
		{"percent at the end", "yyyy%", 4, "a letter must follow %"},
		{"two percents", "yy%%d", 2, "a letter must follow %"},
		{"percent before a quote", "%'d'", 0, "a letter must follow %"},
		{"fraction too long", "ss.ffffffff", 3, "ffffffff: a fraction has at most 7 digits"},
		{"optional fraction too long", "ss.FFFFFFFF", 3, "FFFFFFFF: a fraction has at most 7 digits"},
		{"too long", strings.Repeat("y", datetime.MaxLength+1), datetime.MaxLength, "a date format has at most 10000 characters"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := datetime.Compile(tt.format)
			var syntax *datetime.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset != tt.offset || err.Error() != tt.message {
				t.Errorf("error %#v, want %q at %d", err, tt.message, tt.offset)
			}
		})
	}
}

func TestFormatKeepsItsText(t *testing.T) {
	for _, format := range []string{"d", "yyyy-MM-dd"} {
		if got := compile(t, format).String(); got != format {
			t.Errorf("got %q, want %q", got, format)
		}
	}
}
