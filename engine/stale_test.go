package engine_test

import (
	"context"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// stopping is a target whose next write stops the cycle before it is sent.
type stopping struct {
	engine.Target
	stop *context.CancelFunc
}

func (s stopping) Write(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	if *s.stop == nil {
		return s.Target.Write(ctx, ws)
	}
	(*s.stop)()
	out := make([]directory.Written, len(ws))
	for i := range out {
		out[i].Err = context.Canceled
	}
	return out, context.Canceled
}

// What a cycle had read before it was stopped long ago decides about nobody.
func TestStageOfLongAgo(t *testing.T) {
	inSales(t, 20, nil, func(w *world) {
		var stop context.CancelFunc
		inner := w.jobs[0].Target
		w.configure(false, func(j *engine.Job) { j.Target = stopping{inner, &stop} })
		w.leave(1)
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		ctx, cancel := context.WithCancel(w.Context())
		stop = cancel
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: true}, nil)
		if err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		stop = nil
		w.back(1)
		w.pass(20 * 24 * time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(2)+` {"city":"Rome"}`)
		w.equal(through(1, 20)...)
	})
}

// A cycle that was stopped and goes on soon after does not put back what
// provision on demand wrote in between.
func TestStageOlderThanProvision(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		var stop context.CancelFunc
		inner := w.jobs[0].Target
		w.configure(false, func(j *engine.Job) { j.Target = stopping{inner, &stop} })
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		ctx, cancel := context.WithCancel(w.Context())
		stop = cancel
		r, err := w.engine.Sync(ctx, engine.SyncRequest{Job: jobName, Initial: true}, nil)
		if err != nil || r.Outcome != store.OutcomeInterrupted {
			t.Fatalf("got %s, %v, want interrupted", r.Outcome, err)
		}
		stop = nil
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.journalIs(func() {
			w.provisioned(engine.ProvisionRequest{User: upn(2)}, "update", "success", "", allDone)
		}, "PATCH /users/"+w.targetID(2)+` {"city":"Bergen"}`)
		w.pass(time.Minute)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.equal(through(1, 5)...)
		w.counted(5, 5, 0)
	})
}

// A read by id may come from a replica that has not heard of a change yet, which
// the round has told and will not tell again.
func TestAStaleReadDoesNotUndoWhatTheRoundTold(t *testing.T) {
	storyOf(t, entrasim.Options{StaleReads: 20 * time.Second}, "{}", func(w *world) {
		w.people(1, 4)
		w.sync(store.OutcomeSuccess)
		w.pass(time.Hour)
		w.update(w.contoso, userID(1), map[string]any{"city": "Rome"})
		w.update(w.contoso, userID(2), map[string]any{"jobTitle": nil, "department": "Legal"})
		w.setEnabled(w.contoso, userID(3), false)
		w.must(w.contoso.SetManager(userID(4), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.equal(1, 3, 4)
		if got := w.targetUser(2).String("department"); got != "Legal" {
			t.Errorf("department of user 2: got %s, want Legal", got)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.pass(time.Minute)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
	})
}
