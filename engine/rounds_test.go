package engine_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// A watermark that the service does not take any more means reading everything,
// and nothing else.
func TestExpiredWatermark(t *testing.T) {
	for name, expire := range map[string]func(w *world){
		"expired":     func(w *world) { w.contoso.ExpireDeltaTokens() },
		"410":         func(w *world) { w.contoso.SetFaults([]entrasim.Fault{{Preset: "resync", Nth: 1}}) },
		"410, empty":  func(w *world) { w.contoso.SetFaults([]entrasim.Fault{{Preset: "resyncEmpty", Nth: 1}}) },
		"400":         func(w *world) { w.contoso.SetFaults([]entrasim.Fault{{Preset: "resyncBadRequest", Nth: 1}}) },
		"410 and 410": func(w *world) { w.contoso.SetFaults([]entrasim.Fault{{Preset: "resync", Nth: 1, Times: 2}}) },
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(w *world) {
				w.people(1, 30)
				w.sync(store.OutcomeSuccess)
				w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
				w.must(w.contoso.Delete(userID(4)))
				w.person(31, nil)
				expire(w)
				r := w.sync(store.OutcomeSuccess)
				w.summary(r, store.Summary{Create: 1, Update: 1, Delete: 1, Unchanged: 28})
				if r.Cycle != "initial" {
					t.Errorf("cycle: got %s, want initial", r.Cycle)
				}
				w.equal(append(through(1, 3), through(5, 31)...)...)
				if r := w.sync(store.OutcomeSuccess); r.Cycle != "incremental" || r.Graph.Requests != 1 {
					t.Errorf("next cycle: got %s with %d requests, want an idle one", r.Cycle, r.Graph.Requests)
				}
			})
		})
	}
}

// A nextLink that is refused in the middle of a round drops what was read of it.
func TestRefusedNextLink(t *testing.T) {
	for _, incremental := range []bool{false, true} {
		storyOf(t, entrasim.Options{DeltaPageSize: 10}, "{}", func(w *world) {
			w.people(1, 45)
			want := store.Summary{Create: 45}
			if incremental {
				w.sync(store.OutcomeSuccess)
				for n := 1; n <= 45; n++ {
					w.update(w.contoso, userID(n), map[string]any{"city": "Rome"})
				}
				want = store.Summary{Update: 45}
			}
			w.contoso.SetFaults([]entrasim.Fault{{Preset: "resync", Nth: 3}})
			r := w.sync(store.OutcomeSuccess)
			w.summary(r, want)
			if (r.Cycle == "incremental") != incremental {
				w.Errorf("cycle: got %s, incremental before: %v", r.Cycle, incremental)
			}
			w.equal(through(1, 45)...)
		})
	}
}

// A round that is told in an odd way is the same round.
func TestOddRounds(t *testing.T) {
	for _, preset := range []string{"duplicates", "shuffled", "replayed", "tombstones", "emptyPages", "smallPages"} {
		t.Run(preset, func(t *testing.T) {
			storyOf(t, entrasim.Options{DeltaPageSize: 7, Faults: []entrasim.Fault{{Preset: preset}}}, "{}", func(w *world) {
				w.people(1, 30)
				w.sync(store.OutcomeSuccess)
				w.equal(through(1, 30)...)
				w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
				w.must(w.contoso.Delete(userID(4)))
				w.sync(store.OutcomeSuccess)
				w.equal(append(through(1, 3), through(5, 30)...)...)
				w.once(30)
				w.counted(29, 29, 0)
			})
		})
	}
}

// spoil changes the n-th page of the source's delta round on its way.
func (w *world) spoil(n int, change func(url, body string) string) {
	seen := 0
	w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
		if !strings.Contains(r.URL.Path, "/users/delta") {
			return resp, nil
		}
		if seen++; seen != n {
			return resp, nil
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		b = []byte(change(r.URL.String(), string(b)))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		resp.Header.Del("Content-Length")
		return resp, nil
	})
}

// nextLink replaces the link of a page.
func nextLink(body, link string) string {
	const name = `"@odata.nextLink":"`
	i := strings.Index(body, name)
	if i < 0 {
		return body
	}
	from := i + len(name)
	to := from + strings.Index(body[from:], `"`)
	return body[:from] + link + body[to:]
}

// A page that cannot be trusted ends the cycle before its first write; the next
// cycle goes on.
func TestPageThatCannotBeTrusted(t *testing.T) {
	for name, change := range map[string]func(url, body string) string{
		"cut": func(_, body string) string { return body[:len(body)/2] },
		"no value": func(string, string) string {
			return `{"@odata.nextLink":"https://graph.simulation.example/v1.0/users/delta?x"}`
		},
		"no link":       func(string, string) string { return `{"value":[]}` },
		"not JSON":      func(string, string) string { return `<html>hello</html>` },
		"empty":         func(string, string) string { return `` },
		"another shape": func(string, string) string { return `{"value":{"id":"x"}}` },
		"a user without id": func(string, string) string {
			return `{"value":[{"displayName":"x"}],"@odata.nextLink":"https://graph.simulation.example/v1.0/users/delta?x"}`
		},
		"links to itself": func(url, body string) string { return nextLink(body, url) },
		"two documents":   func(_, body string) string { return body + body },
	} {
		t.Run(name, func(t *testing.T) {
			storyOf(t, entrasim.Options{DeltaPageSize: 10}, "{}", func(w *world) {
				w.people(1, 45)
				w.spoil(3, change)
				w.journalIs(func() { w.sync(store.OutcomeFailed) })
				w.wire.set(nil, nil)
				w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 45})
				w.equal(through(1, 45)...)
				w.once(45)
			})
		})
	}
}

// A link to another host is not followed, and no token goes there.
func TestForeignLink(t *testing.T) {
	storyOf(t, entrasim.Options{DeltaPageSize: 10}, "{}", func(w *world) {
		w.people(1, 45)
		w.spoil(2, func(_, body string) string {
			return nextLink(body, "https://evil.example/v1.0/users/delta?$skiptoken=1")
		})
		strayed := ""
		after := w.wire.after
		w.wire.set(func(r *http.Request) error {
			if r.URL.Host != w.base.Host {
				strayed = r.URL.Host
			}
			return nil
		}, after)
		var r engine.SyncResult
		w.journalIs(func() { r = w.sync(store.OutcomeFailed) })
		if r.Error == nil || !strings.Contains(r.Error.Error(), "evil.example") {
			w.Errorf("error: got %v, want one that names evil.example", r.Error)
		}
		if strayed != "" {
			w.Errorf("a request went to %s", strayed)
		}
		w.wire.set(nil, nil)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 45})
		w.equal(through(1, 45)...)
	})
}

// A listing of the target that is spoiled stops the cycle as well: who is not
// listed would be taken for somebody to be created.
func TestTargetListThatCannotBeTrusted(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 5)
		w.sync(store.OutcomeSuccess)
		w.fabrikam.SetFaults([]entrasim.Fault{{Method: "GET", Path: "/users", Cut: 300}})
		w.journalIs(func() { w.syncInitial(store.OutcomeFailed) })
		w.fabrikam.SetFaults(nil)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
		w.equal(1, 2, 3, 4, 5)
	})
}

// A record that tells only what changed leaves everything else as it is: absent
// is not null.
func TestRecordThatSaysOnlyWhatChanged(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 12)
		w.must(w.contoso.SetManager(userID(3), userID(1)))
		w.sync(store.OutcomeSuccess)
		w.update(w.contoso, userID(3), map[string]any{"city": "Rome"})
		told := false
		w.spoil(1, func(_, body string) string {
			var page map[string]any
			w.must(json.Unmarshal([]byte(body), &page))
			for _, v := range page["value"].([]any) {
				for name := range v.(map[string]any) {
					if name != "id" && name != "city" {
						delete(v.(map[string]any), name)
						told = true
					}
				}
			}
			b, err := json.Marshal(page)
			w.must(err)
			return string(b)
		})
		w.journalIs(func() { w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1}) },
			"PATCH /users/"+w.targetID(3)+` {"city":"Rome"}`)
		if !told {
			w.Fatal("the record was not shortened")
		}
		w.wire.set(nil, nil)
		w.equal(through(1, 12)...)
	})
}

// A whole round that Graph answers with an empty page is no proof that everybody
// is gone: each absence is confirmed by id.
func TestEmptyDirectoryAnswer(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 30)
		w.sync(store.OutcomeSuccess)
		w.spoil(1, func(_, body string) string {
			var page map[string]any
			w.must(json.Unmarshal([]byte(body), &page))
			page["value"] = []any{}
			b, err := json.Marshal(page)
			w.must(err)
			return string(b)
		})
		w.journalIs(func() { w.summary(w.syncInitial(store.OutcomeSuccess), store.Summary{Unchanged: 30}) })
		w.wire.set(nil, nil)
		w.equal(through(1, 30)...)
		w.counted(30, 30, 0)
	})
}
