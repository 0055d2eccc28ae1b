package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"tenantsync/engine"
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
// scratch file, fails; left returns how many calls were still to come before it.
func (w *world) failing(n int) (_ *engine.Engine, left func() int) {
	w.Helper()
	var mu sync.Mutex
	count := n
	e, err := engine.New(engine.Options{Jobs: w.jobs, Store: failingStore{w.st, &mu, &count},
		Scratch: func(context.Context) (store.Store, error) {
			s, err := bolt.Scratch(w.scratchDir)
			return failingStore{s, &mu, &count}, err
		}})
	w.must(err)
	return e, func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
}

// Whichever call to the state fails: the act ends with an error and not with a
// panic, and when the state works again everything comes to the same end as if
// nothing had happened; nobody is there twice.
func TestEveryCallToTheStateMayFail(t *testing.T) {
	roomy(t)
	broken := breakage{what: "call", told: true, begin: (*world).failing, end: (*world).restart}
	for name, test := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sweep(t, test, broken)
		})
	}
}
