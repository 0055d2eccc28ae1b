package engine

import (
	"time"

	"github.com/robfig/cron/v3"
)

// everyHour are the bits of cron's hour field that names each hour of the day.
const everyHour = 1<<24 - 1

// zoned are cron fields read by the clocks of a time zone, whatever those do in
// spring and autumn: each local time that the fields name comes once. One that
// the clocks jump over comes at the moment of the jump; of one that they show
// twice the first counts. Fields that name every hour need none of this and
// simply follow the hours as they pass (see [localTimes]).
type zoned struct {
	fields cron.Schedule // read as if the zone were UTC
	zone   *time.Location
}

// localTimes makes a parsed schedule keep to the local times it names. cron by
// itself would leave out a day's cycle in spring and run it twice in autumn.
func localTimes(s cron.Schedule) cron.Schedule {
	f, ok := s.(*cron.SpecSchedule)
	if !ok || f.Location == time.UTC || f.Hour&everyHour == everyHour {
		return s
	}
	fields := *f
	zone := fields.Location
	fields.Location = time.UTC
	return zoned{fields: &fields, zone: zone}
}

// Next returns the first start after t, zero when there is none.
func (z zoned) Next(t time.Time) time.Time {
	for clock := asUTC(t.In(z.zone)); ; {
		if clock = z.fields.Next(clock); clock.IsZero() {
			return clock
		}
		if at := z.shown(clock); at.After(t) {
			return at
		}
	}
}

// asUTC is the time in UTC at which its clocks show what t's zone shows at t.
func asUTC(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// shown returns when the zone's clocks first show what UTC's show at clock, or
// the moment at which they jump over it.
func (z zoned) shown(clock time.Time) time.Time {
	var before time.Time
	for _, around := range [...]time.Duration{-24 * time.Hour, 24 * time.Hour} { // no zone changes twice in two days
		_, offset := clock.Add(around).In(z.zone).Zone()
		at := clock.Add(-time.Duration(offset) * time.Second).In(z.zone)
		if asUTC(at).Equal(clock) {
			return at
		}
		if before.IsZero() {
			before = at
		}
	}
	// By the offset before the jump the time lies behind it, where another begins.
	jump, _ := before.ZoneBounds()
	return jump
}
