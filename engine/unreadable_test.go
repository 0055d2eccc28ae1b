package engine_test

import (
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A user whom the source does not let be read by id fails alone, is in the log as
// that, and is tried again; the others of the same batch go on.
func TestUserWhoCannotBeReadFailsAlone(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 4)
		w.group(1, userID(1), userID(2))
		w.assignedTo(1)
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.must(w.contoso.AddMember(groupID(1), userID(3)))
		w.must(w.contoso.AddMember(groupID(1), userID(4)))
		w.must(w.contoso.RemoveMember(groupID(1), userID(2))) // linked, and read before the delete
		var faults []entrasim.Fault
		for _, n := range []int{2, 3} {
			faults = append(faults, entrasim.Fault{Method: "GET", Path: "/users/" + userID(n), Item: "inner", Status: 400, Code: "Request_BadRequest", Message: "Cannot be read."})
		}
		w.contoso.SetFaults(faults)
		w.saidIs(func() {
			w.summary(w.sync(store.OutcomePartial), store.Summary{Create: 1, Failed: 2})
		}, "create failure  InvalidValue", "update failure "+upn(2)+" InvalidValue", "create success "+upn(4))
		w.linked(1, 2, 4)
		if got := w.retries(); len(got) != 2 || got[0].SourceID != userID(2) || got[1].SourceID != userID(3) {
			t.Errorf("retries: got %+v, want those who could not be read", got)
		}
		w.contoso.SetFaults(nil)
		id := w.targetID(2)
		w.sync(store.OutcomeSuccess)
		w.linked(1, 3, 4)
		if !w.inBin(id) {
			t.Error("who has left is still there")
		}
	})
}

// Who is named in the configuration and not in the source yet costs nothing, and is
// in scope from the day they are there if they are named by id; a name is looked up
// again by the next initial cycle.
func TestNamedUserWhoIsNotThereYet(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.assigned(engine.Scope{Users: []string{upn(1), userID(2), upn(3)}})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.people(2, 3)
		w.sync(store.OutcomeSuccess)
		w.linked(1, 2)
		w.syncInitial(store.OutcomeSuccess)
		w.linked(1, 2, 3)
	})
}

// A source that does not answer for a named user says nothing about who is in scope.
func TestNamedUserOfASourceThatRefuses(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.assigned(engine.Scope{Users: []string{userID(1), userID(2)}})
		w.sync(store.OutcomeSuccess)
		w.contoso.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users/" + userID(2), Item: "inner", Status: 400, Code: "Request_BadRequest", Message: "No."}})
		w.journalIs(func() { w.syncInitial(store.OutcomeFailed) })
		w.contoso.SetFaults(nil)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.linked(1, 2)
	})
}

// A name that several users have is nobody's: they are named, and nothing happens.
func TestNameOfSeveralUsersMeansNobody(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.update(w.contoso, userID(2), map[string]any{"displayName": "User 001"})
		_, err := w.engine.Provision(w.Context(), engine.ProvisionRequest{Job: jobName, User: "User 001"})
		e := engine.AsError(err)
		if e == nil || e.Class != engine.ClassUsage || e.Code != "AmbiguousUser" || !strings.Contains(e.Message, "2 users in contoso") ||
			!strings.Contains(e.Cause, upn(1)) || !strings.Contains(e.Cause, upn(2)) || strings.Contains(e.Cause, upn(3)) {
			t.Errorf("got %+v, want that both are named", e)
		}
		w.linked()
	})
}

// A delete that the target refuses fails for its user alone; the user stays linked
// and is tried again.
func TestRefusedDeleteFailsAlone(t *testing.T) {
	inSales(t, 5, nil, func(w *world) {
		refused, deleted := w.targetID(1), w.targetID(2)
		w.leave(1, 2)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "DELETE", Path: "/users/" + refused, Item: "inner", Status: 403, Code: "Authorization_RequestDenied", Message: "Insufficient privileges."}})
		w.saidIs(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Delete: 1, Failed: 1}) },
			"delete failure "+upn(1)+" InsufficientRights", "delete success "+upn(2))
		if got := w.targetID(1); got != refused || w.inBin(refused) || !w.inBin(deleted) {
			t.Errorf("got linked to %s, deleted %v and %v, want %s there and the other deleted", got, w.inBin(refused), w.inBin(deleted), refused)
		}
		w.fabrikam.SetFaults(nil)
		w.pass(time.Hour)
		w.journalIs(func() { w.sync(store.OutcomeSuccess) }, "DELETE /users/"+refused)
	})
}

// A manager whom the target does not find for a moment is written again until it does.
func TestManagerNotVisibleYetIsWrittenAgain(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		w.manages(1, 2)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "PUT", Path: "/users/" + w.targetID(2) + "/manager/$ref", Item: "inner", Status: 404, Code: "Request_ResourceNotFound",
			Message: "Resource does not exist or one of its queried reference-property objects are not present.", Nth: 1, Times: 3}})
		began := time.Now()
		w.sync(store.OutcomeSuccess)
		w.managed(2, 1)
		if took := time.Since(began); took < 7*time.Second || took > time.Minute {
			t.Errorf("took %v, want pauses of one, two and four seconds", took)
		}
		if got := w.retries(); len(got) != 0 {
			t.Errorf("retries: got %+v, want none", got)
		}
	})
}
