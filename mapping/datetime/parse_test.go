package datetime_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/mapping/datetime"
)

// present is the instant from which dates are completed.
const present = "2026-03-09T10:11:12Z"

func TestParseExact(t *testing.T) {
	const whites = datetime.AllowLeadingWhite | datetime.AllowTrailingWhite | datetime.AllowInnerWhite
	tests := []struct {
		format, text string
		styles       datetime.Styles
		want         string
	}{
		{"yyyy-MM-dd", "2026-03-01", datetime.None, "2026-03-01T00:00:00Z"},
		{"yyyyMMddHHmmss.fZ", "20150123105347.1Z", datetime.DefaultStyles, "2015-01-23T10:53:47.1Z"},
		{"yyyyMMddHHmmss.0Z", "20150123105347.0Z", datetime.None, "2015-01-23T10:53:47Z"},
		{"dd/MM/yyyy", "03/11/2024", datetime.None, "2024-11-03T00:00:00Z"},
		{"M/d/yyyy", "3/1/2026", datetime.None, "2026-03-01T00:00:00Z"},
		{"M/d/yyyy", "03/01/2026", datetime.None, "2026-03-01T00:00:00Z"},
		{"%d", "7", datetime.None, "2026-01-07T00:00:00Z"},
		{"%M", "7", datetime.None, "2026-07-01T00:00:00Z"},
		{"yyyy", "1999", datetime.None, "1999-01-01T00:00:00Z"},
		{"yyyy dd", "1999 07", datetime.None, "1999-01-07T00:00:00Z"},
		{"HH:mm", "07:30", datetime.None, "2026-03-09T07:30:00Z"},
		{"HH:mm", "07:30", datetime.NoCurrentDateDefault, "0001-01-01T07:30:00Z"},
		{"d MMM", "7 May", datetime.NoCurrentDateDefault, "2026-05-07T00:00:00Z"},
		{"yyyyMMdd", "00010101", datetime.None, "0001-01-01T00:00:00Z"},
		{"yyyy-MM-dd HH:mm:ss.fffffff", "9999-12-31 23:59:59.9999999", datetime.None, "9999-12-31T23:59:59.9999999Z"},
		{"yyyyyy-MM", "002026-03", datetime.None, "2026-03-01T00:00:00Z"},
		{"yyy-MM", "987-03", datetime.None, "0987-03-01T00:00:00Z"},
		{"dd.MM.yy", "01.03.49", datetime.None, "2049-03-01T00:00:00Z"},
		{"dd.MM.yy", "01.03.50", datetime.None, "1950-03-01T00:00:00Z"},
		{"dd.MM.y", "01.03.5", datetime.None, "2005-03-01T00:00:00Z"},
		{"h:mm tt", "12:15 AM", datetime.NoCurrentDateDefault, "0001-01-01T00:15:00Z"},
		{"h:mm tt", "12:15 PM", datetime.NoCurrentDateDefault, "0001-01-01T12:15:00Z"},
		{"h:mm tt", "1:15 pm", datetime.NoCurrentDateDefault, "0001-01-01T13:15:00Z"},
		{"h:mm tt", "0:15 PM", datetime.NoCurrentDateDefault, "0001-01-01T12:15:00Z"},
		{"h:mm", "12:15", datetime.NoCurrentDateDefault, "0001-01-01T00:15:00Z"},
		{"h:mm", "9:15", datetime.NoCurrentDateDefault, "0001-01-01T09:15:00Z"},
		{"hh:mmt", "09:15P", datetime.NoCurrentDateDefault, "0001-01-01T21:15:00Z"},
		{"HH:mm tt", "15:00 PM", datetime.NoCurrentDateDefault, "0001-01-01T15:00:00Z"},
		{"yyyy-MM-dd tt", "2026-03-01 AM", datetime.None, "2026-03-01T00:00:00Z"},
		{"s", "2026-03-01T08:04:05", datetime.None, "2026-03-01T08:04:05Z"},
		{"o", "2026-03-01T08:04:05.1234567+01:00", datetime.None, "2026-03-01T07:04:05.1234567Z"},
		{"o", "2026-03-01T08:04:05.1234567", datetime.None, "2026-03-01T08:04:05.1234567Z"},
		{"r", "Sun, 01 Mar 2026 08:04:05 GMT", datetime.None, "2026-03-01T08:04:05Z"},
		{"u", "2026-03-01 08:04:05Z", datetime.None, "2026-03-01T08:04:05Z"},
		{"D", "Sunday, 01 March 2026", datetime.None, "2026-03-01T00:00:00Z"},
		{"y", "2026 march", datetime.None, "2026-03-01T00:00:00Z"},
		{"dd MMM yyyy", "01 mAY 2026", datetime.None, "2026-05-01T00:00:00Z"},
		{"ddd d.M.yyyy", "sun 1.3.2026", datetime.None, "2026-03-01T00:00:00Z"},
		{"yyyy-MM-ddzzz", "2020-03-16-07:00", datetime.None, "2020-03-16T07:00:00Z"},
		{"yyyy-MM-ddzzz", "2020-03-16-0700", datetime.None, "2020-03-16T07:00:00Z"},
		{"yyyy-MM-ddzzz", "2020-03-16+7:30", datetime.None, "2020-03-15T16:30:00Z"},
		{"yyyy-MM-ddzz", "2020-03-16+14", datetime.None, "2020-03-15T10:00:00Z"},
		{"yyyy-MM-dd z", "2020-03-16 -3", datetime.None, "2020-03-16T03:00:00Z"},
		{"yyyy-MM-ddK", "2020-03-16Z", datetime.None, "2020-03-16T00:00:00Z"},
		{"yyyy-MM-ddK", "2020-03-16", datetime.None, "2020-03-16T00:00:00Z"},
		{"ddd yyyy-MM-dd HHzz", "Sun 2026-03-01 00+02", datetime.None, "2026-02-28T22:00:00Z"},
		{"ss.FFF", "05.25", datetime.NoCurrentDateDefault, "0001-01-01T00:00:05.25Z"},
		{"ss.FFF", "05", datetime.NoCurrentDateDefault, "0001-01-01T00:00:05Z"},
		{"ss.FFF'Z'", "05Z", datetime.NoCurrentDateDefault, "0001-01-01T00:00:05Z"},
		{"ss.FFF", "05.", datetime.NoCurrentDateDefault, "0001-01-01T00:00:05Z"},
		{"ss.fff", "05.250", datetime.NoCurrentDateDefault, "0001-01-01T00:00:05.25Z"},
		{"yyyy yyyy", "2026 2026", datetime.None, "2026-01-01T00:00:00Z"},
		{"yyyy g", "2026 a.d.", datetime.None, "2026-01-01T00:00:00Z"},
		{`'d'd\d`, "d7d", datetime.None, "2026-01-07T00:00:00Z"},
		{"yyyy-MM-dd", " \t2026-03-01\n", datetime.DefaultStyles, "2026-03-01T00:00:00Z"},
		{" yyyy-MM-dd ' '", "2026-03-01", datetime.DefaultStyles, "2026-03-01T00:00:00Z"},
		{"yyyy-MM-dd h:mm tt", "2026-03-01 8:00PM", datetime.DefaultStyles, "2026-03-01T20:00:00Z"},
		{"yyyy-MM-dd HH:mm", " 2026 -03- 01  08:00 ", whites, "2026-03-01T08:00:00Z"},
		{"d' of 'MMM", "7   of   May", whites, "2026-05-07T00:00:00Z"},
		{"HHmm", "0730", datetime.AssumeLocal | datetime.NoCurrentDateDefault, "0001-01-01T07:30:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.format+" of "+tt.text, func(t *testing.T) {
			got, err := compile(t, tt.format).Parse(tt.text, tt.styles, at(t, present))
			if err != nil || !got.Equal(at(t, tt.want)) || got.Location() != time.UTC {
				t.Errorf("%q in %q: %v (error %v), want %s", tt.text, tt.format, got.Format(time.RFC3339Nano), err, tt.want)
			}
		})
	}
}

func TestParseExactErrors(t *testing.T) {
	const misfit, noDate = "the text does not fit the date format %: ", "the text is no date in the format %: "
	tests := []struct {
		format, text string
		styles       datetime.Styles
		want         string
	}{
		{"yyyy-MM-dd", "2026-3-01", datetime.None, misfit + "MM, 2 digits, is expected at character 6"},
		{"yyyy-MM-dd", "2026-03-1", datetime.None, misfit + "dd, 2 digits, is expected at character 9"},
		{"yyyy-MM-dd", "26-03-01", datetime.None, misfit + "yyyy, 4 digits, is expected at character 1"},
		{"yyyy-MM-dd", "2026/03/01", datetime.None, misfit + `"-" is expected at character 5`},
		{"yyyy-MM-dd", "2026-03-011", datetime.None, misfit + "the end is expected at character 11"},
		{"yyyy-MM-dd", "", datetime.DefaultStyles, misfit + "yyyy, 4 digits, is expected at character 1"},
		{"yyyy-MM-dd", " 2026-03-01", datetime.None, misfit + "yyyy, 4 digits, is expected at character 1"},
		{"yyyy-MM-dd", "  2026-03-xx", datetime.DefaultStyles, misfit + "dd, 2 digits, is expected at character 11"},
		{"yyyy-MM-dd", "2026-03-01 ", datetime.None, misfit + "the end is expected at character 11"},
		{"yyyy-MM-dd HH", "2026-03-01T08", datetime.DefaultStyles, misfit + "HH, 2 digits, is expected at character 11"},
		{"h:mm tt", "8:00PM", datetime.None, misfit + `" " is expected at character 5`},
		{"d.M.yyyy", "x.3.2026", datetime.None, misfit + "d, one or two digits, is expected at character 1"},
		{"dd MMM", "01 Mär", datetime.None, misfit + "the name of a month of three letters is expected at character 4"},
		{"dd MMM", "01 March", datetime.None, misfit + "the end is expected at character 7"},
		{"dd MMMM", "01 Mar", datetime.None, misfit + "the name of a month is expected at character 4"},
		{"dddd", "Sun", datetime.None, misfit + "the name of a weekday is expected at character 1"},
		{"'Å' HH", "Å x", datetime.None, misfit + "HH, 2 digits, is expected at character 3"},
		{"'on' dd", "an 01", datetime.None, misfit + `"on" is expected at character 1`},
		{"hh tt", "08 XM", datetime.None, misfit + "AM or PM is expected at character 4"},
		{"hh t", "08 p", datetime.None, misfit + "AM or PM is expected at character 4"},
		{"HHzzz", "08Z", datetime.None, misfit + "a zone such as +01:00 is expected at character 3"},
		{"HHzzz", "08+01", datetime.None, misfit + "a zone such as +01:00 is expected at character 6"},
		{"HHzz", "08+1", datetime.None, misfit + "a zone such as +01:00 is expected at character 4"},
		{"HHzzz", "08+14:01", datetime.None, misfit + "a zone lies at most 14 hours from UTC"},
		{"HHzzz", "08+01:60", datetime.None, misfit + "a zone lies at most 14 hours from UTC"},
		{"ss.fff", "05.25", datetime.None, misfit + "fff, 3 digits, is expected at character 4"},
		{"ss.FF", "05.255", datetime.None, misfit + "the end is expected at character 6"},
		{"yyyy g", "2026 B.C.", datetime.None, misfit + "A.D. is expected at character 6"},
		{"yyyyMMdd HHmm Z", "20260301 0800 +", datetime.None, misfit + `"Z" is expected at character 15`},
		{"dd dd", "01 02", datetime.None, misfit + "one part of the date is given twice, with two values"},
		{"H h", "13 01", datetime.None, misfit + "one part of the date is given twice, with two values"},
		{"zz K", "+01 Z", datetime.None, misfit + "one part of the date is given twice, with two values"},
		{"yyyy-MM-dd", "2026-02-29", datetime.None, noDate + "there is no such day or time of day"},
		{"yyyy-MM-dd", "2026-00-01", datetime.None, noDate + "there is no such day or time of day"},
		{"yyyy-MM-dd", "2026-13-01", datetime.None, noDate + "there is no such day or time of day"},
		{"yyyy-MM-dd", "2026-04-31", datetime.None, noDate + "there is no such day or time of day"},
		{"yyyy-MM-dd", "2026-04-00", datetime.None, noDate + "there is no such day or time of day"},
		{"HH:mm:ss", "24:00:00", datetime.None, noDate + "there is no such day or time of day"},
		{"HH:mm:ss", "23:60:00", datetime.None, noDate + "there is no such day or time of day"},
		{"HH:mm:ss", "23:59:60", datetime.None, noDate + "there is no such day or time of day"},
		{"hh tt", "13 PM", datetime.None, noDate + "the hour is more than 12"},
		{"HH tt", "13 AM", datetime.None, noDate + "AM or PM contradicts the hour"},
		{"HH tt", "08 PM", datetime.None, noDate + "AM or PM contradicts the hour"},
		{"yy yyyy", "26 2026", datetime.None, misfit + "one part of the date is given twice, with two values"},
		{"yyyy", "0000", datetime.None, noDate + "the date lies outside the years 1 to 9999"},
		{"yyyyy", "10000", datetime.None, noDate + "the date lies outside the years 1 to 9999"},
		{strings.Repeat("y", 40), strings.Repeat("9", 40), datetime.None, noDate + "the date lies outside the years 1 to 9999"},
		{"yyyy-MM-ddzzz", "0001-01-01+01:00", datetime.None, noDate + "the date lies outside the years 1 to 9999"},
		{"yyyy-MM-dd HHzzz", "9999-12-31 23-01:00", datetime.None, noDate + "the date lies outside the years 1 to 9999"},
		{"ddd yyyy-MM-dd", "Mon 2026-03-01", datetime.None, noDate + "the date lies on another weekday"},
	}
	for _, tt := range tests {
		t.Run(tt.format+" of "+tt.text, func(t *testing.T) {
			got, err := compile(t, tt.format).Parse(tt.text, tt.styles, at(t, present))
			want := strings.Replace(tt.want, "%", `"`+tt.format+`"`, 1)
			if err == nil || err.Error() != want {
				t.Errorf("%q in %q: %v, error\n %v, want\n %s", tt.text, tt.format, got, err, want)
			}
		})
	}
}

func TestParseStyles(t *testing.T) {
	tests := []struct {
		text string
		want datetime.Styles
	}{
		{"None", datetime.None},
		{"AllowWhiteSpaces", datetime.AllowLeadingWhite | datetime.AllowTrailingWhite | datetime.AllowInnerWhite},
		{"AllowLeadingWhite, AllowTrailingWhite,RoundtripKind", datetime.DefaultStyles},
		{" adjusttouniversal ,AssumeUniversal", datetime.AdjustToUniversal | datetime.AssumeUniversal},
		{"AssumeLocal,NoCurrentDateDefault", datetime.AssumeLocal | datetime.NoCurrentDateDefault},
	}
	for _, tt := range tests {
		if got, err := datetime.ParseStyles(tt.text); err != nil || got != tt.want {
			t.Errorf("%q: %b (error %v), want %b", tt.text, got, err, tt.want)
		}
	}
	errors := []struct {
		text, want string
		offset     int
	}{
		{"Loose", `"Loose" is no member of DateTimeStyles`, 0},
		{"None, AlowInnerWhite", `"AlowInnerWhite" is no member of DateTimeStyles (did you mean AllowInnerWhite?)`, 6},
		{"None,", "the name of a style is missing", 5},
		{"", "the name of a style is missing", 0},
		{"AssumeLocal, AssumeUniversal", "AssumeLocal and AssumeUniversal exclude each other", 0},
		{"RoundtripKind, AdjustToUniversal", "RoundtripKind excludes AssumeLocal, AssumeUniversal and AdjustToUniversal", 0},
	}
	for _, tt := range errors {
		_, err := datetime.ParseStyles(tt.text)
		syntax, ok := err.(*datetime.SyntaxError)
		if !ok || syntax.Message != tt.want || syntax.Offset != tt.offset {
			t.Errorf("%q: error %#v, want %q at %d", tt.text, err, tt.want, tt.offset)
		}
	}
}
