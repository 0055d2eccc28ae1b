package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A local time that the clocks jump over comes at the jump, one that they show
// twice comes once, and fields for every hour follow the hours.
func TestLocalTimesOverAClockChange(t *testing.T) {
	const oslo, saoPaulo, lordHowe, apia = "Europe/Oslo", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"
	for name, c := range map[string]struct {
		fields, zone, from string
		want               []string
	}{
		"spring, in the gap":               {"30 2 * * *", oslo, "2000-03-25T12:00:00Z", []string{"03-26 01:00", "03-27 00:30", "03-28 00:30"}},
		"spring, at the gap's beginning":   {"0 2 * * *", oslo, "2000-03-25T12:00:00Z", []string{"03-26 01:00", "03-27 00:00"}},
		"spring, right after the gap":      {"0 3 * * *", oslo, "2000-03-25T12:00:00Z", []string{"03-26 01:00", "03-27 01:00"}},
		"spring, in the gap and after it":  {"0,30 2,3 * * *", oslo, "2000-03-25T12:00:00Z", []string{"03-26 01:00", "03-26 01:30", "03-27 00:00"}},
		"spring, every hour":               {"15 * * * *", oslo, "2000-03-25T23:30:00Z", []string{"03-26 00:15", "03-26 01:15", "03-26 02:15"}},
		"spring, not that day":             {"30 2 * * 1-5", oslo, "2000-03-25T12:00:00Z", []string{"03-27 00:30"}},
		"autumn, shown twice":              {"30 2 * * *", oslo, "2000-10-28T12:00:00Z", []string{"10-29 00:30", "10-30 01:30"}},
		"autumn, from the second time":     {"30 2 * * *", oslo, "2000-10-29T01:10:00Z", []string{"10-30 01:30"}},
		"autumn, between the two":          {"30 2 * * *", oslo, "2000-10-29T00:40:00Z", []string{"10-30 01:30"}},
		"autumn, every two hours":          {"0 */2 * * *", oslo, "2000-10-28T22:30:00Z", []string{"10-29 00:00", "10-29 03:00", "10-29 05:00"}},
		"autumn, every half hour":          {"*/30 * * * *", oslo, "2000-10-28T23:45:00Z", []string{"10-29 00:00", "10-29 00:30", "10-29 01:00", "10-29 01:30", "10-29 02:00"}},
		"midnight jumped over":             {"15 0 * * *", saoPaulo, "2000-10-07T12:00:00Z", []string{"10-08 03:00", "10-09 02:15"}},
		"half an hour of summer":           {"15 2 * * *", lordHowe, "2000-08-26T00:00:00Z", []string{"08-26 15:30", "08-27 15:15"}},
		"a day that a country left out":    {"0 12 * * *", apia, "2011-12-28T23:00:00Z", []string{"12-29 22:00", "12-30 10:00", "12-30 22:00"}},
		"utc":                              {"30 2 * * *", "", "2000-03-25T12:00:00Z", []string{"03-26 02:30", "03-27 02:30"}},
		"every forty minutes has no clock": {"@every 40m", oslo, "2000-03-26T00:30:00Z", []string{"03-26 01:10", "03-26 01:50"}},
	} {
		s, err := parseSchedule(c.fields, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse(time.RFC3339, c.from)
		var got []string
		for range c.want {
			at = s.Next(at)
			got = append(got, at.UTC().Format("01-02 15:04"))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Over ten years each day has its one cycle in every zone, and no start comes
// before the one before it.
func TestLocalTimesComeOnceADay(t *testing.T) {
	for _, zone := range []string{"Europe/Oslo", "America/Sao_Paulo", "Australia/Lord_Howe", "America/New_York", "Africa/Casablanca", "Asia/Tehran"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for hour := range 4 {
			s, err := parseSchedule(fmt.Sprintf("30 %d * * *", hour), zone)
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Date(2012, 1, 1, 12, 0, 0, 0, loc)
			var days []string
			for at := s.Next(begin); at.Year() < 2022; at = s.Next(at) {
				days = append(days, at.In(loc).Format("2006-01-02"))
			}
			var want []string
			for d := begin.AddDate(0, 0, 1); d.Year() < 2022; d = d.AddDate(0, 0, 1) {
				want = append(want, d.Format("2006-01-02"))
			}
			if !slices.Equal(days, want) {
				t.Errorf("%s, half past %d: got %d days, want %d; differences:\n%s", zone, hour, len(days), len(want), cmp.Diff(want, days))
			}
		}
	}
}
