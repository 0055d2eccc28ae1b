package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

// budgetSeeds is how many worlds TestBudgetOfWholeJobs looks at;
// TENANTSYNC_SEEDS sets another number.
func budgetSeeds(t *testing.T) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(os.Getenv("TENANTSYNC_SEEDS"), 10, 32)
	if err != nil {
		return 24
	}
	return n
}

// Whatever two jobs from two tenants and provision on demand do beside each other
// (invitations, updates, references, deletes, restores, repetitions, slow answers),
// the simulated tenant counts no more than 10 × writesPerSecond writes of the app in
// any 10 seconds, or one.
func TestBudgetOfWholeJobs(t *testing.T) {
	for seed := range budgetSeeds(t) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { budgetOfWholeJobs(t, seed) })
	}
}

func budgetOfWholeJobs(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 6))
	rate := []float64{0.1, 0.33, 1, 2.5, 18, 1000}[rng.IntN(6)]
	people := 6
	if rate >= 1 {
		people = 40
	}
	o := entrasim.Options{Seed: seed + 1}
	if rng.IntN(2) == 0 {
		o.ReplicationDelay = 15 * time.Second
	}
	storyOf(t, o, "{}", func(w *world) {
		w.budget = entra.NewBudget(rate)
		w.jobs = []engine.Job{w.newJob(jobName), w.jobFromTailspin(people)}
		w.must(w.engine.Reload(w.jobs))
		w.people(1, people)
		for n := 2; n <= people; n += 2 {
			w.manages(1, n)
		}
		w.fabrikam.SetFaults(troubles(rng))
		for range 3 {
			w.allAtOnce(rng, people)
			w.unrest(rng, people)
		}
		w.fabrikam.SetFaults(nil)
		w.allAtOnce(rng, people)
		limit := max(1, int(10*rate))
		c := w.fabrikam.Counts()
		for app, got := range c.MaxWritesIn10s {
			if got > limit {
				w.Errorf("at %v writes a second: app %s sent %d writes within 10 s, want at most %d", rate, app, got, limit)
			}
		}
		if total := c.TotalWrites(); total < people {
			w.Errorf("writes of the whole run: got %d, want more: the test shows nothing", total)
		}
	})
}

// jobFromTailspin is a job from another source tenant into the same target: with
// another pair, its cycles do not wait for those of the first.
func (w *world) jobFromTailspin(people int) engine.Job {
	w.Helper()
	tailspin := w.tenant("tailspin", `{"organization": {"id": "33333333-3333-4333-8333-333333333333", "displayName": "Tailspin", "verifiedDomains": [
		{"name": "tailspin.onmicrosoft.com", "isInitial": true}, {"name": "tailspin.example", "isDefault": true}]}}`)
	for n := range people {
		upn := fmt.Sprintf("user%03d@tailspin.example", n)
		_, err := tailspin.CreateUser(map[string]any{"userPrincipalName": upn, "displayName": fmt.Sprint("User ", n), "mail": upn})
		w.must(err)
	}
	j := w.newJob("tailspin-to-fabrikam")
	j.SourceName, j.Pair.Source = "tailspin", tailspin.ID
	m := entra.NewMeter()
	j.Source, j.Target, j.Meter = w.client(tailspin).Source(m), w.targetC.Target(m, w.budget), m
	return j
}

// allAtOnce runs a cycle of each job and a few provisions on demand side by side.
func (w *world) allAtOnce(rng *rand.Rand, people int) {
	w.Helper()
	var wg sync.WaitGroup
	for i := range w.jobs {
		name := w.jobs[i].Name
		wg.Go(func() {
			if _, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: name}, nil); err != nil {
				w.Errorf("cycle of %s: %v", name, err)
			}
		})
	}
	pause, who := time.Duration(rng.IntN(20))*time.Second, 1+rng.IntN(people)
	wg.Go(func() {
		time.Sleep(pause)
		// Its outcome is the faults' matter; only its writes count here.
		_, _ = w.engine.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: userID(who)})
	})
	wg.Wait()
}

// unrest is what administrators of the source do between two cycles.
func (w *world) unrest(rng *rand.Rand, people int) {
	for range people / 2 {
		id := userID(1 + rng.IntN(people))
		switch rng.IntN(5) {
		case 0:
			_ = w.contoso.Delete(id) // or it is deleted already
		case 1:
			_ = w.contoso.Restore(id)
		case 2:
			_ = w.contoso.SetManager(id, userID(1+rng.IntN(people)))
		default:
			_ = w.contoso.Update(id, map[string]any{"city": fmt.Sprint("City ", rng.IntN(100))})
		}
	}
}

// troubles are faults that make the engine repeat itself.
func troubles(rng *rand.Rand) []entrasim.Fault {
	all := []entrasim.Fault{
		{Preset: "throttled", Path: "/$batch", Item: "outer", Nth: 1 + rng.IntN(6), Times: 2},
		{Preset: "throttledFraction", Method: "PATCH", Path: "/users/*", Item: "inner", Probability: 0.2},
		{Preset: "throttledSilently", Path: "/invitations", Item: "inner", Probability: 0.1},
		{Preset: "lostAnswer", Path: "/$batch", Item: "outer", Nth: 1 + rng.IntN(6)},
		{Preset: "emptyError", Method: "PATCH", Path: "/users/*", Item: "inner", Probability: 0.1},
		{Preset: "gateway", Path: "/$batch", Item: "outer", Probability: 0.1},
		{Preset: "invitationHiccup", Item: "inner", Probability: 0.1},
	}
	rng.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
	slow := entrasim.Fault{Path: "/$batch", Item: "outer", Delay: entrasim.Duration(time.Duration(rng.IntN(6)) * time.Second), Probability: 0.5}
	return append(all[:1+rng.IntN(3)], slow)
}
