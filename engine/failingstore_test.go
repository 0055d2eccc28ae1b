package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/scope"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// failingStore is a store whose n-th call fails, once.
type failingStore struct {
	store.Store
	mu   *sync.Mutex
	left *int
}

var errFailing = errors.New("input/output error")

// spent counts a call and reports that it is the one to fail.
func (s failingStore) spent() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if *s.left--; *s.left == 0 {
		return errFailing
	}
	return nil
}

func (s failingStore) Apply(ctx context.Context, b *store.Batch) error {
	if err := s.spent(); err != nil {
		return err
	}
	return s.Store.Apply(ctx, b)
}

func (s failingStore) Job(ctx context.Context, name string) (store.Job, error) {
	if err := s.spent(); err != nil {
		return store.Job{}, err
	}
	return s.Store.Job(ctx, name)
}

func (s failingStore) Links(ctx context.Context, q store.LinkQuery) ([]store.Link, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.Links(ctx, q)
}

func (s failingStore) Members(ctx context.Context, q store.MemberQuery) ([]store.Member, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.Members(ctx, q)
}

func (s failingStore) StagePages(ctx context.Context, job string, after, limit int) ([]store.StagePage, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.StagePages(ctx, job, after, limit)
}

func (s failingStore) Waiting(ctx context.Context, job string) (store.Waiting, error) {
	if err := s.spent(); err != nil {
		return store.Waiting{}, err
	}
	return s.Store.Waiting(ctx, job)
}

func (s failingStore) Verdicts(ctx context.Context, q store.VerdictQuery) ([]store.Verdict, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.Verdicts(ctx, q)
}

func (s failingStore) Cycles(ctx context.Context, q store.CycleQuery) ([]store.Cycle, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.Cycles(ctx, q)
}

func (s failingStore) Log(ctx context.Context, q store.LogQuery) ([]store.Entry, error) {
	if err := s.spent(); err != nil {
		return nil, err
	}
	return s.Store.Log(ctx, q)
}

// failing is an engine over the world's state whose n-th call to it, or to a
// scratch file, fails.
func (w *world) failing(n int) (*engine.Engine, *int) {
	w.Helper()
	var mu sync.Mutex
	left := n
	e, err := engine.New(engine.Options{Jobs: w.jobs, Store: failingStore{w.st, &mu, &left},
		Scratch: func(context.Context) (store.Store, error) {
			s, err := bolt.Scratch(w.scratchDir)
			return failingStore{s, &mu, &left}, err
		}})
	w.must(err)
	return e, &left
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
		"incremental cycle": {(*world).mixed, cycle(false)},
		"initial cycle":     {(*world).mixed, cycle(true)},
		"first cycle":       {func(w *world) { w.mixed(); w.forget() }, cycle(false)},
		"groups":            {(*world).nested, cycle(false)},
		"groups, initial":   {(*world).nested, cycle(true)},
		"plan": {(*world).mixed, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Plan(ctx, engine.PlanRequest{Job: jobName, Initial: true, Collisions: true, Unchanged: true}, nil)
			return err
		}},
		"plan of groups": {(*world).nested, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Plan(ctx, engine.PlanRequest{Job: jobName}, nil)
			return err
		}},
		"provision, create":   {(*world).mixed, provision(13)},
		"provision, update":   {(*world).mixed, provision(5)},
		"provision, restore":  {(*world).mixed, provision(3)},
		"provision by groups": {(*world).nested, provision(6)},
		"explain": {(*world).mixed, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Explain(ctx, userID(5), jobName)
			if err == nil {
				_, err = e.ScopeTest(ctx, userID(5), jobName)
			}
			return err
		}},
		"status": {(*world).held, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Status(ctx, jobName)
			if err == nil {
				_, err = e.Retries(ctx, jobName)
			}
			if err == nil {
				_, err = e.Held(ctx, jobName, false)
			}
			return err
		}},
		"allow": {(*world).held, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Allow(ctx, jobName, nil, true)
			return err
		}},
		"reject": {(*world).held, func(ctx context.Context, e *engine.Engine) error {
			_, err := e.Reject(ctx, jobName, nil, true)
			return err
		}},
		"restart": {(*world).held, func(ctx context.Context, e *engine.Engine) error { return e.Restart(ctx, jobName) }},
	}
}

// Whichever call to the state fails: the act ends with an error and not with a
// panic, and when the state works again everything comes to the same end as if
// nothing had happened; nobody is there twice.
func TestEveryCallToTheStateMayFail(t *testing.T) {
	for name, test := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			done := false
			step := 3 // 1 for every call; it takes a minute
			if testing.Short() {
				step = 11
			}
			for n := 0; !done && !t.Failed(); n += step { // 0: nothing fails
				story(t, func(w *world) {
					test.prepare(w)
					before := w.outcome()
					e, left := w.failing(n)
					err := test.act(w.Context(), e)
					done = n > 0 && *left > 0
					switch {
					case n == 0 && err != nil:
						w.Fatalf("nothing fails: got %v", err)
					case n > 0 && !done && err == nil:
						w.Fatalf("call %d fails: got no error", n)
					case n > 0 && !done && name[:4] == "plan" && !slices.Equal(w.outcome(), before):
						w.Fatalf("call %d fails: the plan changed something", n)
					}
					w.restart()
					if name == "allow" || name == "reject" { // what the fault prevented is asked for again
						if _, err := w.engine.Status(w.Context(), jobName); err != nil {
							w.Fatal(err)
						}
						if held, err := w.engine.Held(w.Context(), jobName, false); err == nil && len(held.Held) > 0 {
							w.must(test.act(w.Context(), w.engine))
						}
					}
					for range 3 {
						w.pass(48 * time.Hour)
						_, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
						w.must(err)
					}
					w.sourceUntouched()
					if got := w.outcome(); n == 0 {
						want = got
					} else if diff := cmp.Diff(want, got); diff != "" {
						w.Fatalf("call %d fails: the target afterwards (-want +got):\n%s%s", n, diff, w.failures())
					}
				})
			}
		})
	}
}
