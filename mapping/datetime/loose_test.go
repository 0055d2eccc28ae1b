package datetime_test

import (
	"testing"
	"time"

	"tenantsync/mapping/datetime"
)

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2026-03-01", "2026-03-01T00:00:00Z"},
		{"2026-3-1", "2026-03-01T00:00:00Z"},
		{"2026/03/01", "2026-03-01T00:00:00Z"},
		{"3/1/2026", "2026-03-01T00:00:00Z"},
		{"03/01/2026", "2026-03-01T00:00:00Z"},
		{"2020-03-16-07:00", "2020-03-16T07:00:00Z"},
		{"2021-06-30+08:00", "2021-06-29T16:00:00Z"},
		{"2021-06-30+08", "2021-06-29T16:00:00Z"},
		{"2021-06-30+0830", "2021-06-29T15:30:00Z"},
		{"2021-06-30Z", "2021-06-30T00:00:00Z"},
		{"2021-06-30 Z", "2021-06-30T00:00:00Z"},
		{"2021-08-24T00:00:00Z", "2021-08-24T00:00:00Z"},
		{"2021-08-24T05:06", "2021-08-24T05:06:00Z"},
		{"2012-01-01 23:00:00", "2012-01-01T23:00:00Z"},
		{"2012-01-01   23:00:00", "2012-01-01T23:00:00Z"},
		{"2012-01-01 23:00:00 +01:00", "2012-01-01T22:00:00Z"},
		{"2012-01-01T18:00:00-05:00", "2012-01-01T23:00:00Z"},
		{"2012-01-01T18:00:00.5z", "2012-01-01T18:00:00.5Z"},
		{"2012-01-01T18:00:00.1234567", "2012-01-01T18:00:00.1234567Z"},
		{"2012-01-01T18:00:00.12345674999", "2012-01-01T18:00:00.1234567Z"},
		{"2012-01-01T18:00:00.12345675", "2012-01-01T18:00:00.1234568Z"},
		{"2012-12-31T23:59:59.99999999", "2013-01-01T00:00:00Z"},
		{"8/25/2021 5:41:18 PM", "2021-08-25T17:41:18Z"},
		{"8/25/2021 05:41:18 pm", "2021-08-25T17:41:18Z"},
		{"8/25/2021 12:00:00 AM", "2021-08-25T00:00:00Z"},
		{"8/25/2021 12:30 PM", "2021-08-25T12:30:00Z"},
		{"8/25/2021 17:41", "2021-08-25T17:41:00Z"},
		{"8/25/2021 5:41:18PM", "2021-08-25T17:41:18Z"},
		{"\t2026-03-01 \r\n", "2026-03-01T00:00:00Z"},
		{"0001-01-01", "0001-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999Z"},
		{"2024-02-29", "2024-02-29T00:00:00Z"},
		{"2000-02-29", "2000-02-29T00:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := datetime.Parse(tt.text)
			if err != nil || !got.Equal(at(t, tt.want)) || got.Location() != time.UTC {
				t.Errorf("%q: %s (error %v), want %s", tt.text, got.Format(time.RFC3339Nano), err, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const (
		noDate   = "the text is no date: dates are written as 2026-03-01, 2026-03-01T08:00:00+01:00 or 3/1/2026 8:00:00 AM"
		calendar = "there is no such day or time of day"
		years    = "the date lies outside the years 1 to 9999"
	)
	tests := []struct{ text, want string }{
		{"", noDate}, {" ", noDate}, {"today", noDate}, {"1.3.2026", noDate}, {"20260301", noDate}, {"2026-03", noDate}, {"3/1/26", noDate},
		{"2026-03/01", noDate}, {"2026-03-01T", noDate}, {"2026-03-01T08", noDate}, {"2026-03-01 8", noDate}, {"2026-03-01 8:1", noDate},
		{"2026-03-01 08:00:5", noDate}, {"2026-03-01 08:00:00.", noDate}, {"2026-03-0108:00", noDate}, {"2026-03-01T 08:00", noDate},
		{"2026-03-01 08:00:00 XM", noDate}, {"2026-03-01 13:00:00 PM", noDate}, {"2026-03-01 0:00:00 AM", noDate},
		{"2026-03-01+15:00", noDate}, {"2026-03-01+14:01", noDate}, {"2026-03-01+1", noDate}, {"2026-03-01+", noDate}, {"2026-03-01 CET", noDate},
		{"2026-03-01 08:00 Z Z", noDate}, {"2026-03-01, 08:00", noDate}, {"-2026-03-01", noDate}, {"12026-03-01", noDate}, {"٢٠٢٦-03-01", noDate},
		{"2026-02-29", calendar}, {"1900-02-29", calendar}, {"2026-13-01", calendar}, {"13/1/2026", calendar}, {"2026-03-00", calendar},
		{"2026-03-01 24:00", calendar}, {"2026-03-01 23:60", calendar}, {"2026-03-01 23:59:60", calendar},
		{"0000-01-01", years}, {"0001-01-01+00:01", years}, {"9999-12-31T23:59:59.99999995", years}, {"9999-12-31T23:00-01:00", years},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if got, err := datetime.Parse(tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("%q: %v, error %v, want %s", tt.text, got, err, tt.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	for instant, want := range map[string]string{
		"2021-06-29T16:00:00Z":      "6/29/2021 4:00:00 PM",
		"2021-08-24T00:00:00Z":      "8/24/2021 12:00:00 AM",
		"2024-12-09T12:05:09.9Z":    "12/9/2024 12:05:09 PM",
		"0001-01-01T00:00:00Z":      "1/1/0001 12:00:00 AM",
		"2021-01-01T00:30:00+01:00": "12/31/2020 11:30:00 PM",
	} {
		got := datetime.Text(at(t, instant))
		if got != want {
			t.Errorf("%s: %q, want %q", instant, got, want)
		}
		back, err := datetime.Parse(got)
		if err != nil || !back.Equal(at(t, instant).Truncate(time.Second)) {
			t.Errorf("%q read back: %v (error %v), want %s", got, back, err, instant)
		}
	}
}
