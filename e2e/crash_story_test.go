package e2e_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// saga is the life of one small company, told again and again, each time about
// new people: what its administrators do, what they run then, and what has to be
// in the target afterwards, whatever happened meanwhile.
type saga struct {
	*lab
	n      int // how often it was told
	people []*colleague
	told   map[string]int // "name action" → successes that the log has to have
}

// colleague is one user of the source, and what has become of it in the target.
type colleague struct {
	name, department, manager string
	disabled                  bool
	gone                      bool // deleted in the source
	outside                   bool // not in the group that is in scope
	there                     bool // has a user in the target
	known                     bool // the target's user still shows what it was last given
	was                       given
}

// given is what the target was last given of somebody who is held.
type given struct{ department, manager string }

// act is one thing that happens in the source, and the command that is run then.
type act struct {
	name string
	// change changes people and notes what the log has to tell.
	change  func(*saga)
	command []string
	exit    int
}

var tellSync = []string{"sync", jobName, "-o", "json"}

// acts are the saga in its order.
func acts() []act {
	return []act{
		{"everybody comes", (*saga).everybodyComes, tellSync, 0},
		{"many change", (*saga).manyChange, tellSync, 0},
		{"some leave", (*saga).someLeave, tellSync, 0},
		{"they come back", (*saga).leaversReturn, tellSync, 0},
		{"many leave", (*saga).manyLeave, tellSync, 5},
		{"their deletion is allowed", (*saga).allowed, []string{"deletions", "allow", jobName, "--all", "--yes", "-o", "json"}, 0},
		{"all come back", (*saga).leaversReturn, tellSync, 0},
		{"one is provisioned", (*saga).oneIsHired, nil, 0},
		{"the target is edited", (*saga).targetIsEdited, append(slices.Clone(tellSync), "--initial"), 0},
	}
}

// team size, how many of it change, leave below the threshold, and leave above it.
const (
	sagaPeople    = 25
	sagaChanges   = 22
	sagaLeavers   = 3
	sagaExodus    = 7
	sagaThreshold = 5
)

func newSaga(t *testing.T) *saga {
	t.Helper()
	s := &saga{lab: newLab(t, nil, nil)}
	s.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{id("crew")}}, "autoStart": true,
		"deletions": obj{"threshold": sagaThreshold, "percent": 0}, "guards": obj{"scopeShrink": 0}}))
	return s
}

// everybodyComes forgets all who were there and begins with nobody known.
func (s *saga) everybodyComes() {
	s.t.Helper()
	s.n++
	s.people, s.told = nil, map[string]int{}
	if s.n > 1 {
		s.forget()
	}
	s.put("target", obj{"users": list{native("gerda"), native("hans")}})
	for i := range sagaPeople {
		p := &colleague{name: fmt.Sprintf("p%d-%02d", s.n, i), department: "Sales"}
		if i > 0 {
			p.manager = s.people[(i-1)/5].name
		}
		s.people = append(s.people, p)
		s.arrive(p)
	}
	// Who is disabled when first seen is skipped.
	s.people = append(s.people, &colleague{name: fmt.Sprintf("p%d-idle", s.n), department: "Sales", disabled: true})
}

// arrive notes that somebody is created in the target.
func (s *saga) arrive(p *colleague) {
	p.there = true
	s.tell(p, "create")
}

func (s *saga) tell(p *colleague, action string) { s.told[p.name+" "+action]++ }

func (s *saga) manyChange() {
	for i, p := range s.people[:sagaChanges] {
		p.department = "Research"
		action := "update"
		switch {
		case i%11 == 7:
			p.disabled = true
			action = "disable"
		case i > 0 && i%5 == 0:
			p.manager = s.people[21].name
		case i%11 == 9:
			p.manager = ""
		}
		s.tell(p, action)
	}
}

func (s *saga) someLeave() {
	for _, p := range s.people[2 : 2+sagaLeavers] {
		p.outside, p.there = true, false
		s.tell(p, "delete")
	}
}

func (s *saga) leaversReturn() {
	for _, p := range s.people {
		if p.gone || p.outside {
			p.gone, p.outside, p.there, p.known = false, false, true, false
			s.tell(p, "update")
		}
	}
}

// manyLeave is above the threshold: everybody stays.
func (s *saga) manyLeave() {
	for _, p := range s.people[10 : 10+sagaExodus] {
		p.gone, p.known, p.was = true, true, given{p.department, p.manager}
	}
}

func (s *saga) allowed() {
	for _, p := range s.people {
		if p.gone {
			p.there = false
			s.tell(p, "delete")
		}
	}
}

func (s *saga) oneIsHired() {
	p := &colleague{name: fmt.Sprintf("p%d-new", s.n), department: "Board", manager: s.people[0].name}
	s.people = append(s.people, p)
	s.arrive(p)
}

// targetIsEdited changes users of the target by hand; a comparing cycle repairs them.
func (s *saga) targetIsEdited() {
	edited := map[string]bool{}
	for _, p := range s.people[:4] {
		edited[id(p.name)] = true
		s.tell(p, "update")
	}
	s.edit("target", "users", func(all []user) []user {
		for _, u := range all {
			if edited[u.home()] {
				u["department"] = "By hand"
			}
		}
		return all
	})
}

// publish brings the source to what people are.
func (s *saga) publish() {
	s.t.Helper()
	var all list
	crew := []string{}
	for _, p := range s.people {
		if p.gone {
			continue
		}
		u := staff(p.name, obj{"department": p.department, "accountEnabled": !p.disabled})
		if m := s.named(p.manager); m != nil && !m.gone {
			u["manager"] = obj{"id": id(p.manager)}
		}
		all = append(all, u)
		if !p.outside {
			crew = append(crew, id(p.name))
		}
	}
	s.put("source", obj{"users": all, "groups": list{obj{"id": id("crew"), "displayName": "Crew", "securityEnabled": true, "members": crew}}})
}

func (s *saga) named(name string) *colleague {
	i := slices.IndexFunc(s.people, func(p *colleague) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return s.people[i]
}

// want is the target as it has to be: a line for each user.
func (s *saga) want() []string {
	lines := []string{"gerda@fabrikam.example, User gerda", "hans@fabrikam.example, User hans"}
	for _, p := range s.people {
		if !p.there {
			continue
		}
		manager := "nobody"
		if m := s.named(p.manager); m != nil && m.there {
			manager = m.name
		}
		lines = append(lines, fmt.Sprintf("%s in %s under %s, enabled %t, Member", p.name, p.department, manager, !p.disabled))
	}
	slices.Sort(lines)
	return lines
}

// have is the target as it is. Somebody who is there twice has two lines.
func (s *saga) have() []string {
	s.t.Helper()
	names := map[string]string{} // id in the source or the target → name
	for _, p := range s.people {
		names[id(p.name)] = p.name
	}
	state := s.state("target")
	all, _ := state["users"].(list)
	for _, o := range all {
		if u := user(o.(obj)); u.home() != "" {
			names[u.id()] = names[u.home()]
		}
	}
	var lines []string
	for _, o := range all {
		u := user(o.(obj))
		if u.home() == "" {
			lines = append(lines, u.text("userPrincipalName")+", "+u.text("displayName"))
			continue
		}
		manager := "nobody"
		if m := names[u.manager()]; m != "" { // else the manager is deleted
			manager = m
		}
		lines = append(lines, fmt.Sprintf("%s in %s under %s, enabled %v, %s", names[u.home()], u.text("department"), manager, u["accountEnabled"], u.text("userType")))
	}
	deleted, _ := state["deletedUsers"].(list)
	for _, o := range deleted {
		if p := s.named(names[user(o.(obj)).home()]); p != nil && p.there {
			lines = append(lines, p.name+" a second time, deleted")
		}
	}
	slices.Sort(lines)
	return lines
}

// check compares the target, the state file and the log with the saga, and returns
// how many users are too many in the target, and how many are missing or not as
// they should be.
func (s *saga) check(what string) (surplus, lost int) {
	s.t.Helper()
	have, want := s.have(), s.want()
	surplus, lost = len(missing(have, want)), len(missing(want, have))
	if surplus+lost > 0 {
		s.t.Errorf("%s: the target\ngot:\n%s\nwant:\n%s", what, strings.Join(missing(have, want), "\n"), strings.Join(missing(want, have), "\n"))
	}
	st, err := bolt.Open(filepath.Join(s.dir, "sim", "state.db"), bolt.Options{ReadOnly: true})
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
		return surplus, lost
	}
	defer st.Close() // read only
	if err := st.Verify(s.t.Context()); err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
	waiting, err := st.Waiting(s.t.Context(), jobName)
	if err != nil || len(waiting.Intents) > 0 {
		s.t.Errorf("%s: got intents %v (error %v), want none", what, waiting.Intents, err)
	}
	entries, err := st.Log(s.t.Context(), store.LogQuery{Job: jobName, Statuses: []string{"success"}})
	if err != nil {
		s.t.Errorf("%s: %v", what, err)
	}
	s.checkLog(what, entries)
	return surplus, lost
}

// missing lists what is in a and not in b, each as often as it is too many.
func missing(a, b []string) []string {
	left := map[string]int{}
	for _, line := range b {
		left[line]++
	}
	var out []string
	for _, line := range a {
		if left[line]--; left[line] < 0 {
			out = append(out, line)
		}
	}
	return out
}

// checkLog expects each change to be told, and none that was not to happen. A cycle
// that is killed between a create and the manager tells the manager as an update
// of its own: of updates there may be more.
func (s *saga) checkLog(what string, entries []store.Entry) {
	s.t.Helper()
	names, got := map[string]string{}, map[string]int{}
	for _, p := range s.people {
		names[id(p.name)] = p.name
	}
	for _, e := range entries {
		got[names[e.SourceIdentity.ID]+" "+e.Action]++
	}
	for key, n := range s.told {
		if got[key] < n || got[key] > n && !strings.HasSuffix(key, " update") {
			s.t.Errorf("%s: the log tells %q %d times, want %d", what, key, got[key], n)
		}
	}
	for key := range got {
		if s.told[key] == 0 && !strings.HasSuffix(key, " update") && !strings.HasSuffix(key, " other") {
			s.t.Errorf("%s: the log tells %q, which was not to happen", what, key)
		}
	}
}

// close ends the simulator before the test does.
func (s *saga) close() {
	s.simulator.kill()
	s.http.CloseIdleConnections()
}
