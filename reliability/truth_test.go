package reliability_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tenantsync/entra/entrasim"
)

// truth is what is certain, learned from the tenants and from what their
// administrators did, never from the engine.
type truth struct {
	w  *world
	mu sync.Mutex

	wanted   map[string][]moment  // by source id: from when on jobs of the pair want the user
	active   map[string][]moment  // by source id: from when on they want the user, who may sign in
	able     map[string][]moment  // by source id: from when on the user may sign in
	gone     []moment             // from when on a scope group is not there
	settings []time.Time          // when the settings of the jobs were changed
	bearers  map[string][]string  // user principal name in lower case → source ids of all who had it
	holder   map[string]string    // user principal name in lower case → source id of who had it last
	homes    map[string]string    // target id → source id of the person it stands for
	inTime   map[string]time.Time // target id → since when it is an internal account, by hand
	roles    map[string]bool      // target users with a directory role
	hands    map[string]bool      // target users deleted, restored or purged by hand
	binned   map[string]time.Time // of those, when they were deleted
	edits    map[string]map[string]bool
	blocks   map[string]string       // target id → what administrators of the target last said of sign-in
	vetoes   map[string]bool         // target users who could sign in and were blocked by hand
	invite   map[string]bool         // guests who were invited by hand
	allows   []time.Time             // when held deletions were allowed
	rulings  []time.Time             // when they were allowed or rejected
	demand   map[string]bool         // source users who were provisioned on demand
	forgot   [][2]time.Time          // parts of the past that no state remembers: it was lost, or an older one put back
	backs    map[string][]time.Time  // target id → when it was restored by hand
	set      map[written][]time.Time // when a value was given by hand
	readings []time.Time             // when the readings began that stopped cycles left, in their order

	// What was seen last, so that it is looked at again only when it has changed.
	seen     sight
	homeless []entrasim.Object // users of the target, as of then, who stand for nobody known
}

// sight is what determines who is wanted and who stands for whom.
type sight struct {
	looked         bool
	source, target uint64 // changes of the tenants
	job            Settings
	ran            bool
}

// moment is a change of whether a user is wanted.
type moment struct {
	at     time.Time
	wanted bool
}

func newTruth(w *world) *truth {
	return &truth{w: w, wanted: map[string][]moment{}, active: map[string][]moment{}, able: map[string][]moment{}, bearers: map[string][]string{}, homes: map[string]string{}, holder: map[string]string{},
		inTime: map[string]time.Time{}, roles: map[string]bool{}, hands: map[string]bool{}, binned: map[string]time.Time{}, backs: map[string][]time.Time{}, set: map[written][]time.Time{},
		edits: map[string]map[string]bool{}, blocks: map[string]string{}, vetoes: map[string]bool{}, invite: map[string]bool{}, demand: map[string]bool{}}
}

// observe notes who is wanted now, and whom the users of the target stand for. What
// is as it was when that was last looked at is not looked at again.
func (h *truth) observe() {
	now := time.Now()
	w := h.w
	// Counted before looking: what changes meanwhile is looked at by the next.
	see := sight{true, w.source.Changes(), w.target.Changes(), w.job, w.ran}
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.seen
	if was == see {
		return
	}
	h.seen = see
	if was.target != see.target || !was.looked {
		h.homeless = h.homeless[:0]
		for _, list := range [][]entrasim.Object{w.target.Users(), w.target.DeletedUsers()} {
			for _, o := range list {
				if h.homes[o.ID()] == "" {
					h.homeless = append(h.homeless, o)
				}
			}
		}
	}
	if was.target = see.target; was != see {
		h.observeSource(now)
	}
	h.homeless = slices.DeleteFunc(h.homeless, func(o entrasim.Object) bool {
		if h.homes[o.ID()] == "" {
			if home := h.origin(o); home != "" {
				h.homes[o.ID()] = home
			}
		}
		return h.homes[o.ID()] != ""
	})
}

// observeSource notes who is wanted, and who has which name.
func (h *truth) observeSource(now time.Time) {
	users := h.w.source.Users()
	wanted := h.w.wantedOf(users)
	for id := range h.wanted {
		become(h.wanted, id, wanted[id], now)
	}
	for id := range wanted {
		become(h.wanted, id, true, now)
	}
	h.gone = changed(h.gone, h.w.scopeGroupGone(), now)
	may := map[string]bool{}
	for _, u := range users {
		name := strings.ToLower(u.String("userPrincipalName"))
		h.holder[name] = u.ID()
		if !slices.Contains(h.bearers[name], u.ID()) {
			h.bearers[name] = append(h.bearers[name], u.ID())
		}
		may[u.ID()] = u.Bool("accountEnabled")
	}
	for id := range h.wanted {
		become(h.active, id, wanted[id] && may[id], now)
	}
	for id := range h.able {
		become(h.able, id, may[id], now)
	}
	for id, able := range may {
		become(h.able, id, able, now)
	}
}

// origin is who an external user of the target was invited for: the home that the
// tenant itself found, or, where that was gone already when the invitation
// arrived, who had the address last.
func (h *truth) origin(o entrasim.Object) string {
	if home := homeIdentity(o); home != "" {
		return home
	}
	if o.String("creationType") != "Invitation" {
		return ""
	}
	if local, _, found := strings.Cut(o.String("userPrincipalName"), "_contoso.example"); found {
		return h.holder[strings.ToLower(local)+"@contoso.example"]
	}
	return ""
}

func become(of map[string][]moment, id string, is bool, now time.Time) {
	of[id] = changed(of[id], is, now)
}

func changed(list []moment, is bool, now time.Time) []moment {
	if len(list) > 0 && list[len(list)-1].wanted == is {
		return list
	}
	return append(list, moment{now, is})
}

// within reports whether it was so at some moment between the two times, both
// included. Before the first moment of the list nothing was wanted.
func within(list []moment, so bool, from, to time.Time) bool {
	is := false
	for _, m := range list {
		if m.at.After(to) {
			break
		}
		if is == so && m.at.After(from) {
			return true
		}
		is = m.wanted
	}
	return is == so
}

// unwantedIn reports whether a source user was not wanted at some moment between
// the two times, both included.
func (h *truth) unwantedIn(id string, from, to time.Time) bool {
	return within(h.wanted[id], false, from, to)
}

// wantedNow returns the source users whom a job of the first pair wants, by id.
func (w *world) wantedNow() map[string]bool { return w.wantedOf(w.source.Users()) }

func (w *world) wantedOf(users []entrasim.Object) map[string]bool {
	out := map[string]bool{}
	in := w.membership()
	second := w.secondSettings()
	known := w.script.Setup.Second && w.ran // who is in the groups of a job that never ran is not known
	for _, u := range users {
		if wants(&w.job, u, in) || known && wants(&second, u, in) {
			out[u.ID()] = true
		}
	}
	return out
}

// wants is the model of scope, written without the engine.
func wants(s *Settings, u entrasim.Object, in map[int]map[string]bool) bool {
	if t := u.String("userType"); t != "" && t != "Member" || strings.Contains(u.String("userPrincipalName"), "#EXT#") || u.String("externalUserState") != "" {
		return false
	}
	id := u.ID()
	switch s.Scope {
	case "group":
		if !in[1][id] {
			return false
		}
	case "groups":
		if !in[1][id] && !in[2][id] {
			return false
		}
	case "second":
		return in[2][id]
	case "nested":
		if !in[-1][id] {
			return false
		}
	}
	return s.Filter == "" || u.String("department") == s.Filter
}

// membership returns the direct members of the source's groups by their number,
// and under −1 who is in group 1 directly or through other groups.
func (w *world) membership() map[int]map[string]bool {
	out := map[int]map[string]bool{}
	for _, g := range w.source.Groups() {
		set := map[string]bool{}
		for _, m := range g.Strings("members") {
			set[m] = true
		}
		out[numberOf(g.ID())] = set
	}
	all, seen := map[string]bool{}, map[int]bool{}
	var walk func(n int)
	walk = func(n int) {
		if seen[n] {
			return
		}
		seen[n] = true
		for m := range out[n] {
			if strings.HasPrefix(m, "bbbbbbbb") {
				walk(numberOf(m))
			} else {
				all[m] = true
			}
		}
	}
	walk(1)
	out[-1] = all
	return out
}

// numberOf reads the number an id of ours ends with.
func numberOf(id string) int {
	n := 0
	for _, c := range id[len(id)-12:] {
		if c < '0' || c > '9' {
			break // ids of others have none
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// homeIdentity is the source id that a tenant itself knows as the home of a guest.
func homeIdentity(o entrasim.Object) string {
	var home struct{ ID, TenantID string }
	if raw := o.Raw("homeIdentity"); raw != "" && json.Unmarshal([]byte(raw), &home) == nil {
		return home.ID
	}
	return ""
}

// homeOf is the source user that a target user stands for, "" for none.
func (h *truth) homeOf(o entrasim.Object) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if home := h.homes[o.ID()]; home != "" {
		return home
	}
	return h.origin(o)
}

// The acts of administrators of the target.

func (h *truth) byHand(id, did string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hands[id] = true
	if did == "target delete" {
		h.binned[id] = time.Now()
	}
}

func (h *truth) restored(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.backs[id] = append(h.backs[id], time.Now())
}

// The administrators of tenantsync.

func (h *truth) allow() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.allows, h.rulings = append(h.allows, time.Now()), append(h.rulings, time.Now())
}

func (h *truth) reject() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rulings = append(h.rulings, time.Now())
}

func (h *truth) provisioned(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.demand[userID(n)] = true
}

func (h *truth) drifted(o entrasim.Object, name string, value any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := o.ID()
	if h.edits[id] == nil {
		h.edits[id] = map[string]bool{}
	}
	h.edits[id][name] = true
	x := written{id, name, text(value)}
	h.set[x] = append(h.set[x], time.Now())
	if name == "accountEnabled" {
		h.blocks[id] = fmt.Sprint(value)
		h.vetoes[id] = value == false && (o.Bool("accountEnabled") || h.vetoes[id])
	}
}

func (h *truth) invitedByHand(id, source string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.homes[id], h.invite[id] = source, true
}

func (h *truth) protect(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.inTime[id] = time.Now()
}

// forget notes that the state remembers nothing of what came after a time.
func (h *truth) forget(from time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgot = append(h.forgot, [2]time.Time{from, time.Now()})
	h.readings = nil
}

// forgotten reports that the state remembers nothing of what was then.
func (h *truth) forgotten(at time.Time) bool {
	return slices.ContainsFunc(h.forgot, func(p [2]time.Time) bool { return !at.Before(p[0]) && !at.After(p[1]) })
}

// ended notes when the reading began, at the earliest, that a cycle acted on: a
// stopped cycle leaves what it has read to the next one, for an hour.
func (h *truth) ended(c *cycle) {
	h.observe()
	h.mu.Lock()
	defer h.mu.Unlock()
	c.resumed = c.began
	var left []time.Time
	for _, at := range h.readings { // which of them was begun anew, only the engine knows
		if c.began.Sub(at) < time.Hour {
			left = append(left, at)
		}
	}
	if len(left) > 0 {
		c.resumed = left[0]
	}
	h.readings = nil
	if c.dead || c.stopped || c.result.Error != nil {
		h.readings = append(left, c.began)
	}
}
