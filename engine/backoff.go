package engine

import (
	"time"

	"tenantsync/store"
)

// nextAttempt returns when an object that has failed n times is due again:
// with the next cycle, then 6, 12 and 24 hours after the first failure, then
// daily without end. Faults that pass by themselves are due with every cycle.
func nextAttempt(code Code, n int, first, now time.Time) time.Time {
	switch code {
	case CodeTooManyRequests, CodeServerError, CodeTimeout, CodeReplication:
		return now
	}
	switch n {
	case 0, 1:
		return now
	case 2:
		return later(first.Add(6*time.Hour), now)
	case 3:
		return later(first.Add(12*time.Hour), now)
	case 4:
		return later(first.Add(24*time.Hour), now)
	}
	return now.Add(24 * time.Hour)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// The failure counts at which Entra puts a job in quarantine.
// https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status
const (
	quarantineMinFailures   = 5_000
	quarantineFailedPercent = 40
	quarantineTotalFailures = 40_000 // references not counted
	quarantineAllFailures   = 60_000 // references counted
)

// tooManyFailures returns the quarantine reason for a cycle's failures, "" for none.
func tooManyFailures(failed, failedReferences, processed int) Code {
	switch {
	case failed > quarantineTotalFailures || failed+failedReferences >= quarantineAllFailures:
		return CodeTotal
	case failed >= quarantineMinFailures && failed*100 > processed*quarantineFailedPercent:
		return CodeProportion
	}
	return ""
}

// quarantined returns the quarantine record after one more cycle that ended with
// the given reason. The pace drops stepwise from the schedule to once a day.
func quarantined(before *store.Quarantine, reason Code, message string, slow bool, now time.Time) *store.Quarantine {
	q := &store.Quarantine{Reason: string(reason), Message: message, Since: now, Series: 1}
	if before != nil && before.Reason == q.Reason {
		q.Since, q.Series = before.Since, before.Series+1
	}
	if slow {
		steps := [...]time.Duration{time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 24 * time.Hour}
		q.NextAttempt = now.Add(steps[min(q.Series, len(steps))-1])
	}
	return q
}
