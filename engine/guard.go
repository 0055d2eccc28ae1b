package engine

import (
	"fmt"
	"time"
)

// MinPercentDeletes is from how many objects on the percent threshold counts.
const MinPercentDeletes = 10

// minWindowDeletes is from how many objects on the percent threshold of the moving
// window counts.
const minWindowDeletes = 50

// minGoodScope is from which last good count on a shrunk scope is judged by share.
const minGoodScope = 20

// minHeldChanges is how many creates and updates a changed configuration may
// always cause, and how many guests may always become members.
const minHeldChanges = 100

// minHeldWave is how many creates, and how many updates, one cycle may always
// cause while the configuration stays as it is.
const minHeldWave = 1000

// createsDay is the time that guards.createsPerDay counts over.
const createsDay = 24 * time.Hour

// census is what the guard is told of a cycle, before its first write. What an
// administrator has approved is in none of the counts.
type census struct {
	linked  int // links of the job at the cycle's start
	leavers int // deletes and disables by leaving scope in this cycle
	inScope int // users in scope now
	good    int // users in scope at the last good cycle
	changes int // creates and updates of this cycle, those that will fail included
	creates int // of those, users who come into the target: invited or restored
	updates int // of those, users who are there and are written to
	members int // of those, guests who become members
	// rulesChanged: mappings, filters or scope differ from the last cycle's.
	rulesChanged bool
	accepted     bool // the administrator let the changes through
	first        bool // no cycle of this job has ended yet

	// The moving window: deletes and disables by leaving scope that went out in
	// earlier cycles, those that this cycle adds, and the most links the job had.
	windowGone, windowLeavers, windowLinked int
	dayCreates                              int // creates of earlier cycles of the last day
}

// ruling is what the guard decided. The codes say what is held, "" = it may go.
type ruling struct {
	holdDeletes Code
	holdCreates Code
	holdUpdates Code
	holdMembers Code   // updates that make a guest a member
	message     string // why deletes are held
	changes     string // why creates and updates are held
}

// holdChanges is the reason for which creates or updates are held, "" for none.
func (r *ruling) holdChanges() Code {
	for _, code := range []Code{r.holdCreates, r.holdUpdates, r.holdMembers} {
		if code != "" {
			return code
		}
	}
	return ""
}

// guard judges a cycle once, over the whole stage. It is pure.
func guard(c census, j *Job) ruling {
	r := ruling{}
	r.judgeDeletes(c, j)
	if !c.accepted {
		r.judgeChanges(c, j)
	}
	return r
}

func (r *ruling) judgeDeletes(c census, j *Job) {
	switch {
	case shrunk(c, j.ScopeShrink):
		r.holdDeletes = CodeScopeShrunk
		r.message = fmt.Sprintf("%d users are in scope, %d were at the last good cycle", c.inScope, c.good)
	case !j.Prevent || c.leavers == 0:
	case tooManyDeletes(c, j.Threshold, j.Percent):
		r.holdDeletes = CodeTooManyDeletes
		r.message = fmt.Sprintf("%d deletions are above the threshold of %s", c.leavers, thresholdText(c, j))
	case j.Window > 0 && c.windowLeavers > 0:
		r.judgeWindow(c, j)
	}
}

// judgeWindow holds the deletes of the cycle with which too many have gone out
// little by little.
func (r *ruling) judgeWindow(c census, j *Job) {
	total, linked := c.windowGone+c.windowLeavers, max(c.windowLinked, c.linked)
	limit := ""
	switch {
	case j.WindowThreshold > 0 && total > j.WindowThreshold:
		limit = fmt.Sprint(j.WindowThreshold)
	case j.WindowPercent > 0 && total >= minWindowDeletes && float64(total)*100 > float64(linked)*j.WindowPercent:
		limit = fmt.Sprintf("%g %% of %d linked users", j.WindowPercent, linked)
	default:
		return
	}
	r.holdDeletes = CodeTooManyDeletesInWindow
	r.message = fmt.Sprintf("%d deletions within %s, %d of them in this cycle, are above the threshold of %s", total, spanText(j.Window), c.windowLeavers, limit)
}

// judgeChanges holds creates and updates. A changed configuration has a limit of
// its own, and holds both.
func (r *ruling) judgeChanges(c census, j *Job) {
	if c.rulesChanged && !c.first && j.Changes > 0 && c.changes > mayChange(c, j) {
		r.holdCreates, r.holdUpdates, r.holdMembers = CodeTooManyChanges, CodeTooManyChanges, CodeTooManyChanges
		r.changes = fmt.Sprintf("the changed configuration would create or update %d users, more than %d", c.changes, mayChange(c, j))
		return
	}
	if total := c.dayCreates + c.creates; j.CreatesPerDay > 0 && c.creates > 0 && total > j.CreatesPerDay {
		r.holdCreates = CodeTooManyCreates
		r.changes = fmt.Sprintf("%d users would be created within a day, %d of them in this cycle, more than %d", total, c.creates, j.CreatesPerDay)
	}
	if c.first || c.linked == 0 {
		return // there is nothing that the numbers could be compared with
	}
	if most := wave(c.linked, j.Creates); r.holdCreates == "" && j.Creates > 0 && c.creates > most {
		r.holdCreates = CodeTooManyCreates
		r.changes = fmt.Sprintf("%d users would be created, more than %d", c.creates, most)
	}
	if most := wave(c.linked, j.Updates); j.Updates > 0 && c.updates > most {
		r.holdUpdates, r.holdMembers = CodeTooManyUpdates, CodeTooManyUpdates
		r.because(fmt.Sprintf("%d users would be updated, more than %d", c.updates, most))
		return
	}
	if most := share(c.linked, j.Members, minHeldChanges); j.Members > 0 && c.members > most {
		r.holdMembers = CodeTooManyMembers
		r.because(fmt.Sprintf("%d guests would become members, more than %d", c.members, most))
	}
}

func (r *ruling) because(text string) {
	if r.changes != "" {
		r.changes += "; "
	}
	r.changes += text
}

// mayChange is how many creates and updates a changed configuration may cause.
func mayChange(c census, j *Job) int { return share(c.linked, j.Changes, minHeldChanges) }

// wave is how many creates, or updates, a cycle may cause.
func wave(linked int, percent float64) int { return share(linked, percent, minHeldWave) }

// share is the given percent of the links, or least where that is more.
func share(linked int, percent float64, least int) int {
	return max(least, int(float64(linked)*percent/100))
}

func tooManyDeletes(c census, threshold int, percent float64) bool {
	if c.leavers > threshold {
		return true
	}
	return percent > 0 && c.leavers >= MinPercentDeletes && float64(c.leavers)*100 > float64(c.linked)*percent
}

func thresholdText(c census, j *Job) string {
	if c.leavers > j.Threshold {
		return fmt.Sprint(j.Threshold)
	}
	return fmt.Sprintf("%g %% of %d linked users", j.Percent, c.linked)
}

// shrunk reports a scope that fell to zero, or by more than the given percent of
// a good count of 20 or more. percent 0 turns the share off, not the zero.
func shrunk(c census, percent float64) bool {
	if c.good == 0 {
		return false
	}
	if c.inScope == 0 {
		return true
	}
	return percent > 0 && c.good >= minGoodScope && float64(c.good-c.inScope)*100 > float64(c.good)*percent
}

// spanText is a span of time as a sentence has it.
func spanText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "a day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}
