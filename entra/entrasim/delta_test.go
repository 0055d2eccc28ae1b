package entrasim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/entra/entrasim"
)

func TestDeltaPayload(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	_, link, _ := b.contoso.round("/users/delta?$select=displayName,jobTitle,department,businessPhones")
	if err := b.contoso.tenant.Update(annID, map[string]any{"jobTitle": nil, "businessPhones": []string{}}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		headers []string
		want    string
	}{
		{"default: all that ever had a value, null for cleared", nil,
			`{"businessPhones":[],"department":"R&D","displayName":"Ann Bell","id":"` + annID + `","jobTitle":null}`},
		{"return=minimal: only what changed", []string{"Prefer", "return=minimal"},
			`{"businessPhones":[],"id":"` + annID + `","jobTitle":null}`},
	}
	for _, tt := range tests {
		items, _, _ := b.contoso.round(link, tt.headers...)
		if got := compactJSON(t, items); got != "["+tt.want+"]" {
			t.Errorf("%s:\n got %s\nwant [%s]", tt.name, got, tt.want)
		}
	}
	r := b.contoso.call(http.MethodGet, link, nil, "Prefer", "return=minimal")
	if got := r.header.Get("Preference-Applied"); r.str("@odata.deltaLink") == "" || got != "" && got != "return=minimal" {
		t.Errorf("Preference-Applied: got %q", got)
	}
}

func TestDeltaSurfacesSelectedChangesOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	_, titles, _ := b.contoso.round("/users/delta?$select=jobTitle")
	_, names, _ := b.contoso.round("/users/microsoft.graph.delta()?%24select=displayName")
	_, managers, _ := b.contoso.round("/users/delta()?$select=manager")
	if err := b.contoso.tenant.Update(bobID, map[string]any{"displayName": "Robert"}); err != nil {
		t.Fatal(err)
	}
	if items, _, _ := b.contoso.round(titles); len(items) != 0 {
		t.Errorf("unselected change: got %v, want nothing", items)
	}
	if items, _, _ := b.contoso.round(names); len(items) != 1 {
		t.Errorf("selected change: got %v, want one", items)
	}
	if items, _, _ := b.contoso.round(managers); len(items) != 0 {
		t.Errorf("manager unchanged: got %v, want nothing", items)
	}
	if err := b.contoso.tenant.SetManager(bobID, eveID); err != nil {
		t.Fatal(err)
	}
	items, _, _ := b.contoso.round(managers)
	want := `[{"id":"` + bobID + `","manager@delta":[{"@odata.type":"#microsoft.graph.user","@removed":{"reason":"deleted"},"id":"` + annID + `"},{"@odata.type":"#microsoft.graph.user","id":"` + eveID + `"}]}]`
	if got := compactJSON(t, items); got != want {
		t.Errorf("manager changed:\n got %s\nwant %s", got, want)
	}
}

func TestDeltaRemovals(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	_, link, _ := b.contoso.round("/users/delta?$select=displayName")
	steps := []struct {
		name string
		act  func() error
		want string
	}{
		{"soft-deleted → changed", func() error { return b.contoso.tenant.Delete(bobID) }, `[{"@removed":{"reason":"changed"},"id":"` + bobID + `"}]`},
		{"restored → a full entry", func() error { return b.contoso.tenant.Restore(bobID) }, `[{"displayName":"Bob Cole","id":"` + bobID + `"}]`},
		{"purged → deleted", func() error { return b.contoso.tenant.Purge(bobID) }, `[{"@removed":{"reason":"deleted"},"id":"` + bobID + `"}]`},
		{"nothing", func() error { return nil }, `[]`},
	}
	for _, s := range steps {
		if err := s.act(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		var items []map[string]any
		items, link, _ = b.contoso.round(link, "Prefer", "return=minimal")
		if items == nil {
			items = []map[string]any{}
		}
		if got := compactJSON(t, items); got != s.want {
			t.Errorf("%s: got %s, want %s", s.name, got, s.want)
		}
	}
}

func TestDeltaFromNowAndByID(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	items, link, _ := b.contoso.round("/users/delta?$deltatoken=latest&$select=displayName")
	if len(items) != 0 {
		t.Errorf("latest: got %v, want nothing", items)
	}
	items, byID, _ := b.contoso.round("/users/delta?$select=displayName&$filter=id%20eq%20'" + annID + "'%20or%20id%20eq%20'" + eveID + "'")
	if len(items) != 2 {
		t.Errorf("filtered: got %v, want ann and eve", items)
	}
	for _, id := range []string{annID, bobID} {
		if err := b.contoso.tenant.Update(id, map[string]any{"displayName": "X"}); err != nil {
			t.Fatal(err)
		}
	}
	if items, _, _ = b.contoso.round(link); len(items) != 2 {
		t.Errorf("after latest: got %v, want two changes", items)
	}
	if items, _, _ = b.contoso.round(byID); len(items) != 1 || items[0]["id"] != annID {
		t.Errorf("filtered changes: got %v, want ann", items)
	}
}

func TestDeltaRefusesWhatGraphDoesNotServe(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{})
	ids := make([]string, 51)
	for i := range ids {
		ids[i] = fmt.Sprintf("id eq 'aaaaaaaa-0000-4000-8000-%012d'", i)
	}
	tests := []struct {
		query  string
		status int
		code   string
	}{
		{"$top=10", 400, "Request_UnsupportedQuery"},
		{"$orderby=displayName", 400, "Request_UnsupportedQuery"},
		{"$expand=manager", 400, "Request_UnsupportedQuery"},
		{"$filter=displayName%20eq%20'x'", 400, "Request_UnsupportedQuery"},
		{"$filter=" + strings.ReplaceAll(strings.Join(ids, " or "), " ", "%20"), 400, "Request_UnsupportedQuery"},
		{"$select=nonsense", 400, "BadRequest"},
		{"$select=skills", 501, "NotImplemented"},
		{"$deltatoken=garbage", 400, "Request_BadRequest"},
	}
	for _, tt := range tests {
		b.contoso.call(http.MethodGet, "/users/delta?"+tt.query, nil).want(t, tt.status, tt.code)
	}
}

func TestDeltaTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{TokenLife: 30 * 24 * time.Hour})
		_, link, _ := b.contoso.round("/users/delta?$select=displayName")
		time.Sleep(7*24*time.Hour - time.Minute) // virtual time
		_, fresh, _ := b.contoso.round(link)
		time.Sleep(2 * time.Minute)
		r := b.contoso.call(http.MethodGet, link, nil).want(t, http.StatusGone, "syncStateNotFound")
		items, _, _ := b.contoso.round(r.header.Get("Location"))
		if len(items) != 3 || items[0]["displayName"] == nil {
			t.Errorf("resync by Location: got %v, want all three users", items)
		}
		b.contoso.round(fresh)
		b.contoso.tenant.ExpireDeltaTokens()
		b.contoso.call(http.MethodGet, fresh, nil).want(t, http.StatusGone, "syncStateNotFound")
	})
}

func TestDeltaPagesMissNothingThatChangesMidRound(t *testing.T) {
	t.Parallel()
	cloud := entrasim.New(entrasim.Options{DeltaPageSize: 10})
	b := &bench{cloud: cloud}
	c := b.add(t, "contoso", `{}`)
	var ids []string
	for i := range 35 {
		id, err := c.tenant.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("u%d@contoso.onmicrosoft.com", i), "jobTitle": "old"})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	image := map[string]string{}
	read := func(link string, between func(page int)) string {
		for page := 0; ; page++ {
			r := c.call(http.MethodGet, link, nil, "Prefer", "return=minimal").want(t, http.StatusOK, "")
			for _, m := range r.value() {
				if v, changed := m["jobTitle"].(string); changed {
					image[m["id"].(string)] = v
				}
			}
			between(page)
			if d := r.str("@odata.deltaLink"); d != "" {
				return d
			}
			link = r.str("@odata.nextLink")
		}
	}
	set := func(i int, title string) {
		if err := c.tenant.Update(ids[i], map[string]any{"jobTitle": title}); err != nil {
			t.Fatal(err)
		}
	}
	compare := func() {
		for _, u := range c.tenant.Users() {
			if image[u.ID()] != u.String("jobTitle") {
				t.Errorf("%s: the client knows %q, the tenant has %q", u.ID(), image[u.ID()], u.String("jobTitle"))
			}
		}
	}
	link := read("/users/delta?$select=jobTitle", func(page int) { set(page, fmt.Sprint("first", page)); set(30, fmt.Sprint("late", page)) })
	link = read(link, func(int) {})
	compare()
	for i := range ids {
		set(i, "second")
	}
	link = read(link, func(page int) {
		if page < 3 {
			set(page*10+5, "third") // some shown already, some not yet
			set(34, fmt.Sprint("third", page))
		}
	})
	link = read(link, func(int) {})
	compare()
	r := c.call(http.MethodGet, link, nil).want(t, http.StatusOK, "")
	if len(r.value()) != 0 {
		t.Errorf("idle round: got %s", r.raw)
	}
}

func TestGroupDelta(t *testing.T) {
	t.Parallel()
	cloud := entrasim.New(entrasim.Options{MemberPageSize: 4})
	b := &bench{cloud: cloud}
	c := b.add(t, "contoso", `{}`)
	var members []string
	for i := range 11 {
		id, err := c.tenant.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("u%02d@contoso.onmicrosoft.com", i)})
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, id)
	}
	group, err := c.tenant.CreateGroup(map[string]any{"displayName": "All", "members": members})
	if err != nil {
		t.Fatal(err)
	}
	refs := func(items []map[string]any) (added, removed []string) {
		for _, it := range items {
			list, _ := it["members@delta"].([]any)
			for _, e := range list {
				m := e.(map[string]any)
				if m["@removed"] != nil {
					removed = append(removed, m["id"].(string))
				} else {
					added = append(added, m["id"].(string))
				}
			}
		}
		return added, removed
	}
	items, link, pages := c.round("/groups/delta?$select=id,displayName,members&$filter=id%20eq%20'" + group + "'")
	added, _ := refs(items)
	if !slices.Equal(added, members) || pages != 3 {
		t.Errorf("first round: got %d members on %d pages, want 11 on 3", len(added), pages)
	}
	for _, id := range members[:5] {
		if err := c.tenant.RemoveMember(group, id); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.tenant.Delete(members[6]); err != nil {
		t.Fatal(err)
	}
	items, link, pages = c.round(link)
	added, removed := refs(items)
	if len(added) != 0 || !slices.Equal(removed, members[:5]) || pages != 2 {
		t.Errorf("second round: got +%v -%v on %d pages, want five removals on 2 (a soft delete is none)", added, removed, pages)
	}
	if err := c.tenant.Purge(members[6]); err != nil {
		t.Fatal(err)
	}
	items, link, _ = c.round(link)
	if _, removed = refs(items); !slices.Equal(removed, members[6:7]) {
		t.Errorf("after the purge: got -%v, want -%v", removed, members[6:7])
	}
	if err := c.tenant.DeleteGroup(group); err != nil {
		t.Fatal(err)
	}
	if items, _, _ = c.round(link); compactJSON(t, items) != `[{"@removed":{"reason":"deleted"},"id":"`+group+`"}]` {
		t.Errorf("deleted group: got %v", items)
	}
}

func TestDeltaFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		preset string
		times  int
		check  func(t *testing.T, items []map[string]any, pages int)
	}{
		{"duplicates", 0, func(t *testing.T, items []map[string]any, _ int) {
			if len(items) != 6 {
				t.Errorf("got %d entries, want 6", len(items))
			}
		}},
		{"smallPages", 0, func(t *testing.T, items []map[string]any, pages int) {
			if len(items) != 3 || pages < 1 {
				t.Errorf("got %d entries on %d pages", len(items), pages)
			}
		}},
		{"emptyPages", 2, func(t *testing.T, items []map[string]any, pages int) {
			if len(items) != 3 || pages != 3 {
				t.Errorf("got %d entries on %d pages, want 3 on 3", len(items), pages)
			}
		}},
		{"tombstones", 0, func(t *testing.T, items []map[string]any, _ int) {
			if len(items) != 4 || items[3]["@removed"] == nil {
				t.Errorf("got %v, want a tombstone among them", items)
			}
		}},
		{"shuffled", 0, func(t *testing.T, items []map[string]any, _ int) {
			if len(items) != 3 {
				t.Errorf("got %d entries, want 3", len(items))
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.preset, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, entrasim.Options{})
			id, err := b.contoso.tenant.CreateUser(map[string]any{"userPrincipalName": "old@contoso.example"})
			if err != nil {
				t.Fatal(err)
			}
			if err := b.contoso.tenant.Delete(id); err != nil {
				t.Fatal(err)
			}
			b.contoso.tenant.SetFaults([]entrasim.Fault{{Preset: tt.preset, Times: tt.times, Probability: 1}})
			items, _, pages := b.contoso.round("/users/delta?$select=displayName")
			tt.check(t, items, pages)
		})
	}
	t.Run("replayed", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, entrasim.Options{})
		_, link, _ := b.contoso.round("/users/delta?$select=displayName")
		b.cloud.SetFaults([]entrasim.Fault{{Preset: "replayed"}})
		if items, _, _ := b.contoso.round(link); len(items) != 3 {
			t.Errorf("got %v, want the three old entries again", items)
		}
	})
}

func TestDeltaLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{DeltaLag: time.Minute})
		time.Sleep(2 * time.Minute)
		_, link, _ := b.contoso.round("/users/delta?$select=displayName,jobTitle")
		update := func(properties map[string]any) {
			if err := b.contoso.tenant.Update(annID, properties); err != nil {
				t.Fatal(err)
			}
		}
		update(map[string]any{"displayName": "A"})
		if items, _, _ := b.contoso.round(link); len(items) != 0 {
			t.Errorf("at once: got %v, want nothing yet", items)
		}
		time.Sleep(50 * time.Second)
		update(map[string]any{"jobTitle": "B"})
		time.Sleep(20 * time.Second)
		items, link, _ := b.contoso.round(link, "Prefer", "return=minimal")
		if len(items) != 1 || items[0]["displayName"] != "A" {
			t.Errorf("after the lag: got %v, want the first change", items)
		}
		time.Sleep(time.Minute)
		if items, _, _ = b.contoso.round(link, "Prefer", "return=minimal"); len(items) != 1 || items[0]["jobTitle"] != "B" {
			t.Errorf("later: got %v, want the second change", items)
		}
	})
}

// The first list shows what there is, its link what has come through: a member who
// was listed and leaves before the group itself has come through is told as gone.
func TestDeltaLagTellsWhoLeftANewGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entrasim.Options{DeltaLag: time.Minute})
		time.Sleep(2 * time.Minute)
		group, err := b.contoso.tenant.CreateGroup(map[string]any{"displayName": "All", "members": []string{annID, bobID}})
		if err != nil {
			t.Fatal(err)
		}
		items, link, _ := b.contoso.round("/groups/delta?$select=members&$filter=id%20eq%20'" + group + "'")
		if list, _ := items[0]["members@delta"].([]any); len(list) != 2 {
			t.Fatalf("first round: got %v, want two members", items)
		}
		if err := b.contoso.tenant.RemoveMember(group, annID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		items, _, _ = b.contoso.round(link)
		gone := 0
		for _, it := range items {
			list, _ := it["members@delta"].([]any)
			for _, e := range list {
				if m := e.(map[string]any); m["id"] == annID && m["@removed"] != nil {
					gone++
				}
			}
		}
		if gone != 1 {
			t.Errorf("second round: got %v, want one removal of %s", items, annID)
		}
	})
}
