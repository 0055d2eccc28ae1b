package engine_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"tenantsync/engine"
	"tenantsync/store"
)

// A certificate that is about to expire is warned of 30, 14, 7 and 1 days ahead,
// once each, and once when it has expired; status says it all the time.
func TestCertificateThatExpires(t *testing.T) {
	story(t, func(w *world) {
		core, logs := observer.New(zap.WarnLevel)
		began := time.Now().UTC()
		w.configure(false, func(j *engine.Job) {
			j.Credentials = []engine.CredentialEnd{{Tenant: "fabrikam", NotAfter: began.Add(40*24*time.Hour + time.Hour)}}
		})
		var err error
		w.engine, err = engine.New(engine.Options{Jobs: w.jobs, Store: w.st, Log: zap.New(core)})
		w.must(err)
		var days, shown []int
		for day := range 43 {
			if len(w.status().Warnings) > 0 {
				shown = append(shown, day)
			}
			before := logs.FilterMessage("credential expires").Len()
			w.sync(store.OutcomeSuccess)
			w.sync(store.OutcomeSuccess)
			if n := logs.FilterMessage("credential expires").Len() - before; n == 1 {
				days = append(days, day)
			} else if n > 1 {
				w.Errorf("day %d: got %d warnings, want one at most", day, n)
			}
			w.pass(24 * time.Hour)
		}
		if diff := cmp.Diff([]int{11, 27, 34, 40, 41}, days); diff != "" {
			w.Errorf("days of the warnings (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(through(11, 42), shown); diff != "" {
			w.Errorf("days on which status warns (-want +got):\n%s", diff)
		}
	})
}

// A check says so as well, of the side whose certificate it is.
func TestCheckWarnsOfACertificateThatExpires(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) {
			j.Credentials = []engine.CredentialEnd{{Tenant: "fabrikam", NotAfter: time.Now().Add(6 * 24 * time.Hour)},
				{Tenant: "contoso", NotAfter: time.Now().Add(31 * 24 * time.Hour)}}
		})
		found, err := engine.RunChecks(w.Context(), []engine.CheckSubject{{Job: w.jobs[0]}})
		w.must(err)
		var got []string
		for _, c := range found {
			if c.Name == "credential" {
				got = append(got, c.Tenant+" "+string(c.Status)+" "+c.Detail)
			}
		}
		want := []string{"fabrikam warning the certificate for fabrikam expires on 2000-01-07, in 6 days"}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("check (-want +got):\n%s", diff)
		}
	})
}
