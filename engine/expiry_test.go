package engine_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
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
			j.Credentials = []engine.CredentialEnd{{Tenant: "fabrikam", Kind: "certificate", NotAfter: began.Add(40*24*time.Hour + time.Hour)}}
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
			j.Credentials = []engine.CredentialEnd{{Tenant: "fabrikam", Kind: "certificate", NotAfter: time.Now().Add(6 * 24 * time.Hour)},
				{Tenant: "fabrikam", Kind: "secret", NotAfter: time.Now().Add(24 * time.Hour)},
				{Tenant: "contoso", Kind: "secret", NotAfter: time.Now().Add(31 * 24 * time.Hour)}}
		})
		found, err := engine.RunChecks(w.Context(), []engine.CheckSubject{{Job: w.jobs[0]}})
		w.must(err)
		var got []string
		for _, c := range found {
			if c.Name == "credential" {
				got = append(got, c.Tenant+" "+string(c.Status)+" "+c.Detail)
			}
		}
		want := []string{"fabrikam warning the certificate for fabrikam expires on 2000-01-07, in 6 days",
			"fabrikam warning the secret for fabrikam expires on 2000-01-02, in 1 day"}
		if diff := cmp.Diff(want, got); diff != "" {
			w.Errorf("check (-want +got):\n%s", diff)
		}
	})
}

// What expires soon is also told when the daemon begins, and when it learns of it by
// a reload: whoever has waited for the next step would have been told too late. What
// it knew already, and what nobody uses, is not told again.
func TestWhatExpiresIsToldWhenItIsLearnedOf(t *testing.T) {
	story(t, func(w *world) {
		core, logs := observer.New(zap.WarnLevel)
		told := func() []string {
			var list []string
			for _, x := range logs.TakeAll() {
				if x.Message == "credential expires" {
					list = append(list, x.ContextMap()["reason"].(string))
				}
			}
			return list
		}
		end := func(days int) engine.CredentialEnd {
			return engine.CredentialEnd{Tenant: "fabrikam", Kind: "secret", NotAfter: time.Now().UTC().Add(time.Duration(days)*24*time.Hour + time.Hour)}
		}
		with := func(ends ...engine.CredentialEnd) []engine.Job {
			jobs := slices.Clone(w.jobs)
			jobs[0].Credentials = ends
			return jobs
		}
		var err error
		w.engine, err = engine.New(engine.Options{Jobs: with(end(20)), Store: w.st, Log: zap.New(core)})
		w.must(err)
		w.sync(store.OutcomeSuccess)
		expect := func(when string, want ...string) {
			w.Helper()
			if diff := cmp.Diff(want, told()); diff != "" {
				w.Errorf("%s: warnings (-want +got):\n%s", when, diff)
			}
		}
		expect("the first cycle", "the secret for fabrikam expires on 2000-01-21, in 20 days")
		ctx, stop := context.WithCancel(w.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.engine.Run(ctx) }()
		synctest.Wait()
		expect("the daemon begins", "the secret for fabrikam expires on 2000-01-21, in 20 days")
		w.must(w.engine.Reload(with(end(20))))
		expect("the same once more")
		w.must(w.engine.Reload(with(end(20), end(5))))
		expect("one that was not known", "the secret for fabrikam expires on 2000-01-06, in 5 days")
		w.must(w.engine.Reload(with(end(400))))
		expect("a new one")
		idle := with(end(3))
		idle[0].Enabled = false
		w.must(w.engine.Reload(idle))
		expect("of a job that is not enabled")
		w.must(w.engine.Reload(with(end(3))))
		expect("and when it is", "the secret for fabrikam expires on 2000-01-04, in 3 days")
		hours := with(end(0))
		hours[0].Credentials[0].NotAfter = time.Now().Add(90 * time.Minute)
		w.must(w.engine.Reload(hours))
		expect("on its last day", "the secret for fabrikam expires on 2000-01-01, in 1 hour")
		stop()
		w.must(<-ended)
	})
}
