package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tenantsync/engine"
	"tenantsync/store"
)

// A link in the state that somebody led elsewhere is not followed: it is compared
// with the configured origin again before every use, and the cycle fails naming it.
func TestLinksOfATamperedStateAreNotFollowed(t *testing.T) {
	const foreign = "https://graph.simulation.example.evil.example/v1.0/users/delta"
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		rec, err := w.st.Job(w.Context(), jobName)
		w.must(err)
		if rec.Watermark == "" {
			t.Fatal("the state has no delta link to tamper with")
		}
		rec.Watermark = foreign + "?$deltatoken=x"
		w.must(w.st.Apply(w.Context(), &store.Batch{Jobs: []store.Job{rec}}))
		w.restart()
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		var mu sync.Mutex
		var hosts []string
		w.wire.set(func(r *http.Request) error {
			mu.Lock()
			defer mu.Unlock()
			hosts = append(hosts, r.URL.Host)
			return nil
		}, nil)
		w.journalIs(func() {
			r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
			if err == nil && r.Outcome == store.OutcomeSuccess {
				t.Errorf("outcome: got %s, want a cycle that failed", r.Outcome)
			}
			if said := fmt.Sprint(r.Error, err); !strings.Contains(said, foreign) {
				t.Errorf("error: got %q, want it to name %s", said, foreign)
			}
		})
		for _, h := range hosts {
			if h != w.base.Host {
				t.Errorf("a request went to %s", h)
			}
		}
	})
}
