package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// crowded is a target in which everybody holds an address of somebody.
const crowded = `{"users": [
	{"id": "bbbbbbbb-0000-4000-8000-000000000002", "userPrincipalName": "two@fabrikam.example", "displayName": "Internal Two", "mail": "user002@contoso.example"},
	{"id": "bbbbbbbb-0000-4000-8000-000000000003", "userPrincipalName": "x_contoso.example#EXT#@fabrikam.onmicrosoft.com", "displayName": "Foreign Three",
	 "mail": "user003@contoso.example", "externalUserState": "Accepted", "creationType": "Invitation",
	 "identities": [{"signInType": "federated", "issuer": "google.com", "issuerAssignedId": null}]}],
"deletedUsers": [{"id": "bbbbbbbb-0000-4000-8000-000000000004", "userPrincipalName": "bbbbbbbb000040008000000000000004four@fabrikam.example", "displayName": "Deleted Four",
	"mail": "user004@contoso.example", "deletedDateTime": "1999-12-31T00:00:00Z"}],
"groups": [{"id": "bbbbbbbb-0000-4000-8000-000000000005", "displayName": "Group Five", "mail": "five@fabrikam.example", "mailEnabled": true,
	"proxyAddresses": ["SMTP:five@fabrikam.example", "smtp:User005@contoso.example"]}],
"contacts": [{"id": "bbbbbbbb-0000-4000-8000-000000000006", "displayName": "Contact Six", "mail": "user006@contoso.example"},
	{"id": "bbbbbbbb-0000-4000-8000-000000000007", "displayName": "Contact Seven", "mail": "seven@mail.example"}],
"applications": [{"appId": "cccccccc-0000-4000-8000-000000000001", "secret": "s3cret", "roles": ["User.ReadWrite.All", "User.Invite.All", "User.DeleteRestore.All",
	"Policy.Read.All", "Organization.Read.All", "Group.Read.All", "OrgContact.Read.All"]}]}`

// holder is what the target file says of the n-th of those who hold addresses.
func holder(of directory.HolderType, n int, name string) engine.AddressHolder {
	return engine.AddressHolder{Type: of, ID: fmt.Sprintf("bbbbbbbb-0000-4000-8000-%012d", n), DisplayName: name}
}

// collided is a plan's collisions without the sentences.
func collided(p *engine.PlanResult) []engine.Collision {
	out := slices.Clone(p.Collisions)
	for i := range out {
		out[i].Detail = ""
	}
	return out
}

func TestPlanFindsAddressCollisions(t *testing.T) {
	storyOf(t, entrasim.Options{}, crowded, func(w *world) {
		w.people(1, 6)
		w.person(7, map[string]any{"mail": "Seven@mail.example"})
		p := w.plan(engine.PlanRequest{Collisions: true})
		source := func(n int) engine.ChangeSource { return engine.ChangeSource{ID: userID(n), UPN: upn(n)} }
		want := []engine.Collision{
			{Source: source(2), Address: upn(2), Holder: holder("user", 2, "Internal Two"), Effect: engine.EffectRefused},
			{Source: source(3), Address: upn(3), Holder: holder("user", 3, "Foreign Three"), Effect: engine.EffectRefused},
			{Source: source(4), Address: upn(4), Holder: holder("deletedUser", 4, "Deleted Four"), Effect: engine.EffectRestoreFirst},
			{Source: source(5), Address: upn(5), Holder: holder("group", 5, "Group Five"), Effect: engine.EffectRefused},
			{Source: source(6), Address: upn(6), Holder: holder("contact", 6, "Contact Six"), Effect: engine.EffectWithoutProxyAddresses},
			{Source: source(7), Address: "seven@mail.example", Holder: holder("contact", 7, "Contact Seven"), Effect: engine.EffectUpdateRefused},
		}
		if diff := cmp.Diff(want, collided(p)); diff != "" {
			t.Errorf("collisions (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{}, p.NotChecked); diff != "" {
			t.Errorf("not checked (-want +got):\n%s", diff)
		}
		if p.Mails != p.Summary.Create || p.Mails != 5 {
			t.Errorf("mails: got %d, want 5, as many as creates (%d)", p.Mails, p.Summary.Create)
		}
		// What was foretold comes true.
		w.sync(store.OutcomePartial)
		for n, there := range map[int]bool{1: true, 2: false, 3: false, 4: false, 5: false, 6: true, 7: true} {
			if l, ok := w.link(n); ok != there {
				t.Errorf("user %d: got link %v %v, want one: %v%s", n, ok, l.TargetID, there, w.failures())
			}
		}
		if got := w.targetUser(6).Strings("proxyAddresses"); len(got) != 0 {
			t.Errorf("proxy addresses of a user whose address a contact has: got %v, want none", got)
		}
		if got := w.targetUser(7).String("mail"); got == "Seven@mail.example" {
			t.Errorf("mail that a contact has: got %q written, want the update refused", got)
		}
	})
}

// A directory that matches by something else than addresses does not see who has
// them; the invitation does.
func TestPlanFindsCollisionsBeyondMatching(t *testing.T) {
	storyOf(t, entrasim.Options{}, crowded, func(w *world) {
		ms := mapping.Default()
		for i := range ms {
			if ms[i].Target == "employeeId" {
				ms[i].MatchingPriority = 1
			}
		}
		w.mapped(ms...)
		w.people(2, 3)
		w.update(w.contoso, userID(2), map[string]any{"employeeId": "2"})
		w.update(w.contoso, userID(3), map[string]any{"employeeId": "3"})
		p := w.plan(engine.PlanRequest{Collisions: true})
		var got []engine.Effect
		for _, c := range p.Collisions {
			got = append(got, c.Effect)
		}
		if want := []engine.Effect{engine.EffectRefused, engine.EffectAnsweredWithHolder}; !slices.Equal(got, want) {
			t.Errorf("effects: got %v, want %v; plan %q", got, want, shown(p))
		}
		if p.Summary.Create != 2 {
			t.Errorf("creates: got %d, want 2", p.Summary.Create)
		}
	})
}

// Many creates are looked for in a list of all users, few by look-ups: both find
// the same.
func TestPlanFindsCollisionsAmongMany(t *testing.T) {
	storyOf(t, entrasim.Options{}, crowded, func(w *world) {
		w.people(1, 3)
		few := collided(w.plan(engine.PlanRequest{Collisions: true}))
		w.people(10, 200)
		many := collided(w.plan(engine.PlanRequest{Collisions: true}))
		if diff := cmp.Diff(few, many); diff != "" || len(few) != 2 {
			t.Errorf("%d collisions of few users, want 2, and the same of many (-few +many):\n%s", len(few), diff)
		}
	})
}

// What the app may not read is named; the plan itself goes on.
func TestPlanNamesWhatItCouldNotCheck(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.wire.set(nil, func(r *http.Request, resp *http.Response) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/groups") || strings.HasSuffix(r.URL.Path, "/contacts") {
				resp.StatusCode = http.StatusForbidden
			}
			return resp, nil
		})
		p := w.plan(engine.PlanRequest{Collisions: true})
		if diff := cmp.Diff([]string{"groups", "contacts"}, p.NotChecked); diff != "" {
			t.Errorf("not checked (-want +got):\n%s", diff)
		}
		if p.Summary.Create != 1 || p.Collisions == nil {
			t.Errorf("plan: got %d creates and collisions %v, want 1 and an empty list", p.Summary.Create, p.Collisions)
		}
		gone, cancel := context.WithCancel(w.Context())
		w.wire.set(func(r *http.Request) error {
			if strings.HasSuffix(r.URL.Path, "/groups") {
				cancel()
			}
			return nil
		}, nil)
		if _, err := w.engine.Plan(gone, engine.PlanRequest{Job: jobName, Collisions: true}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled plan: got %v, want the cancellation", err)
		}
	})
}

// A plan that does not ask for collisions makes no request more than before, and
// nothing to create is nothing to look for.
func TestCollisionsAreLookedForOnRequest(t *testing.T) {
	story(t, func(w *world) {
		var paths []string
		w.wire.set(func(r *http.Request) error { paths = append(paths, r.URL.Path); return nil }, nil)
		w.people(1, 2)
		p := w.plan(engine.PlanRequest{})
		if p.Collisions != nil || p.NotChecked != nil || p.Redemption != engine.RedemptionUnknown {
			t.Errorf("got collisions %v, not checked %v, redemption %q; want nothing", p.Collisions, p.NotChecked, p.Redemption)
		}
		for _, path := range paths {
			for _, foreign := range []string{"/contacts", "/groups", "deletedItems", "/policies", "/$batch"} {
				if strings.Contains(path, foreign) {
					t.Errorf("a plan without collisions asked for %s", path)
				}
			}
		}
		w.sync(store.OutcomeSuccess)
		paths = nil
		if p = w.plan(engine.PlanRequest{Collisions: true}); p.Collisions == nil || len(paths) != 1 {
			t.Errorf("nothing to create: got collisions %v after %d requests %q, want an empty list after one", p.Collisions, len(paths), paths)
		}
	})
}

func TestPlanTellsAutomaticRedemption(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		if p := w.plan(engine.PlanRequest{Collisions: true}); p.Redemption != engine.RedemptionAutomatic {
			t.Errorf("both sides allow it: got %q, want %q", p.Redemption, engine.RedemptionAutomatic)
		}
		file, err := entrasim.ParseFile(strings.NewReader(`{"policies": {"crossTenantAccess": {"partners": []}}}`))
		w.must(err)
		_, err = w.contoso.Load(file)
		w.must(err)
		if p := w.plan(engine.PlanRequest{Collisions: true}); p.Redemption != engine.RedemptionMissing || p.Mails != 1 || p.InvitationMail {
			t.Errorf("the source does not: got %q, %d mails, invitation mail %v; want %q, 1, false", p.Redemption, p.Mails, p.InvitationMail, engine.RedemptionMissing)
		}
	})
}

// An incremental cycle, which looks users up one by one, is told of collisions as
// an initial one is.
func TestPlanFindsCollisionsOfNewcomers(t *testing.T) {
	storyOf(t, entrasim.Options{}, crowded, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 6)
		p := w.plan(engine.PlanRequest{Collisions: true})
		var got []string
		for _, c := range p.Collisions {
			got = append(got, c.Source.UPN+" "+string(c.Holder.Type)+" "+string(c.Effect))
		}
		want := []string{upn(2) + " user refused", upn(3) + " user refused", upn(4) + " deletedUser restoreFirst", upn(5) + " group refused",
			upn(6) + " contact createdWithoutProxyAddresses"}
		if diff := cmp.Diff(want, got); diff != "" || p.Cycle != "incremental" {
			t.Errorf("%s plan, collisions (-want +got):\n%s", p.Cycle, diff)
		}
		one := w.plan(engine.PlanRequest{Collisions: true, User: upn(5)})
		if len(one.Collisions) != 1 || one.Collisions[0].Holder.Type != "group" {
			t.Errorf("plan of one user: got collisions %+v, want the one with the group", one.Collisions)
		}
	})
}

// The value of a sensitive mapping is hidden in a collision too.
func TestCollisionsHideSensitiveMail(t *testing.T) {
	storyOf(t, entrasim.Options{}, crowded, func(w *world) {
		ms := mapping.Default()
		for i := range ms {
			if ms[i].Target == "mail" {
				ms[i].Sensitive = true
			}
		}
		w.mapped(ms...)
		w.person(7, map[string]any{"mail": "seven@mail.example"})
		p := w.plan(engine.PlanRequest{Collisions: true})
		if len(p.Collisions) != 1 || p.Collisions[0].Address != "(sensitive)" || p.Collisions[0].Effect != engine.EffectUpdateRefused {
			t.Errorf("got %+v, want one refused update with its address hidden", p.Collisions)
		}
		if text := fmt.Sprintf("%+v", p); strings.Contains(text, "seven@") {
			t.Errorf("the plan tells the value:\n%s", text)
		}
	})
}

// A sensitive mail is not told by what stands in its way either, whoever is asked.
func TestSensitiveMailIsNotToldByRefusals(t *testing.T) {
	for _, byMail := range []bool{true, false} {
		storyOf(t, entrasim.Options{}, crowded, func(w *world) {
			w.configure(true, func(j *engine.Job) { j.Invitation.ByMail = byMail })
			ms := mapping.Default()
			for i := range ms {
				ms[i].Sensitive = ms[i].Target == "mail"
			}
			w.mapped(ms...)
			for n := 1; n <= 6; n++ {
				w.person(10+n, map[string]any{"mail": upn(n)})
			}
			said := []any{w.plan(engine.PlanRequest{Collisions: true})}
			w.sync(store.OutcomePartial)
			for n := 11; n <= 16; n++ {
				e, err := w.engine.Explain(w.Context(), userID(n), jobName)
				w.must(err)
				said = append(said, e, w.provision(engine.ProvisionRequest{User: upn(n)}), w.provision(engine.ProvisionRequest{User: upn(n), DryRun: true}))
			}
			raw, err := json.Marshal(append(said, w.log(store.LogQuery{}), w.retries()))
			w.must(err)
			for n := 1; n <= 6; n++ {
				if at := strings.Index(strings.ToLower(string(raw)), upn(n)); at >= 0 {
					t.Errorf("by mail %v: the mail of user %d is told: …%s…", byMail, 10+n, raw[max(0, at-150):at+50])
				}
			}
		})
	}
}
