package config

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// cronField is one of the five fields of a cron schedule.
type cronField struct {
	name        string
	least, most uint
	words       string // three letters each, for least and up
}

// cronFields are the fields in their order; a week begins with Sunday, 0.
var cronFields = [5]cronField{
	{"minute", 0, 59, ""},
	{"hour", 0, 23, ""},
	{"day of month", 1, 31, ""},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
	{"day of week", 0, 6, "sunmontuewedthufrisat"},
}

// CheckSchedule reports what is wrong with a job's schedule: "@every D" with a
// duration in Go's form, one of @hourly, @daily, @weekly, @monthly and @yearly,
// or five cron fields. What it accepts, the engine's scheduler accepts.
func CheckSchedule(text string) error {
	if rest, isEvery := strings.CutPrefix(text, "@every "); isEvery {
		return checkEvery(rest)
	}
	switch text {
	case "":
		return errors.New("the schedule is empty")
	case "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually":
		return nil
	}
	if strings.HasPrefix(text, "@") {
		return fmt.Errorf("%q is not a schedule", text)
	}
	if strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ=") {
		return errors.New("the time zone belongs into timeZone")
	}
	fields := strings.Fields(text)
	if len(fields) != len(cronFields) {
		return fmt.Errorf("a cron schedule has five fields, %q has %d", text, len(fields))
	}
	var sets [5]uint64
	for i, f := range cronFields {
		set, err := f.parse(fields[i])
		if err != nil {
			return err
		}
		sets[i] = set
	}
	return checkDays(fields, sets)
}

func checkEvery(text string) error {
	every, err := time.ParseDuration(text)
	if err != nil {
		if days, dayErr := ParseDuration(text); dayErr == nil && days > 0 {
			return fmt.Errorf("@every takes hours, minutes and seconds: write %dh instead of %s", int(days.Std().Hours()), text)
		}
		return fmt.Errorf("%q is not a duration such as 40m or 2h", text)
	}
	if every < time.Second {
		return fmt.Errorf("@every %s is shorter than a second", text)
	}
	return nil
}

// checkDays reports days that no calendar has, such as February 30. Where both
// the day of the month and the day of the week are given, either is enough.
func checkDays(fields []string, sets [5]uint64) error {
	if !isFree(fields[4]) || isFree(fields[2]) {
		return nil
	}
	for month, days := range [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31} {
		if sets[3]&(1<<month) != 0 && bits.TrailingZeros64(sets[2]) <= days {
			return nil
		}
	}
	return fmt.Errorf("no month has the day that %q asks for", strings.Join(fields, " "))
}

// isFree reports a field that names no day of its own. One with a step does:
// the scheduler takes */2 for the days it names.
func isFree(field string) bool {
	for _, part := range strings.Split(field, ",") {
		if part == "*" || part == "?" || part == "*/1" || part == "?/1" {
			return true
		}
	}
	return false
}

// parse returns the set of values a field names, a bit for each.
func (f cronField) parse(text string) (uint64, error) {
	var set uint64
	for _, part := range strings.Split(text, ",") {
		from, to, step, err := f.parseRange(part)
		if err != nil {
			return 0, err
		}
		for n := from; n <= to; n += step {
			set |= 1 << n
		}
	}
	return set, nil
}

// parseRange reads one part of a field: *, N or N-M, each with an optional
// step; N/STEP runs to the field's end.
func (f cronField) parseRange(part string) (from, to, step uint, err error) {
	span, stepText, stepped := strings.Cut(part, "/")
	low, high, isRange := strings.Cut(span, "-")
	step = 1
	if stepped {
		n, err := strconv.ParseUint(stepText, 10, 8)
		if err != nil || n == 0 {
			return 0, 0, 0, fmt.Errorf("%s %q: the step must be a number above 0", f.name, part)
		}
		step = uint(n)
	}
	if span == "*" || span == "?" {
		return f.least, f.most, step, nil
	}
	if from, err = f.value(low, part); err != nil {
		return 0, 0, 0, err
	}
	to = from
	switch {
	case isRange:
		if to, err = f.value(high, part); err != nil {
			return 0, 0, 0, err
		}
		if to < from {
			return 0, 0, 0, fmt.Errorf("%s %q ends before it begins", f.name, part)
		}
	case stepped:
		to = f.most
	}
	return from, to, step, nil
}

func (f cronField) value(text, part string) (uint, error) {
	if i := strings.Index(f.words, strings.ToLower(text)); len(text) == 3 && i >= 0 && i%3 == 0 {
		return f.least + uint(i/3), nil
	}
	n, err := strconv.ParseUint(text, 10, 8)
	if err != nil || uint(n) < f.least || uint(n) > f.most {
		return 0, fmt.Errorf("%s %q must be between %d and %d", f.name, part, f.least, f.most)
	}
	return uint(n), nil
}
