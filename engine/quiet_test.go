package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// fullDisk is a store whose commits fail while full is set.
type fullDisk struct {
	store.Store
	full *atomic.Bool
}

func (s fullDisk) Apply(ctx context.Context, b *store.Batch) error {
	if s.full.Load() {
		return errors.New("no space left on device")
	}
	return s.Store.Apply(ctx, b)
}

func TestFullDiskDoesNotAskTheTenantsOverAndOver(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.configure(false, func(j *engine.Job) { j.AutoStart = true })
		var full atomic.Bool
		e, err := engine.New(engine.Options{Jobs: w.jobs, Store: fullDisk{w.st, &full}})
		w.must(err)
		ctx, cancel := context.WithCancel(w.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		w.pass(10 * time.Minute)
		full.Store(true)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		before, asked := w.contoso.Counts().Requests, 0
		for range 60 * 60 {
			// Without a rest between the cycles virtual time would not go on.
			w.pass(time.Second)
			if asked = w.contoso.Counts().Requests - before; asked > 100 {
				break
			}
		}
		if asked < 2 || asked > 30 {
			t.Errorf("requests in an hour with a full disk: got %d, want one or two for each five minutes", asked)
		}
		full.Store(false)
		w.pass(10 * time.Minute)
		w.equal(1)
		cancel()
		w.must(<-done)
	})
}

func TestSensitiveValueRepeatedByARefusal(t *testing.T) {
	story(t, func(w *world) {
		ms := mapping.Default()
		for i := range ms {
			ms[i].Sensitive = ms[i].Target == "city"
		}
		w.mapped(ms...)
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.fabrikam.SetFaults([]entrasim.Fault{{Path: "/users/*", Method: "PATCH", Item: "inner", Status: 400,
			Code: "Request_BadRequest", Message: "The value 'Xanadu-7' of property city is not allowed."}})
		w.update(w.contoso, userID(1), map[string]any{"city": "Xanadu-7"})
		w.sync(store.OutcomePartial)
		r := w.provision(engine.ProvisionRequest{User: upn(1)})
		said := fmt.Sprintf("%+v %+v %+v", w.log(store.LogQuery{}), w.retries(), r)
		if strings.Contains(said, "Xanadu-7") || !strings.Contains(said, "(sensitive)") {
			t.Errorf("got the value of a sensitive mapping, or no mask, in: %s", said)
		}
	})
}

func TestProvisionDuringACycleIsCounted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		for _, n := range through(1, 30) {
			w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
		}
		once, inner := false, w.jobs[0].Target
		w.configure(false, func(j *engine.Job) {
			j.Target = interrupted{inner, func() {
				if once {
					return
				}
				once = true
				w.person(31, nil)
				go w.provision(engine.ProvisionRequest{User: upn(31)})
			}}
		})
		w.sync(store.OutcomeSuccess)
		w.pass(time.Second)
		w.sync(store.OutcomeSuccess)
		w.counted(31, 31, 0)
	})
}
