package reliability_test

import (
	"math/rand/v2"
	"slices"
	"time"

	"tenantsync/entra/entrasim"
)

// window is how far back the first job adds its deletions up, where the setup sets
// a threshold for them: the whole story, and some cycles after it.
const window = 24 * time.Hour

// strained puts strain, into scripts that neither rare nor spoiled has changed, on
// what these leave in peace: group rounds of many pages, updates that meet somebody
// else's, an emptied scope, the moving window, and retries that nobody asks for. The
// chance is its own here too.
func (s *Script) strained() {
	r := rand.New(rand.NewPCG(s.Seed, 0x7374_7261_696e))
	u := &s.Setup
	u.Patient = r.IntN(3) == 0
	if r.IntN(4) == 0 {
		u.Window = 1 + r.IntN(5)
	}
	cycles := s.cycles()
	at := cycles[r.IntN(len(cycles))]
	switch r.IntN(6) {
	case 0: // a round of groups is read anew, page by page, and one of them fails
		u.MemberPage = 3 + r.IntN(6)
		s.Steps = slices.Insert(s.Steps, at, Step{Do: []string{"expire", "restart"}[r.IntN(2)]}, Step{Do: "fault", Fault: brokenRound(r)})
	case 1:
		s.Steps = slices.Insert(s.Steps, at, Step{Do: "redepartment", Text: []string{"Sales", "Legal"}[r.IntN(2)]}, Step{Do: "fault", Fault: met(r)})
	case 2: // for as long as some cycles
		to := cycles[len(cycles)-1]
		ends := []Step{{Do: "ends"}}
		fault := refusal(r)
		if u.Stale > 0 { // and tried again before every server of the source has heard of it
			ends = []Step{{Do: "redepartment", Text: []string{"Sales", "Legal"}[r.IntN(2)]}, {Do: "cycle"}, {Do: "ends"}}
		}
		s.Steps = slices.Insert(s.Steps, to, ends...)
		s.Steps = slices.Insert(s.Steps, at, Step{Do: "begins", Fault: fault})
	case 3:
		empty := Step{Do: "empty group", Who: 1}
		if u.Job.Scope == "" {
			empty = Step{Do: "redepartment", Text: "Mining"}
		}
		s.Steps = slices.Insert(s.Steps, at, empty)
	}
}

// brokenRound is a page of a group round, but for the first, that cannot be read
// or is not whole.
func brokenRound(r *rand.Rand) *entrasim.Fault {
	f := &entrasim.Fault{Method: "GET", Path: "/groups/delta", Nth: 2 + r.IntN(3), Times: 1 + r.IntN(12)}
	switch r.IntN(4) {
	case 0, 1:
		f.Status, f.Code, f.Message = 503, "ServiceNotAvailable", "Service is temporarily unavailable."
	case 2:
		f.CutEnd = 3 + r.IntN(300)
	case 3:
		f.Round = "dropLink"
	}
	return f
}

// met is an update that meets another change of the same user.
func met(r *rand.Rand) *entrasim.Fault {
	f := refusal(r)
	f.Status, f.Code, f.Message = 409, "Request_ConcurrencyViolation", "Conflict: another change of the object is in progress."
	if r.IntN(2) == 0 {
		f.Status, f.Code, f.Message = 412, "Directory_ConcurrencyViolation", "The resource has changed on the server."
	}
	return f
}

// refusal is an update that the target refuses for no reason that passes by itself
// at once.
func refusal(r *rand.Rand) *entrasim.Fault {
	return &entrasim.Fault{Tenant: "fabrikam", Method: "PATCH", Path: "/users/*", Item: "inner", Probability: 0.2 + r.Float64()/2,
		Status: 400, Code: "Request_BadRequest", Message: "Invalid value specified for property of resource 'User'."}
}
