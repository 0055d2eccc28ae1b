package engine_test

import (
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/store"
)

// A job that waits because signing in failed runs at once when somebody has mended
// the credential, and not before; a job that waits for its schedule is not hurried.
func TestAMendedCredentialIsUsedAtOnce(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		right := w.jobs[0].Source
		wrong, err := entra.New(entra.Config{Name: "contoso", TenantID: w.contoso.ID, Jitter: func() float64 { return 0.5 },
			Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: w.contoso.AppID, Secret: "wrong"},
			Transport:  w.wire, Graph: w.base.String() + "/v1.0", Authority: w.base.String()})
		w.must(err)
		w.configure(false, func(j *engine.Job) { j.Source = wrong.Source(nil) })
		w.pass(40 * time.Minute)
		w.daemon(func() {
			w.pass(time.Minute)
			w.configure(false, func(j *engine.Job) { j.Source = right })
			mended := time.Now()
			w.pass(10 * time.Minute)
			if got := w.starts(jobName, mended); len(got) != 0 {
				t.Errorf("cycles while the job waits: got %d, want none", len(got))
			}
			w.engine.Hasten(w.Context(), []string{jobName, "a job that is gone"})
			w.pass(time.Minute)
			if got := w.starts(jobName, mended); len(got) != 1 {
				t.Errorf("cycles after the credential was mended: got %d, want one", len(got))
			}
			w.engine.Hasten(w.Context(), []string{jobName})
			w.pass(time.Minute)
			if got := w.starts(jobName, mended); len(got) != 1 {
				t.Errorf("cycles of a job that is well: got %d, want no further one", len(got)-1)
			}
		})
		w.equal(1, 2)
	})
}
