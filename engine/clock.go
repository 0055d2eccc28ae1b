package engine

import (
	"time"

	"tenantsync/store"
)

// The wall clock of a machine can be wrong and be set right, in either
// direction. Pauses and pace are measured by the monotonic clock; what is stored
// is wall time, and whoever reads it back does not trust it blindly: a time that
// lies further ahead than this engine ever plans was written by a clock that was
// wrong. The order of the log is that of its sequence numbers.

// longestWait is the longest pause the engine ever stores: the last step of the
// back-off of objects and of jobs in quarantine.
const longestWait = 24 * time.Hour

// waited reports whether a stored time to wait for has come. One that lies
// further ahead than any wait is no reason to wait.
func waited(until, now time.Time) bool {
	return !until.After(now) || until.After(now.Add(longestWait))
}

// youngerThan reports whether something that began at a stored time is younger
// than d. What begins in the future is of an unknown age, so it is not.
func youngerThan(d time.Duration, began, now time.Time) bool {
	age := now.Sub(began)
	return age >= 0 && age < d
}

// leap is how far the clock may move between two cycles before it is doubted,
// and how long it is doubted then.
const leap = 24 * time.Hour

// doubt looks at the time of a new cycle beside that of the one that ended last.
// Where the clock has moved on by more than a leap, the job's record keeps from
// where, until the new time has stood for as long: a machine that was off for a
// month loses a day by that, and a clock that is wrong has a day to be noticed
// before anything is thrown away by it.
func doubt(rec *store.Job, last *store.Cycle, now time.Time) {
	if j := rec.ClockLeap; j != nil && (now.Before(j.To) || !now.Before(j.To.Add(leap))) {
		rec.ClockLeap = nil // set back, or proved right
	}
	if last == nil || !now.After(last.EndedAt.Add(leap)) {
		return
	}
	from := last.EndedAt
	if j := rec.ClockLeap; j != nil {
		from = j.From // another leap before the first was believed
	}
	rec.ClockLeap = &store.ClockLeap{From: from, To: now}
}

// retentionHorizon is the present for retention: while the clock is doubted no
// more than a day after the time before it leapt.
func retentionHorizon(rec *store.Job, now time.Time) time.Time {
	if j := rec.ClockLeap; j != nil {
		if most := j.From.Add(leap); now.After(most) {
			return most
		}
	}
	return now
}

// elapsed is how long ago something began by a stored time, as far as the clock is
// believed: what it leapt over after that does not count before it is. What begins
// in the future has just begun.
func elapsed(rec *store.Job, began, now time.Time) time.Duration {
	d := now.Sub(began)
	if j := rec.ClockLeap; j != nil && began.Before(j.To) {
		d = max(j.From.Sub(began), 0) + now.Sub(j.To)
	}
	return max(d, 0)
}
