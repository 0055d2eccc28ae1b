package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// What somebody changed in the target is not looked for by incremental cycles; a
// comparing one shows it value by value, in the plan before and in the log after
// it has set what the mappings say.
func TestChangedByHandInTheTarget(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 3)
		w.sync(store.OutcomeSuccess)
		w.update(w.fabrikam, w.targetID(2), map[string]any{"department": "Piracy", "employeeType": "kept: nothing maps it"})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })

		p := w.plan(engine.PlanRequest{Initial: true})
		if len(p.Changes) != 1 || len(p.Changes[0].Modified) != 1 {
			w.Fatalf("plan: got %+v, want one change of one attribute", p.Changes)
		}
		m := p.Changes[0].Modified[0]
		if m.Name != "department" || m.Old == nil || *m.Old != "Piracy" || m.New == nil || *m.New != "Sales" {
			w.Errorf("plan: got %+v, want department Piracy to Sales", m)
		}
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(2)+` {"department":"Sales"}`)
		e := w.log(store.LogQuery{Limit: 1})[0]
		if len(e.Modified) != 1 || e.Modified[0].OldValue == nil || *e.Modified[0].OldValue != "Piracy" {
			w.Errorf("log: got %+v, want the value that was overwritten", e.Modified)
		}
		if got := w.targetUser(2).String("employeeType"); !strings.HasPrefix(got, "kept") {
			w.Errorf("employeeType: got %q, want what was set by hand: nothing maps it", got)
		}
	})
}

// Answers of a batch come in any order, and belong to their ids.
func TestBatchAnswersInAnyOrder(t *testing.T) {
	troubled(t, entrasim.Options{}, anyway, entrasim.Fault{Preset: "shuffledBatch"})
}

// Replicas that are behind show old values; nothing is taken back because of them,
// and once they agree the target is what the source says.
func TestReadsThatAreBehind(t *testing.T) {
	for seed := range uint64(8) {
		storyOf(t, entrasim.Options{Seed: seed + 1, StaleReads: 90 * time.Second, ReplicationDelay: 20 * time.Second, Replicas: 3}, "{}", func(w *world) {
			w.people(1, 12)
			w.sync(store.OutcomeSuccess)
			for round := range 5 {
				city := []string{"Bergen", "Oslo", "Voss", "Moss", "Bod\u00f8"}[round]
				for n := 1; n <= 12; n += 2 {
					w.update(w.contoso, userID(n), map[string]any{"city": city, "accountEnabled": round%2 == 0})
				}
				req := engine.SyncRequest{Job: jobName, Initial: round%2 == 1}
				_, err := w.engine.Sync(w.Context(), req, nil)
				w.must(err)
				w.pass(20 * time.Second)
			}
			w.pass(10 * time.Minute)
			w.untilQuiet()
			w.syncInitial(store.OutcomeSuccess)
			w.equal(through(1, 12)...)
			w.once(12)
			if diff := cmp.Diff(12, w.status().Linked); diff != "" {
				w.Errorf("linked (-want +got):\n%s", diff)
			}
		})
	}
}

// What becomes of a value that was changed by hand is said attribute by attribute:
// a mapping with ObjectAddOnly writes on create and leaves it after that.
func TestChangedByHandWhereTheMappingWritesOnCreate(t *testing.T) {
	story(t, func(w *world) {
		ms := mapping.Default()
		for i := range ms {
			if ms[i].Target == "department" {
				ms[i].FlowType = mapping.ObjectAddOnly
			}
		}
		w.mapped(ms...)
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		if got := w.targetUser(1).String("department"); got != "Sales" {
			t.Fatalf("department of who was created: got %q, want Sales", got)
		}
		w.update(w.fabrikam, w.targetID(1), map[string]any{"department": "Piracy", "city": "Port Royal"})
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) }, "PATCH /users/"+w.targetID(1)+` {"city":"Oslo"}`)
		if got := w.targetUser(1).String("department"); got != "Piracy" {
			t.Errorf("department: got %q, want Piracy: it was set by hand", got)
		}
	})
}
