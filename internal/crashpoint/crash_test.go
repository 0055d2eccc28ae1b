package crashpoint_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/internal/crashpoint"
	"tenantsync/store"
)

func TestCommitsAreNamedByWhatTheyChange(t *testing.T) {
	running, ended := []store.Cycle{{ID: "c"}}, []store.Cycle{{ID: "c", EndedAt: time.Unix(1, 0)}}
	jobs, links, log := []store.Job{{Name: "j"}}, make([]store.Link, 1), make([]store.Entry, 1)
	for want, batches := range map[string][]store.Batch{
		crashpoint.Begin:      {{Jobs: jobs, Cycles: running}, {DropStage: "j", Jobs: jobs, Cycles: running}},
		crashpoint.Membership: {{Jobs: jobs, PutMembers: make([]store.Member, 1)}, {CutMembers: make([]store.Member, 1)}, {DropMembers: make([]store.MemberSet, 1)}},
		crashpoint.StagePage:  {{Jobs: jobs, Stage: make([]store.StagePage, 1)}},
		crashpoint.Seen:       {{PutLinks: links}, {Jobs: jobs, PutLinks: links, Cycles: running}},
		crashpoint.Judged:     {{PutVerdicts: make([]store.Verdict, 1), Log: log, Cycles: running}, {PutEscrows: make([]store.Escrow, 1)}},
		crashpoint.Intent:     {{PutIntents: make([]store.Intent, 1), Cycles: running}, {PutIntents: make([]store.Intent, 1), PutLinks: links, Log: log}},
		crashpoint.Hold:       {{PutHolds: make([]store.Hold, 1), PutLinks: links, Log: log, Cycles: running}},
		crashpoint.Result:     {{PutLinks: links, Log: log, Cycles: running}, {DropIntents: make([]store.WaitKey, 1), PutLinks: links}, {PutLinks: links, AmendLog: make([]store.Amendment, 1)}},
		crashpoint.Watermark:  {{DropStage: "j", Jobs: jobs, Cycles: ended}, {Jobs: jobs, Cycles: ended}},
		crashpoint.Record:     {{Jobs: jobs}},
	} {
		for _, b := range batches {
			if got := crashpoint.OfBatch(&b); got != want {
				t.Errorf("%+v: got %s, want %s", b, got, want)
			}
		}
		if !slices.Contains(crashpoint.Points(), "commit:"+want) {
			t.Errorf("Points does not list commit:%s", want)
		}
	}
}

func TestRequestsAreNamedByWhatTheyAsk(t *testing.T) {
	batch := func(items ...string) string {
		for i, it := range items {
			method, url, _ := strings.Cut(it, " ")
			items[i] = `{"id":"1","method":"` + method + `","url":"` + url + `"}`
		}
		return `{"requests":[` + strings.Join(items, ",") + `]}`
	}
	for want, calls := range map[string][][3]string{
		crashpoint.Token:        {{"POST", "/1111/oauth2/v2.0/token", "grant_type=x"}},
		crashpoint.Organization: {{"GET", "/v1.0/organization", ""}},
		crashpoint.Policy:       {{"GET", "/v1.0/policies/authorizationPolicy", ""}, {"POST", "/v1.0/$batch", batch("GET /policies/authorizationPolicy", "GET /x")}},
		crashpoint.GroupDelta:   {{"GET", "/v1.0/groups/delta", ""}},
		crashpoint.Delta:        {{"GET", "/v1.0/users/delta", ""}},
		crashpoint.Read:         {{"GET", "/v1.0/users", ""}, {"POST", "/v1.0/$batch", batch("GET /users/1?$select=id")}, {"POST", "/v1.0/$batch", "{"}},
		crashpoint.Invitation:   {{"POST", "/v1.0/invitations", "{}"}, {"POST", "/v1.0/$batch", batch("POST /invitations")}},
		crashpoint.Update:       {{"PATCH", "/v1.0/users/1", "{}"}, {"POST", "/v1.0/$batch", batch("GET /users/1", "PATCH /users/1")}},
		crashpoint.Reference:    {{"POST", "/v1.0/$batch", batch("PUT /users/1/manager/$ref")}, {"POST", "/v1.0/$batch", batch("DELETE /users/1/manager/$ref")}},
		crashpoint.Restore:      {{"POST", "/v1.0/$batch", batch("POST /directory/deletedItems/1/restore")}},
		crashpoint.Delete:       {{"DELETE", "/v1.0/users/1", ""}, {"POST", "/v1.0/$batch", batch("DELETE /users/1")}},
	} {
		for _, c := range calls {
			if got := crashpoint.OfRequest(c[0], c[1], []byte(c[2])); got != want {
				t.Errorf("%v: got %s, want %s", c, got, want)
			}
		}
		if !slices.Contains(crashpoint.Points(), "request:"+want) {
			t.Errorf("Points does not list request:%s", want)
		}
	}
}

func TestUnknownPointsAreRefused(t *testing.T) {
	for _, at := range []string{"x", "before-commit:intent", "before-commit:intent:0", "before-commit:intent:x", "during-commit:intent:1",
		"before-commit:nothing:1", "before-request:intent:1", "commit:intent:1", ":1"} {
		_, err := crashpoint.FromEnvironment(func(name string) (string, bool) { return at, name == crashpoint.At })
		if err == nil || !strings.Contains(err.Error(), crashpoint.At) {
			t.Errorf("%q: got error %v, want one that names %s", at, err, crashpoint.At)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Without a point nothing is changed on the way.
func TestWithoutAPointNothingHappens(t *testing.T) {
	c, err := crashpoint.FromEnvironment(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	sent := ""
	tripper := c.Transport(roundTripper(func(r *http.Request) (*http.Response, error) {
		b := make([]byte, r.ContentLength)
		_, err := r.Body.Read(b)
		sent = string(b)
		return nil, errors.Join(refused, err)
	}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://graph.example/v1.0/$batch", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tripper.RoundTrip(r)
	if resp != nil || !errors.Is(err, refused) || sent != "body" {
		t.Errorf("got answer %v, error %v, body %q; want what the transport did", resp, err, sent)
	}
}
