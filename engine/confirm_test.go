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

// looking is a source that is about to read users by id.
type looking struct {
	engine.Source
	before func(n int) // n counts the reads, from 1
	reads  *int
}

func (l looking) Users(ctx context.Context, ids, selects []string) ([]directory.Lookup, error) {
	*l.reads++
	l.before(*l.reads)
	return l.Source.Users(ctx, ids, selects)
}

// beforeRead runs f before the n-th time that a cycle reads source users by id.
func (w *world) beforeRead(n int, f func()) {
	w.Helper()
	w.configure(false, func(j *engine.Job) {
		j.Source = looking{j.Source, func(i int) {
			if i == n {
				f()
			}
		}, new(int)}
	})
}

// Who is there again when the delete is about to go stays, whatever the cycle had
// read before; the next cycle finds nothing to do.
func TestRestoredInTheSourceBeforeTheDelete(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		w.must(w.contoso.Delete(userID(2)))
		w.beforeRead(2, func() { w.must(w.contoso.Restore(userID(2))) })
		w.saidIs(func() {
			w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Skipped: 1}) })
		}, "delete skipped "+upn(2)+" DeleteNotConfirmed")
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.equal(through(1, 5)...)
		w.counted(5, 5, 0)
	})
}

func TestBackInScopeBeforeTheDelete(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		w.leave(2)
		w.beforeRead(2, func() { w.back(2) })
		w.saidIs(func() {
			w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		}, "delete skipped "+upn(2)+" DeleteNotConfirmed")
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.equal(through(1, 5)...)
		w.counted(5, 5, 0)
	})
}

// One answer of one replica is no proof: a user who is read by id for another
// reason, and not found once, stays.
func TestNotFoundOnceDeletesNobody(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		w.update(w.contoso, userID(2), map[string]any{"city": "Rome"})
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PATCH", Path: "/users/*", Status: 400, Code: "Request_BadRequest", Message: "No.", Nth: 1}})
		w.sync(store.OutcomePartial)
		w.fabrikam.SetFaults(nil)
		w.contoso.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/*", Item: "inner", Status: 404, Code: "Request_ResourceNotFound",
			Message: "Resource does not exist.", Nth: 1}})
		w.pass(24 * time.Hour)
		w.saidIs(func() {
			w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		}, "delete skipped "+upn(2)+" DeleteNotConfirmed")
		w.sync(store.OutcomeSuccess)
		w.equal(through(1, 5)...)
		w.counted(5, 5, 0)
	})
}

// A source that cannot confirm a delete delays it, and nothing else.
func TestDeleteWaitsForASourceThatAnswers(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		id := w.targetID(2)
		w.leave(2)
		w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
		w.beforeRead(2, func() {
			w.contoso.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/*", Item: "inner", Status: 403, Code: "Authorization_RequestDenied"}})
		})
		w.saidIs(func() {
			w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(3)+` {"city":"Rome"}`)
		}, "delete skipped "+upn(2)+" DeleteNotConfirmed", "update success "+upn(3))
		w.contoso.SetFaults(nil)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+id)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}
