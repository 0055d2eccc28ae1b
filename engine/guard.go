package engine

import "fmt"

// minPercentDeletes is from how many objects on the percent threshold counts.
const minPercentDeletes = 10

// minGoodScope is from which last good count on a shrunk scope is judged by share.
const minGoodScope = 20

// minHeldChanges is how many creates and updates a changed configuration may
// always cause.
const minHeldChanges = 100

// census is what the guard is told of a cycle, before its first write.
type census struct {
	linked  int // links of the job at the cycle's start
	leavers int // deletes and disables by leaving scope in this cycle
	inScope int // users in scope now
	good    int // users in scope at the last good cycle
	changes int // creates and updates of this cycle
	// rulesChanged: mappings, filters or scope differ from the last cycle's.
	rulesChanged bool
	accepted     bool // the administrator let the changes through
	first        bool // no cycle of this job has ended yet
}

// ruling is what the guard decided.
type ruling struct {
	holdDeletes Code // "" = they may go
	holdChanges Code // "" = they may go
	message     string
	limit       int
}

// guard judges a cycle once, over the whole stage. It is pure.
func guard(c census, j *Job) ruling {
	r := ruling{limit: j.Threshold}
	switch {
	case shrunk(c, j.ScopeShrink):
		r.holdDeletes = CodeScopeShrunk
		r.message = fmt.Sprintf("%d users are in scope, %d were at the last good cycle", c.inScope, c.good)
	case j.Prevent && c.leavers > 0 && tooManyDeletes(c, j.Threshold, j.Percent):
		r.holdDeletes = CodeTooManyDeletes
		r.message = fmt.Sprintf("%d deletions are above the threshold of %s", c.leavers, thresholdText(c, j))
	}
	if c.rulesChanged && !c.first && !c.accepted && j.Changes > 0 && c.changes > mayChange(c, j) {
		r.holdChanges = CodeTooManyChanges
		if r.message == "" {
			r.message = fmt.Sprintf("the changed configuration would create or update %d users, more than %d",
				c.changes, mayChange(c, j))
		}
	}
	return r
}

// mayChange is how many creates and updates a changed configuration may cause.
func mayChange(c census, j *Job) int {
	return max(minHeldChanges, int(float64(c.linked)*j.Changes/100))
}

func tooManyDeletes(c census, threshold int, percent float64) bool {
	if c.leavers > threshold {
		return true
	}
	return percent > 0 && c.leavers >= minPercentDeletes && float64(c.leavers)*100 > float64(c.linked)*percent
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
