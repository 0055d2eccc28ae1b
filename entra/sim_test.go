package entra_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/directory"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

// world is two simulated tenants and the clients that reach them.
type world struct {
	cloud              *entrasim.Cloud
	contoso, fabrikam  *entrasim.Tenant
	source, target     *entra.Client
	sourceMeter, meter *entra.Meter
}

const contosoFile = `{
 "organization": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Contoso", "verifiedDomains": [
   {"name": "contoso.onmicrosoft.com", "isInitial": true}, {"name": "contoso.example", "isDefault": true}]},
 "users": [
  {"id": "aaaaaaaa-0000-4000-8000-000000000001", "userPrincipalName": "ann@contoso.example", "displayName": "Ann Bell", "mail": "ann.bell@contoso.example",
   "department": "R&D", "businessPhones": ["+1 555 0100"], "onPremisesExtensionAttributes": {"extensionAttribute7": "seven"}},
  {"id": "aaaaaaaa-0000-4000-8000-000000000002", "userPrincipalName": "bob@contoso.example", "displayName": "Bob O'Neil", "mail": "bob@contoso.example",
   "manager": {"id": "aaaaaaaa-0000-4000-8000-000000000001"}},
  {"id": "aaaaaaaa-0000-4000-8000-000000000003", "userPrincipalName": "eve@contoso.example", "displayName": "Eve Dean", "accountEnabled": false}],
 "groups": [
  {"id": "bbbbbbbb-0000-4000-8000-000000000001", "displayName": "Team", "members": ["aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"]},
  {"id": "bbbbbbbb-0000-4000-8000-000000000002", "displayName": "Nested", "members": ["aaaaaaaa-0000-4000-8000-000000000002"]},
  {"id": "bbbbbbbb-0000-4000-8000-000000000003", "displayName": "Secret", "visibility": "HiddenMembership", "members": ["aaaaaaaa-0000-4000-8000-000000000003"]}],
 "servicePrincipals": [{"id": "cccccccc-0000-4000-8000-000000000001", "displayName": "App", "appRoleAssignedTo": [
   {"principalId": "aaaaaaaa-0000-4000-8000-000000000001", "principalType": "User"}, {"principalId": "bbbbbbbb-0000-4000-8000-000000000001", "principalType": "Group"}]}]
}`

const (
	annID  = "aaaaaaaa-0000-4000-8000-000000000001"
	bobID  = "aaaaaaaa-0000-4000-8000-000000000002"
	eveID  = "aaaaaaaa-0000-4000-8000-000000000003"
	teamID = "bbbbbbbb-0000-4000-8000-000000000001"
)

// newWorld makes the tenants; reach says how the clients get there.
func newWorld(t *testing.T, o entrasim.Options, reach func(*entrasim.Cloud) func(*entra.Config)) *world {
	t.Helper()
	w := &world{cloud: entrasim.New(o), sourceMeter: entra.NewMeter(), meter: entra.NewMeter()}
	add := func(name, text string) *entrasim.Tenant {
		file, err := entrasim.ParseFile(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		tenant, err := w.cloud.AddTenant(name, file)
		if err != nil {
			t.Fatal(err)
		}
		return tenant
	}
	w.contoso, w.fabrikam = add("contoso", contosoFile), add("fabrikam", "{}")
	via := reach(w.cloud)
	w.source, w.target = simClient(t, w.contoso, via), simClient(t, w.fabrikam, via)
	return w
}

func simClient(t *testing.T, tenant *entrasim.Tenant, via func(*entra.Config)) *entra.Client {
	t.Helper()
	cfg := entra.Config{Name: tenant.Name, TenantID: tenant.ID, Jitter: func() float64 { return 0.5 },
		Credential: entra.Credential{Kind: entra.SecretCredential, ClientID: tenant.AppID, Secret: tenant.Secret}}
	via(&cfg)
	c, err := entra.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// inProcess reaches the tenants without a network.
func inProcess(cloud *entrasim.Cloud) func(*entra.Config) {
	base := &url.URL{Scheme: "https", Host: "graph.simulation.example"}
	return func(c *entra.Config) {
		c.Transport, c.Graph, c.Authority = cloud.Transport(base), base.String()+"/v1.0", base.String()
	}
}

// overTLS reaches them through a socket.
func overTLS(t *testing.T) func(*entrasim.Cloud) func(*entra.Config) {
	return func(cloud *entrasim.Cloud) func(*entra.Config) {
		ca, cert, err := entrasim.NewCA("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		caFile := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(caFile, ca, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		served := make(chan error, 1)
		go func() { served <- entrasim.Serve(ctx, listener, cert, cloud) }()
		t.Cleanup(func() {
			stop()
			if err := <-served; err != nil {
				t.Errorf("serve: %v", err)
			}
		})
		root := "https://" + listener.Addr().String()
		return func(c *entra.Config) { c.Graph, c.Authority, c.CAFile = root+"/v1.0", root, caFile }
	}
}

var storySelects = []string{"accountEnabled", "userPrincipalName", "displayName", "mail", "department", "businessPhones", "extensionAttribute7", "manager"}

// round reads a delta round to its end.
func round(t *testing.T, s *entra.Source, cursor string) (map[string]directory.Object, string) {
	t.Helper()
	objects := map[string]directory.Object{}
	for {
		page, err := s.Changes(t.Context(), storySelects, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Objects {
			objects[o.ID] = o
		}
		if page.Watermark != "" {
			return objects, page.Watermark
		}
		cursor = page.Next
	}
}

// write carries out changes that must all succeed.
func write(t *testing.T, target *entra.Target, ws ...directory.Write) []directory.Written {
	t.Helper()
	out, err := target.Write(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range out {
		if w.Err != nil {
			t.Fatalf("%v: %v", ws[i].Kind, w.Err)
		}
	}
	return out
}

func TestStoryInProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { story(t, newWorld(t, entrasim.Options{Seed: 7, DeltaPageSize: 2}, inProcess)) })
}

func TestStoryOverTLS(t *testing.T) {
	story(t, newWorld(t, entrasim.Options{Seed: 7, DeltaPageSize: 2}, overTLS(t)))
}

// story is the way of three users and back, through everything the engine calls.
func story(t *testing.T, w *world) {
	ctx := t.Context()
	source, target := w.source.Source(w.sourceMeter), w.target.Target(w.meter, entra.NewBudget(1000))

	home, err := source.Tenant(ctx)
	if err != nil || home.ID != w.contoso.ID || !home.Verified("Contoso.Example") || home.InitialDomain != "contoso.onmicrosoft.com" {
		t.Fatalf("organization: got %+v, %v", home, err)
	}
	if roles, known, err := target.Permissions(ctx); err != nil || !known || !slices.Contains(roles, "User.Invite.All") {
		t.Errorf("permissions: got %v %v %v", roles, known, err)
	}
	if p, err := target.Policy(ctx, w.contoso.ID); err != nil || p.AllowInvitesFrom == "" || p.InboundBlocked || !p.AutoRedeemInbound {
		t.Errorf("policy: got %+v, %v", p, err)
	}

	users, watermark := round(t, source, "")
	if len(users) != 3 || users[bobID].Attributes.Get("manager").Text() != annID || users[annID].Attributes.Get("extensionAttribute7").Text() != "seven" ||
		users[eveID].Enabled() {
		t.Fatalf("first round: got %+v", users)
	}
	groups, err := source.Groups(ctx, []string{teamID}, "")
	if err != nil || len(groups.Groups) != 1 || len(groups.Groups[0].Added) != 2 || groups.Watermark == "" {
		t.Fatalf("groups: got %+v, %v", groups, err)
	}
	if as, err := source.Assignments(ctx, "cccccccc-0000-4000-8000-000000000001"); err != nil || len(as) != 2 {
		t.Errorf("assignments: got %+v, %v", as, err)
	}
	if g, err := source.Group(ctx, "bbbbbbbb-0000-4000-8000-000000000003"); err != nil || !g.HiddenMembership {
		t.Errorf("hidden group: got %+v, %v", g, err)
	}
	if _, err := source.Group(ctx, "bbbbbbbb-0000-4000-8000-00000000dead"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("missing group: got %v", err)
	}
	for _, text := range []string{annID, "ann@contoso.example", "ann.bell@contoso.example", "Ann Bell"} {
		if found, err := source.Find(ctx, text, []string{"displayName"}); err != nil || len(found) != 1 || found[0].ID != annID {
			t.Errorf("find %q: got %+v, %v", text, found, err)
		}
	}
	if found, err := source.Find(ctx, "Bob O'Neil", []string{"manager"}); err != nil || len(found) != 1 || found[0].Attributes.Get("manager").Text() != annID {
		t.Errorf("find Bob O'Neil: got %+v, %v", found, err)
	}

	created := write(t, target,
		directory.Write{Kind: directory.Invite, Address: "ann@contoso.example", DisplayName: "Ann", RedirectURL: "https://myapplications.microsoft.com"},
		directory.Write{Kind: directory.Invite, Address: "bob@contoso.example", RedirectURL: "https://myapplications.microsoft.com"})
	ann, bob := created[0].ID, created[1].ID
	write(t, target,
		directory.Write{Kind: directory.Update, ID: ann, Attributes: attributes("displayName", directory.TextOf("Ann Bell"), "department", directory.TextOf("R&D"),
			"extensionAttribute7", directory.TextOf("seven"), "costCenter", directory.TextOf("42"), "userType", directory.TextOf("Member"), "businessPhones", directory.ListOf("+1 555 0100"))},
		directory.Write{Kind: directory.Update, ID: bob, Attributes: attributes("department", directory.NullValue(), "businessPhones", directory.NullValue())},
		directory.Write{Kind: directory.SetManager, ID: bob, ManagerID: ann})
	looked, err := target.Users(ctx, []string{bob, ann, "aaaaaaaa-0000-4000-8000-00000000dead"}, append(storySelects, "costCenter", "userType", "identities"))
	if err != nil {
		t.Fatal(err)
	}
	if a := looked[1].Object; looked[0].Object.Attributes.Get("manager").Text() != ann || a.Attributes.Get("manager").Kind() != directory.Null ||
		a.Attributes.Get("costCenter").Text() != "42" || a.Attributes.Get("userType").Text() != "Member" || len(a.Identities) == 0 ||
		directory.KindOf(looked[2].Err) != directory.NotFound {
		t.Errorf("read back: got %+v", looked)
	}
	write(t, target, directory.Write{Kind: directory.ClearManager, ID: bob}, directory.Write{Kind: directory.ClearManager, ID: ann})

	list, err := target.List(ctx, []string{"userPrincipalName", "identities", "manager"}, "")
	if err != nil || len(list.Objects) != 2 || list.Next != "" || len(list.Objects[0].Identities) == 0 {
		t.Errorf("list: got %+v, %v", list, err)
	}
	found, err := target.Lookup(ctx, []string{"BOB@contoso.example", "nobody@contoso.example"}, []string{"mail", "otherMails"})
	if err != nil || len(found) != 1 || found[0].ID != bob {
		t.Errorf("look-up: got %+v, %v", found, err)
	}

	write(t, target, directory.Write{Kind: directory.Delete, ID: bob})
	write(t, target, directory.Write{Kind: directory.Delete, ID: bob})
	if found, err := target.DeletedLookup(ctx, []string{"bob@contoso.example"}, []string{"mail"}); err != nil || len(found) != 1 || found[0].ID != bob {
		t.Errorf("look-up of deleted: got %+v, %v", found, err)
	}
	if gone, err := target.Deleted(ctx, []string{bob, ann}, []string{"mail"}); err != nil || gone[0].Err != nil || directory.KindOf(gone[1].Err) != directory.NotFound {
		t.Errorf("deleted by id: got %+v, %v", gone, err)
	}
	write(t, target, directory.Write{Kind: directory.Restore, ID: bob})

	if idle, next := round(t, source, watermark); len(idle) != 0 {
		t.Errorf("idle round: got %+v", idle)
	} else {
		watermark = next
	}
	for _, err := range []error{w.contoso.Update(annID, map[string]any{"department": nil}), w.contoso.SetManager(bobID, ""), w.contoso.Delete(eveID)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	changes, _ := round(t, source, watermark)
	if len(changes) != 3 || changes[annID].Attributes.Get("department").Kind() != directory.Null ||
		changes[bobID].Attributes.Get("manager").Kind() != directory.Null || changes[eveID].Removed != directory.SoftDeleted {
		t.Errorf("second round: got %+v", changes)
	}
	w.contoso.ExpireDeltaTokens()
	if _, err := source.Changes(ctx, storySelects, watermark); directory.KindOf(err) != directory.WatermarkExpired {
		t.Errorf("expired watermark: got %v", err)
	}

	for name, pair := range map[string]struct {
		meter  *entra.Meter
		tenant *entrasim.Tenant
	}{"source": {w.sourceMeter, w.contoso}, "target": {w.meter, w.fabrikam}} {
		requests, writes, throttled := pair.meter.Counts()
		counts := pair.tenant.Counts()
		if done := counts.TotalWrites() - counts.Refused; requests != counts.Requests || writes != done || throttled != counts.Throttled {
			t.Errorf("%s: meter %d %d %d, the service saw %d %d %d", name, requests, writes, throttled, counts.Requests, done, counts.Throttled)
		}
	}
	if n := w.contoso.Counts().TotalWrites(); n != 0 {
		t.Errorf("got %d writes to the source", n)
	}
}

// TestWritesReachTheirGoalThroughFaults sends every user a create and an update
// while the service throttles, loses answers and breaks connections. Whatever is
// reported as done is done, what is reported as open is sent again, and nobody
// exists twice.
func TestWritesReachTheirGoalThroughFaults(t *testing.T) {
	for range 5 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			t.Logf("seed %d", seed)
			faults := []entrasim.Fault{
				{Path: "/$batch", Item: "outer", Status: 429, RetryAfter: "3.5", Probability: 0.1},
				{Path: "/$batch", Item: "outer", Status: 503, Body: "<html>", Probability: 0.05, Effect: "after"},
				{Path: "/$batch", Item: "outer", Close: true, Probability: 0.05, Effect: "after"},
				{Path: "/$batch", Item: "outer", Cut: 100, Probability: 0.05},
				{Item: "inner", Status: 429, RetryAfter: "2", Probability: 0.05},
				{Item: "inner", Status: 504, Body: "-", Probability: 0.03, Effect: "after"},
			}
			w := newWorld(t, entrasim.Options{Seed: seed, Faults: faults}, inProcess)
			budget := entra.NewBudget(18)
			target := w.target.Target(w.meter, budget)
			const n = 60
			ids := make([]string, n)
			var open []int
			for i := range n {
				open = append(open, i)
			}
			for attempt := 0; len(open) > 0; attempt++ {
				if attempt == 20 {
					t.Fatalf("%d invitations are still open", len(open))
				}
				var ws []directory.Write
				for _, i := range open {
					ws = append(ws, directory.Write{Kind: directory.Invite, Address: fmt.Sprintf("p%d@other.example", i), RedirectURL: "https://r.example"})
				}
				out, err := target.Write(t.Context(), ws)
				if err != nil {
					t.Fatal(err)
				}
				var again []int
				for k, i := range open {
					switch kind := directory.KindOf(out[k].Err); {
					case out[k].Err == nil:
						ids[i] = out[k].ID
					case kind == directory.Ambiguous || kind == directory.Throttled:
						again = append(again, i)
					default:
						t.Fatalf("invitation %d: %v", i, out[k].Err)
					}
				}
				open = again
			}
			var ws []directory.Write
			for i, id := range ids {
				ws = append(ws, directory.Write{Kind: directory.Update, ID: id, Attributes: attributes("department", directory.TextOf(fmt.Sprint(i)))})
			}
			out, err := target.Write(t.Context(), ws)
			if err != nil || slices.ContainsFunc(out, func(w directory.Written) bool { return w.Err != nil }) {
				t.Fatalf("updates: got %+v, %v", out, err)
			}
			users := w.fabrikam.Users()
			if len(users) != n {
				t.Errorf("got %d users, want %d", len(users), n)
			}
			for i, id := range ids {
				if u, ok := w.fabrikam.User(id); !ok || u.String("department") != fmt.Sprint(i) {
					t.Errorf("user %d: got %v", i, u.Map())
				}
			}
			if most := w.fabrikam.Counts().MaxWritesIn10s[w.fabrikam.AppID]; most > 180 {
				t.Errorf("got %d writes within 10s, want at most 180", most)
			}
		})
	}
}

func TestDocumentedQuotaIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, entrasim.Options{Seed: 3, Quota: entrasim.QuotaDocumented}, inProcess)
		target := w.target.Target(w.meter, entra.NewBudget(18))
		var ws []directory.Write
		for i := range 1000 {
			ws = append(ws, directory.Write{Kind: directory.Invite, Address: fmt.Sprintf("p%d@other.example", i), RedirectURL: "https://r.example"})
		}
		start := time.Now()
		out, err := target.Write(t.Context(), ws)
		if err != nil || slices.ContainsFunc(out, func(w directory.Written) bool { return w.Err != nil }) {
			t.Fatalf("got %v", err)
		}
		requests, writes, throttled := w.meter.Counts()
		t.Logf("%d invitations in %v, %d requests, %d throttled", writes, time.Since(start), requests, throttled)
		if len(w.fabrikam.Users()) != 1000 || writes != 1000 {
			t.Errorf("got %d users by %d writes, want 1000 of each", len(w.fabrikam.Users()), writes)
		}
		if most := w.fabrikam.Counts().MaxWritesIn10s[w.fabrikam.AppID]; most > 180 {
			t.Errorf("got %d writes within 10s, want at most 180", most)
		}
	})
}
