package engine_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
)

// breakage is how a world is broken at one of the many places where it can be.
type breakage struct {
	// what is broken: a call, a request.
	what string
	// told: an act that meets it ends with an error.
	told bool
	// begin breaks the n-th place from now on, none when n is 0, and returns the engine
	// that is to meet it; left tells how many were still to come before it.
	begin func(w *world, n int) (e *engine.Engine, left func() int)
	// end mends the world.
	end func(w *world)
}

// stride is which places are tried: every one, and with -short every eleventh.
func stride() int {
	if testing.Short() {
		return 11
	}
	return 1
}

// roomy lets garbage lie while a test runs: many small worlds cost more to collect
// one by one than to keep some.
func roomy(t *testing.T) {
	before := debug.SetGCPercent(600)
	t.Cleanup(func() { debug.SetGCPercent(before) })
}

// sweep tries a deed with each place broken in turn, until it meets none any more:
// each time in a new world, which has to come to the same end as if nothing had
// happened.
func sweep(t *testing.T, d deed, b breakage) {
	t.Helper()
	var want []string
	done := false
	for n := 0; !done && !t.Failed(); n += stride() {
		story(t, func(w *world) {
			met := w.meet(d, b, n)
			done = n > 0 && !met
			w.settle(d)
			w.sourceUntouched()
			if got := w.outcome(); n == 0 {
				want = got
			} else if diff := cmp.Diff(want, got); diff != "" {
				w.Fatalf("%s %d fails: the target afterwards (-want +got):\n%s%s", b.what, n, diff, w.failures())
			}
		})
	}
}

// meet does what is to be done while the n-th place is broken, and reports whether
// it came so far.
func (w *world) meet(d deed, b breakage, n int) (met bool) {
	w.Helper()
	d.prepare(w)
	before := w.outcome()
	e, left := b.begin(w, n)
	err := d.act(w.Context(), e)
	met = n > 0 && left() <= 0
	b.end(w)
	switch {
	case n == 0 && err != nil:
		w.Fatalf("nothing fails: got %v", err)
	case met && b.told && err == nil:
		w.Fatalf("%s %d fails: got no error", b.what, n)
	case d.looks && !slices.Equal(w.outcome(), before):
		w.Fatalf("%s %d fails: what only looks changed something", b.what, n)
	}
	return met
}

// settle asks again for what a fault kept from its end, and lets some days pass.
func (w *world) settle(d deed) {
	w.Helper()
	_, err := w.engine.Status(w.Context(), jobName)
	w.must(err)
	held, err := w.engine.Held(w.Context(), jobName, false)
	if d.decides && err == nil && len(held.Held) > 0 {
		w.must(d.act(w.Context(), w.engine))
	}
	for range 3 {
		w.pass(48 * time.Hour)
		_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
	}
}

// outcome is what the target holds, in words: who is there, deleted or not, with
// the values that the mappings give, and the manager.
func (w *world) outcome() []string {
	w.Helper()
	var out []string
	mails := map[string]any{}
	users := dumped(w.fabrikam)
	for id, u := range users {
		mails[id] = u["mail"]
	}
	for _, u := range users {
		out = append(out, fmt.Sprint(u["mail"], " enabled ", u["accountEnabled"], " ", u["city"], " ", u["department"], " ", u["userType"], " under ", mails[managerOf(u)]))
	}
	for _, o := range w.fabrikam.DeletedUsers() {
		out = append(out, fmt.Sprint(o.String("mail"), " deleted"))
	}
	slices.Sort(out)
	return out
}

// nested gives the job a scope of nested groups and a filter on another one,
// beside everything that mixed prepares.
func (w *world) nested() {
	w.Helper()
	w.people(1, 9)
	w.group(3, userID(3), userID(4), userID(5))
	w.group(2, groupID(3), userID(2))
	w.group(1, groupID(2), userID(1))
	w.group(4, userID(9))
	w.assigned(engine.Scope{Groups: []string{groupID(1), groupID(4)}, Nested: true})
	w.configure(false, func(j *engine.Job) { j.Percent = 0 })
	w.sync(store.OutcomeSuccess)
	w.must(w.contoso.RemoveMember(groupID(3), userID(4)))
	w.must(w.contoso.AddMember(groupID(3), userID(6)))
	w.must(w.contoso.DeleteGroup(groupID(4)))
	w.manages(1, 6)
}

// held leaves deletions that wait for approval.
func (w *world) held() {
	w.Helper()
	w.filtered(scope.Clause{Attribute: "department", Operator: scope.Equals, Values: []string{"Sales"}})
	w.configure(false, func(j *engine.Job) { j.Threshold = 1 })
	w.people(1, 12)
	w.sync(store.OutcomeSuccess)
	w.leave(2, 3, 4)
	w.manages(2, 5)
	w.sync(store.OutcomeQuarantine)
	w.back(4)
}

// deed is something that is done to a world that was prepared for it.
type deed struct {
	prepare func(w *world)
	act     func(context.Context, *engine.Engine) error
	// looks: it changes nothing. decides: it is asked for again where a fault kept it
	// from its end. alone: it asks no tenant.
	looks, decides, alone bool
}

// deeds are what faults are tried on, by name.
func deeds() map[string]deed {
	cycle := func(initial bool) func(context.Context, *engine.Engine) error {
		return func(ctx context.Context, e *engine.Engine) error {
			r, err := e.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: initial}, nil)
			if err == nil && r.Error != nil {
				err = r.Error
			}
			return err
		}
	}
	provision := func(n int) func(context.Context, *engine.Engine) error {
		return func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Provision(ctx, engine.ProvisionRequest{Job: jobName, User: userID(n)})
			return err
		}
	}
	return map[string]deed{
		"incremental cycle": {prepare: (*world).mixed, act: cycle(false)},
		"initial cycle":     {prepare: (*world).mixed, act: cycle(true)},
		"first cycle":       {prepare: func(w *world) { w.mixed(); w.forget() }, act: cycle(false)},
		"groups":            {prepare: (*world).nested, act: cycle(false)},
		"groups, initial":   {prepare: (*world).nested, act: cycle(true)},
		"plan": {prepare: (*world).mixed, looks: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Plan(ctx, engine.PlanRequest{Job: jobName, Initial: true, Collisions: true, Unchanged: true}, nil)
			return err
		}},
		"plan of groups": {prepare: (*world).nested, looks: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Plan(ctx, engine.PlanRequest{Job: jobName}, nil)
			return err
		}},
		"provision, create":   {prepare: (*world).mixed, act: provision(13)},
		"provision, update":   {prepare: (*world).mixed, act: provision(5)},
		"provision, restore":  {prepare: (*world).mixed, act: provision(3)},
		"provision by groups": {prepare: (*world).nested, act: provision(6)},
		"explain": {prepare: (*world).mixed, looks: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Explain(ctx, userID(5), jobName)
			if err == nil {
				_, err = e.ScopeTest(ctx, userID(5), jobName)
			}
			return err
		}},
		"status": {prepare: (*world).held, looks: true, alone: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Status(ctx, jobName)
			if err == nil {
				_, err = e.Retries(ctx, jobName)
			}
			if err == nil {
				_, err = e.Held(ctx, jobName, false)
			}
			return err
		}},
		"allow": {prepare: (*world).held, decides: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Allow(ctx, jobName, nil, true)
			return err
		}},
		"reject": {prepare: (*world).held, decides: true, alone: true, act: func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Reject(ctx, jobName, nil, true)
			return err
		}},
		"restart": {prepare: (*world).held, alone: true, act: func(ctx context.Context, e *engine.Engine) error {
			return e.Restart(ctx, jobName)
		}},
	}
}
