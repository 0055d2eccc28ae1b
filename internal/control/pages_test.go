package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/control"
	"tenantsync/store"
)

// ledger is a service with n log entries and n acts, newest first.
func ledger(n int) *fake {
	f := &fake{}
	for seq := uint64(n); seq > 0; seq-- {
		f.entries = append(f.entries, store.Entry{Seq: seq, ID: fmt.Sprint("e", seq)})
		f.acts = append(f.acts, store.Audit{Seq: seq, Act: fmt.Sprint("act ", seq)})
	}
	return f
}

// asked are the limits by which the service was asked since the last time.
func (f *fake) asked() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var limits []int
	for _, c := range f.calls {
		switch q := c.(call).Args.(type) {
		case store.LogQuery:
			limits = append(limits, q.Limit)
		case store.AuditQuery:
			limits = append(limits, q.Limit)
		}
	}
	f.calls = nil
	return limits
}

// However much is asked for, the daemon never gathers more than a thousand records
// at a time, and whoever asks through the client gets them all, in their order.
func TestLongAnswersComeInPages(t *testing.T) {
	const n = 2500
	f := ledger(n)
	client, _, _ := serve(t, f, addresses(t)["unix"])
	for _, tt := range []struct {
		limit, want int
		asked       []int
	}{
		{0, n, []int{1000, 1000, 1000}},
		{1, 1, []int{1}},
		{1000, 1000, []int{1000}},
		{1700, 1700, []int{1000, 700}},
		{9999, n, []int{1000, 1000, 1000}},
	} {
		for _, follow := range []bool{false, true} {
			entries, err1 := client.Logs(t.Context(), store.LogQuery{Limit: tt.limit, Follow: follow})
			askedLogs := f.asked()
			acts, err2 := client.Audit(t.Context(), store.AuditQuery{Limit: tt.limit, Follow: follow})
			askedActs := f.asked()
			if err1 != nil || err2 != nil {
				t.Fatalf("limit %d: %v, %v", tt.limit, err1, err2)
			}
			wantEntries, wantActs := slices.Clone(f.entries), slices.Clone(f.acts)
			if follow {
				slices.Reverse(wantEntries)
				slices.Reverse(wantActs)
			}
			if diff := cmp.Diff(wantEntries[:tt.want], entries); diff != "" {
				t.Errorf("limit %d, follow %v: entries (-want +got):\n%.500s", tt.limit, follow, diff)
			}
			if diff := cmp.Diff(wantActs[:tt.want], acts); diff != "" {
				t.Errorf("limit %d, follow %v: acts (-want +got):\n%.500s", tt.limit, follow, diff)
			}
			if !slices.Equal(askedLogs, tt.asked) || !slices.Equal(askedActs, tt.asked) {
				t.Errorf("limit %d, follow %v: the daemon was asked for %v and %v, want %v", tt.limit, follow, askedLogs, askedActs, tt.asked)
			}
		}
	}
}

// Who asks without the client, for everything or for too much, gets a page as well.
func TestAnswersAreBoundedWhateverIsAskedFor(t *testing.T) {
	f := ledger(1001)
	h := control.NewHandler(context.Background(), serving(f), "secret-token")
	for _, method := range []string{"logs", "audit"} {
		for _, limit := range []string{"0", "-1", "1001", "2147483647"} {
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7070/v1/"+method, strings.NewReader(`{"limit":`+limit+`}`))
			r.Header.Set("Authorization", "Bearer secret-token")
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if got := f.asked(); w.Code != http.StatusOK || !slices.Equal(got, []int{1000}) {
				t.Errorf("%s, limit %s: got %d, the state was asked for %v; want 200 and 1000", method, limit, w.Code, got)
			}
			if got := strings.Count(w.Body.String(), `"seq":`); got != 1000 {
				t.Errorf("%s, limit %s: got %d records, want 1000", method, limit, got)
			}
		}
	}
}
