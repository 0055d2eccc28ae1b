package entrasim_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"tenantsync/entra/entrasim"
)

// TestDeltaFollowerEndsWithTheTenantsState applies random acts of administrators
// between and within rounds, with the faults delta queries are known for, and
// follows them as documented: absent keeps, null clears, the last image of an id
// wins. Whatever happened, the follower must end with the tenant's state.
func TestDeltaFollowerEndsWithTheTenantsState(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			b := &bench{cloud: entrasim.New(entrasim.Options{Seed: seed, DeltaPageSize: 1 + rng.IntN(7), Faults: []entrasim.Fault{
				{Preset: "duplicates", Probability: 0.3}, {Preset: "shuffled", Probability: 0.3}, {Preset: "replayed", Probability: 0.2},
				{Preset: "emptyPages", Probability: 0.2}, {Preset: "tombstones", Probability: 0.5},
			}})}
			c := b.add(t, "one", `{}`)
			image := map[string]map[string]any{}
			headers := []string{}
			if rng.IntN(2) == 0 {
				headers = []string{"Prefer", "return=minimal"}
			}
			link := "/users/delta?$select=displayName,jobTitle,manager"
			for range 6 {
				for range rng.IntN(15) {
					randomAct(t, rng, c.tenant)
				}
				for done := false; !done; {
					r := c.call(http.MethodGet, link, nil, headers...).want(t, http.StatusOK, "")
					for _, item := range r.value() {
						apply(image, item)
					}
					if link, done = r.str("@odata.deltaLink"), true; link == "" {
						link, done = r.str("@odata.nextLink"), false
					}
					if rng.IntN(3) == 0 {
						randomAct(t, rng, c.tenant)
					}
				}
			}
			c.tenant.SetFaults(nil)
			b.cloud.SetFaults(nil)
			items, _, _ := c.round(link, headers...)
			for _, item := range items {
				apply(image, item)
			}
			want := map[string]map[string]any{}
			for _, u := range c.tenant.Users() {
				m := map[string]any{"displayName": u.String("displayName")}
				if v := u.String("jobTitle"); v != "" {
					m["jobTitle"] = v
				}
				if v, _ := u.Map()["manager"].(map[string]any); v != nil {
					m["manager"] = v["id"]
				}
				want[u.ID()] = m
			}
			if got, want := compactJSON(t, image), compactJSON(t, want); got != want {
				t.Errorf("the follower knows\n%s\nthe tenant has\n%s", got, want)
			}
		})
	}
}

// randomAct does one thing an administrator might do; what is impossible just
// now is not done.
func randomAct(t *testing.T, rng *rand.Rand, tenant *entrasim.Tenant) {
	t.Helper()
	users, deleted := tenant.Users(), tenant.DeletedUsers()
	var err error
	switch n := rng.IntN(10); {
	case n < 3 || len(users) == 0:
		_, err = tenant.CreateUser(map[string]any{"userPrincipalName": fmt.Sprintf("u%d@one.onmicrosoft.com", rng.Uint64()), "displayName": "new"})
	case n < 6:
		var title any = fmt.Sprint(rng.IntN(4))
		if rng.IntN(3) == 0 {
			title = nil
		}
		err = tenant.Update(users[rng.IntN(len(users))].ID(), map[string]any{"jobTitle": title, "displayName": fmt.Sprint(rng.IntN(3))})
	case n < 7:
		err = tenant.SetManager(users[rng.IntN(len(users))].ID(), users[rng.IntN(len(users))].ID())
	case n < 8:
		err = tenant.Delete(users[rng.IntN(len(users))].ID())
	case n < 9 && len(deleted) > 0:
		err = tenant.Restore(deleted[rng.IntN(len(deleted))].ID())
	case len(deleted) > 0:
		err = tenant.Purge(deleted[rng.IntN(len(deleted))].ID())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// apply merges one delta entry into the follower's image.
func apply(image map[string]map[string]any, item map[string]any) {
	id := item["id"].(string)
	if item["@removed"] != nil {
		delete(image, id)
		return
	}
	if image[id] == nil {
		image[id] = map[string]any{}
	}
	for _, name := range []string{"displayName", "jobTitle"} {
		if v, told := item[name]; told && v == nil {
			delete(image[id], name)
		} else if told {
			image[id][name] = v
		}
	}
	refs, _ := item["manager@delta"].([]any)
	for _, e := range refs {
		if m := e.(map[string]any); m["@removed"] == nil {
			image[id]["manager"] = m["id"]
		} else if image[id]["manager"] == m["id"] {
			delete(image[id], "manager")
		}
	}
}

// TestTenantsInviteEachOther must neither deadlock nor race.
func TestTenantsInviteEachOther(t *testing.T) {
	t.Parallel()
	b := newBench(t, entrasim.Options{AutoRedeem: true})
	if _, err := b.fabrikam.tenant.CreateUser(map[string]any{"userPrincipalName": "fay@fabrikam.onmicrosoft.com"}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				b.fabrikam.invite("ann@contoso.example")
				_, _ = b.contoso.tenant.Load(b.contoso.tenant.Dump()) // guests come and go meanwhile
			}
		})
		wg.Go(func() {
			for range 25 {
				b.contoso.invite("fay@fabrikam.onmicrosoft.com")
				b.contoso.round("/users/delta?$select=mail")
				b.fabrikam.tenant.Counts()
			}
		})
	}
	wg.Wait()
	if got := len(b.fabrikam.tenant.Users()); got != 2 {
		t.Errorf("fabrikam: got %d users, want fay and one guest", got)
	}
}
