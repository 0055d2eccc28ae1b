package expr_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

func TestMistakesInDates(t *testing.T) {
	tests := []struct{ name, text, at, message string }{
		{"interval", `DateAdd("w", 1, [surname])`, `"w"`,
			`DateAdd: there is no such interval: write yyyy (year), m (month), ww (week), d (day), h (hour), n (minute) or s (second)`},
		{"number of intervals", `DateAdd("d", "few", [surname])`, `"few"`, `DateAdd: argument 2 must be a whole number, "few" is not`},
		{"number as a date", `DateDiff("d", Now(), NumFromDate([surname]))`, `NumFromDate([surname])`,
			"DateDiff: argument 3 must be a date, NumFromDate gives a number"},
		{"test as a date", `CDate(IsNull([surname]))`, `IsNull([surname])`, "CDate: argument 1 must be a date, IsNull gives a Boolean"},
		{"Boolean attribute as a date", `CDate([accountEnabled])`, `[accountEnabled]`, "CDate: argument 1 must be a date, [accountEnabled] is Boolean"},
		{"list attribute as a date", `CDate([proxyAddresses])`, `[proxyAddresses]`, "CDate: argument 1 must be a date, [proxyAddresses] has several values"},
		{"two arguments", `FormatDateTime([surname], "yyyy")`, `FormatDateTime`,
			"FormatDateTime: 3 to 4 arguments are needed, not 2: FormatDateTime(source, dateTimeStyles?, inputFormat, outputFormat)"},
		{"character of the output format", `FormatDateTime([surname], , "yyyyMMdd", "yyyy 'x")`, `'`,
			"FormatDateTime: the quotation that begins with ' does not end"},
		{"character of the input format", `FormatDateTime([surname], "yyyy%", "yyyy")`, `%`, "FormatDateTime: a letter must follow %"},
		{"format with an escape", `FormatDateTime([surname], "yyyy", "\\d yyyy%")`, `"\\d yyyy%"`, "FormatDateTime: a letter must follow %"},
		{"empty format", `FormatDateTime([surname], "yyyy", "")`, `""`, "FormatDateTime: the date format is empty"},
		{"single letter", `FormatDateTime([surname], "yyyyMMdd", "H")`, `H`,
			`FormatDateTime: "H" alone is no standard date format: write %H for that part of a date`},
		{"style", `FormatDateTime([surname], "None, AllowInerWhite", "yyyyMMdd", "d")`, `A`,
			`FormatDateTime: "AllowInerWhite" is no member of DateTimeStyles (did you mean AllowInnerWhite?)`},
		{"no output format", `FormatDateTime([surname], "yyyyMMdd", )`, `FormatDateTime`, "FormatDateTime: the outputFormat is missing"},
		{"no output format after four places", `FormatDateTime([surname], , "yyyyMMdd", )`, `FormatDateTime([surname], , "yyyyMMdd", )`,
			"FormatDateTime: argument 4 (outputFormat) is missing"},
		{"no input format for text", `FormatDateTime("2026-03-01", , "d")`, `FormatDateTime`,
			"FormatDateTime: the inputFormat is missing: only where the source is a date it can be left out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := compileError(t, tt.text)
			// The part is sought from the end: short ones occur earlier as well.
			at := strings.Index(tt.text, tt.at)
			if len(tt.at) == 1 {
				at = strings.LastIndex(tt.text[:e.Offset+1], tt.at)
			}
			if e.Offset != at || e.Length != len(tt.at) || e.Error() != tt.message {
				t.Errorf("%s:\n got  %q at %d+%d\n want %q at %d+%d", tt.text, e, e.Offset, e.Length, tt.message, at, len(tt.at))
			}
		})
	}
}

func TestFailuresOfDates(t *testing.T) {
	env := expr.Env{Now: time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC), Attributes: directory.AttributesOf(map[string]directory.Value{
		"day": directory.TextOf("2026-03-01"), "month": directory.TextOf("yyyy MM"), "soon": directory.TextOf("soon"), "two": directory.ListOf("2026-03-01", "2026-03-02"),
		"never": directory.TextOf("9223372036854775807"), "bad": directory.TextOf("yyyy'"),
	})}
	tests := []struct{ name, text, want string }{
		{"no date", `DateAdd("d", 1, CDate([soon]))`,
			`CDate: the text is no date: dates are written as 2026-03-01, 2026-03-01T08:00:00+01:00 or 3/1/2026 8:00:00 AM (value "soon")`},
		{"two dates", `CDate([two])`, `CDate: one value is needed, the list has 2 (value "2026-03-01, 2026-03-02")`},
		{"beyond the calendar", `DateAdd("yyyy", 8000, [day])`,
			`DateAdd: the date lies outside the years 1 to 9999 (value "3/1/2026 12:00:00 AM, 8000 yyyy")`},
		{"interval of the user", `DateDiff([soon], [day], Now())`,
			`DateDiff: there is no such interval: write yyyy (year), m (month), ww (week), d (day), h (hour), n (minute) or s (second) (value "soon")`},
		{"never", `DateFromNum([never])`, `DateFromNum: 9223372036854775807 stands for never and is no date (value "9223372036854775807")`},
		{"no file time", `DateFromNum([soon])`, `DateFromNum: a file time is a whole number of 64 bits (value "soon")`},
		{"before file times", `NumFromDate("1600-01-01")`,
			`NumFromDate: the date lies before 1601, where file times begin (value "1/1/1600 12:00:00 AM")`},
		{"misfit", `FormatDateTime([day], , "dd.MM.yyyy", "d")`,
			`FormatDateTime: the text does not fit the date format "dd.MM.yyyy": "." is expected at character 3 (value "2026-03-01")`},
		{"no input format", `FormatDateTime([day], , "d")`,
			`FormatDateTime: the inputFormat is missing: only where the source is a date it can be left out (value "2026-03-01")`},
		{"format of the user", `FormatDateTime([day], [bad], "d")`, `FormatDateTime: argument 2 is no date format (value "yyyy'")`},
		{"misfit of a format of the user", `FormatDateTime([day], [month], "d")`,
			`FormatDateTime: the text does not fit the date format (value "2026-03-01")`},
		{"style of the user", `FormatDateTime([day], [soon], "yyyy-MM-dd", "d")`, `FormatDateTime: argument 2 has something else than names of DateTimeStyles (value "soon")`},
		{"output format of nobody", `FormatDateTime([day], "yyyy-MM-dd", [none])`, `FormatDateTime: the outputFormat is empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile(t, tt.text).Evaluate(env)
			var e *expr.EvalError
			if !errors.As(err, &e) || e.Error() != tt.want {
				t.Errorf("%s gives %q, error\n %v, want\n %s", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestNowBeyondTheCalendar(t *testing.T) {
	_, err := compile(t, `Now()`).Evaluate(expr.Env{Now: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if want := "Now: the date lies outside the years 1 to 9999"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
