package entra_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/entra"
)

func TestInitialDeltaRoundSelectsAndDecodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			writeJSON(w, 200, `{"@odata.context":"x","value":[
				{"id":"a","displayName":"Ann","jobTitle":null,"manager@delta":[{"@odata.type":"#microsoft.graph.user","id":"m"}]},
				{"id":"b","@removed":{"reason":"deleted"}}],
				"@odata.deltaLink":"`+graphURL+`/users/delta?$deltatoken=1"}`)
		})
		m := entra.NewMeter()
		page, err := f.client().Source(m).Changes(t.Context(), []string{"manager", "jobTitle", "displayName", "extensionAttribute3"}, "")
		if err != nil {
			t.Fatal(err)
		}
		want := directory.Page{
			Objects: []directory.Object{
				{ID: "a", Attributes: directory.AttributesOf(map[string]directory.Value{
					"displayName": directory.TextOf("Ann"), "jobTitle": directory.NullValue(), "manager": directory.RefOf("m")})},
				{ID: "b", Removed: directory.Purged, Attributes: directory.Attributes{}},
			},
			Watermark: graphURL + "/users/delta?$deltatoken=1",
		}
		if diff := cmp.Diff(want, page, cmp.AllowUnexported(directory.Value{})); diff != "" {
			t.Errorf("page (-want +got):\n%s", diff)
		}
		calls := f.seen()
		if len(calls) != 1 {
			t.Fatalf("got %d calls, want 1", len(calls))
		}
		wantPath := "/v1.0/users/delta?$select=id,displayName,jobTitle,manager,onPremisesExtensionAttributes"
		if calls[0].path != wantPath || calls[0].token != "token-1" {
			t.Errorf("got %s with %q, want %s with token-1", calls[0].path, calls[0].token, wantPath)
		}
		if r, w, th := m.Counts(); r != 1 || w != 0 || th != 0 {
			t.Errorf("meter: got %d %d %d, want 1 0 0", r, w, th)
		}
	})
}

func TestWriteSendsFullBatchesAndKeepsOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t, batches(t, func(it item) outcome {
			if it.Method == "POST" {
				return outcome{status: 201, body: `{"id":"x","invitedUser":{"id":"new-` + it.ID + `"}}`}
			}
			return outcome{status: 204}
		}))
		m := entra.NewMeter()
		var ws []directory.Write
		for i := range 45 {
			ws = append(ws, directory.Write{Kind: directory.Invite, Address: fmt.Sprintf("u%d@x.test", i), RedirectURL: "https://r"})
		}
		got, err := f.client().Target(m, entra.NewBudget(100)).Write(t.Context(), ws)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range got {
			want := directory.Written{ID: fmt.Sprintf("new-%d", i%20+1)}
			if w != want {
				t.Errorf("outcome %d: got %+v, want %+v", i, w, want)
			}
		}
		if r, w, _ := m.Counts(); r != 3 || w != 45 {
			t.Errorf("meter: got %d requests, %d writes, want 3, 45", r, w)
		}
	})
}
