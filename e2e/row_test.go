package e2e_test

import "fmt"

// row is what one command did, as the page of the worked example shows it.
type row struct {
	When, Job, What                                             string
	Created, Restored, Updated, Disabled, Deleted, Held, Failed int
	Requests, Writes                                            int
}

// rowOf is the row of a cycle.
func rowOf(when string, c cycle) row {
	s := c.Summary
	return row{
		When: when, Job: c.Job, What: c.Cycle, Created: s.Create, Restored: s.Restore, Updated: s.Update, Disabled: s.Disable, Deleted: s.Delete,
		Held: s.Held, Failed: s.Failed, Requests: c.Graph.Requests, Writes: c.Graph.Writes,
	}
}

const rowHead = "| Day | Job | Cycle | Created | Restored | Updated | Deleted | Held | Failed at first | Requests | Writes |\n" +
	"|---|---|---|---|---|---|---|---|---|---|---|\n"

func (r row) String() string {
	return fmt.Sprintf("| %s | %s | %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", r.When, r.Job, r.What,
		r.Created, r.Restored, r.Updated, r.Deleted, r.Held, r.Failed, r.Requests, r.Writes)
}

// done is the row without its requests: a daemon remembers between two cycles
// what a process of its own reads each time, the organizations of the tenants.
func (r row) done() row {
	r.Requests = 0
	return r
}
