package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// heldFor lists the held source ids of the job, sorted, and expects a reason.
func (l *lab) heldFor(reason string) []string {
	l.t.Helper()
	var d struct{ Held []held }
	l.json(0, &d, "deletions", "list", jobName)
	for _, h := range d.Held {
		if h.Reason != reason {
			l.t.Errorf("%s is held for %s, want %s", h.UserPrincipalName, h.Reason, reason)
		}
	}
	return sourceIDs(d.Held)
}

// decided is what `deletions allow` and `deletions reject` print.
type decided struct{ Held, Deleted, Dropped, Retained, Failed []held }

// jobState is one job of `status`.
type jobState struct {
	Name, State                    string
	Quarantine                     *struct{ Reason string }
	InScope, Linked, Held, Retries int
	LastCycle                      *struct{ Outcome string }
	NextStart                      *string
}

// status reads the state of the job, with the exit code that goes with it.
func (l *lab) status(exit int) jobState {
	l.t.Helper()
	var s struct{ Jobs []jobState }
	l.json(exit, &s, "status", jobName)
	if len(s.Jobs) != 1 {
		l.t.Fatalf("status %s: got %d jobs, want one", jobName, len(s.Jobs))
	}
	return s.Jobs[0]
}

// quarantine expects the reason why the job is in quarantine; empty: it is not.
func (l *lab) quarantine(reason string) {
	l.t.Helper()
	exit := 0
	if reason != "" {
		exit = 5
	}
	s := l.status(exit)
	got := ""
	if s.Quarantine != nil {
		got = s.Quarantine.Reason
	}
	if got != reason || (s.State == "Quarantine") != (reason != "") {
		l.t.Errorf("status: got %s %q, want quarantine %q", s.State, got, reason)
	}
}

// §7, "Threshold"
func TestSettledThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		deletions    obj
		people, gone int
		held         bool
	}{
		{"as many as the threshold", obj{"threshold": 3, "percent": 0}, 30, 3, false},
		{"more than the threshold", obj{"threshold": 3, "percent": 0}, 30, 4, true},
		{"many percent, below ten objects", obj{"percent": 10}, 30, 9, false},
		{"as much as the percentage", obj{"percent": 40}, 25, 10, false},
		{"more than the percentage", obj{"percent": 39}, 25, 10, true},
		{"a threshold of none", obj{"threshold": 0}, 30, 1, true},
		{"turned off", obj{"prevent": false, "threshold": 1}, 30, 12, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", c.people)...), nil)
			l.configure(jobWith(obj{"deletions": c.deletions}))
			l.sync(0, "success")
			l.remove("source", ids("user", 1, c.gone)...)
			var plan struct{ DeletionThreshold struct{ Held bool } }
			l.json(0, &plan, "plan", jobName)
			expectEqual(t, "held by the plan", plan.DeletionThreshold.Held, c.held)
			if !c.held {
				expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Delete: c.gone})
				return
			}
			expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Held: c.gone})
			expectEqual(t, "held", len(l.heldFor("TooManyDeletes")), c.gone)
			l.quarantine("TooManyDeletes")
		})
	}
}

// §7, "Threshold" counts disables by leaving scope, and "Users disabled in the source do not count"
func TestSettledThresholdCountsDisablesByLeavingScope(t *testing.T) {
	t.Parallel()
	all := list{}
	for _, u := range team("user", 8) {
		all = append(all, staff("", u.(obj), obj{"department": "Sales"}))
	}
	l := newLab(t, obj{"users": all}, nil)
	l.configure(jobWith(obj{"deprovision": "disable", "deletions": obj{"threshold": 1}, "guards": obj{"scopeShrink": 0},
		"scope": obj{"mode": "all", "filters": list{obj{"title": "Sales", "clauses": list{obj{"attribute": "department", "operator": "EQUALS", "value": "Sales"}}}}}}))
	l.sync(0, "success")
	for i := 1; i <= 3; i++ {
		l.change("source", id(member("user", i)), obj{"accountEnabled": false})
	}
	expectEqual(t, "disabled in the source", l.sync(0, "success").Summary, summary{Disable: 3})
	l.change("source", id("user04"), obj{"department": "Retired"})
	l.change("source", id("user05"), obj{"department": "Retired"})
	expectEqual(t, "out of scope", l.sync(5, "quarantine").Summary, summary{Held: 2})
	expectEqual(t, "still enabled", l.copyOf("user04")["accountEnabled"], true)
	l.json(0, nil, "deletions", "allow", jobName, "--all", "--yes")
	expectEqual(t, "disabled once allowed", l.copyOf("user04")["accountEnabled"], false)
}

// §7, "TooManyDeletes, ScopeShrunk", "Back in scope while held", "deletions allow"
func TestSettledHoldsAndAllow(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"alone", "daemon"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", 12)...), nil)
			l.configure(jobWith(obj{"deletions": obj{"threshold": 2}}))
			if way == "daemon" {
				l.startDaemon()
			}
			l.sync(0, "success")
			l.remove("source", ids("user", 1, 5)...)
			l.change("source", id("user06"), obj{"city": "Rome"})
			l.change("source", id("user07"), obj{"accountEnabled": false})
			l.add("source", staff("new"))
			expectEqual(t, "only deletes are held", l.sync(5, "quarantine").Summary, summary{Create: 1, Update: 1, Disable: 1, Held: 5})
			if s := l.status(5); s.Held != 5 || s.NextStart == nil {
				t.Errorf("status: got %+v, want 5 held and the next start kept", s)
			}

			// New leavers are judged by themselves.
			l.remove("source", id("user08"))
			expectEqual(t, "a new leaver", l.sync(5, "success").Summary, summary{Delete: 1, Held: 5})

			// Back in scope: released.
			l.add("source", staff("user01"))
			expectEqual(t, "back in scope", l.sync(5, "success").Summary.Held, 4)
			expectEqual(t, "held", l.heldFor("TooManyDeletes"), sorted(ids("user", 2, 5)))

			// Allowed one by one, and read again first.
			l.add("source", staff("user02"))
			var d decided
			l.json(0, &d, "deletions", "allow", jobName, "--user", "user02@contoso.example", "--user", id("user03"), "--yes")
			expectEqual(t, "dropped", sourceIDs(d.Dropped), []string{id("user02")})
			expectEqual(t, "deleted", sourceIDs(d.Deleted), []string{id("user03")})
			if l.copyOf("user02") == nil || l.copyOf("user03") != nil {
				t.Error("the target: want user02 kept and user03 deleted")
			}
			l.json(0, &d, "deletions", "allow", jobName, "--all", "--yes")
			expectEqual(t, "deleted", sourceIDs(d.Deleted), sorted(ids("user", 4, 5)))
			l.quarantine("")
			expectEqual(t, "afterwards", l.sync(0, "success").Summary.Held, 0)
		})
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// §7, "deletions reject"
func TestSettledReject(t *testing.T) {
	t.Parallel()
	all := list{}
	for _, u := range team("user", 12) {
		all = append(all, staff("", u.(obj), obj{"department": "Sales"}))
	}
	l := newLab(t, obj{"users": all}, nil)
	l.configure(jobWith(obj{"deletions": obj{"threshold": 1}, "guards": obj{"scopeShrink": 0},
		"scope": obj{"mode": "all", "filters": list{obj{"title": "Sales", "clauses": list{obj{"attribute": "department", "operator": "EQUALS", "value": "Sales"}}}}}}))
	l.sync(0, "success")
	for i := 1; i <= 2; i++ {
		l.change("source", id(member("user", i)), obj{"department": "Retired"})
	}
	l.sync(5, "quarantine")
	var d decided
	l.json(0, &d, "deletions", "reject", jobName, "--all", "--yes")
	expectEqual(t, "retained", sourceIDs(d.Retained), sorted(ids("user", 1, 2)))
	l.quarantine("")
	writes := l.during("target", func() {
		l.sync(0, "success")
		l.sync(0, "success", "--initial")
	})
	expectEqual(t, "writes", len(writes), 0)
	var kept struct{ Held []held }
	l.json(0, &kept, "deletions", "list", jobName, "--retained")
	expectEqual(t, "listed as retained", sourceIDs(kept.Held), sorted(ids("user", 1, 2)))

	// Still disabled with the source.
	l.change("source", id("user01"), obj{"accountEnabled": false})
	expectEqual(t, "disabled with the source", l.sync(0, "success").Summary.Disable, 1)
	// A new event is judged anew.
	l.remove("source", id("user02"))
	expectEqual(t, "deleted in the source", l.sync(0, "success").Summary.Delete, 1)
	if l.copyOf("user01") == nil || l.copyOf("user02") != nil {
		t.Error("the target: want user01 kept and user02 deleted")
	}
}

// §7, "Emptied source"
func TestSettledEmptiedSource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		edit         obj
		people, gone int
		held         bool
	}{
		{"to zero", nil, 3, 3, true},
		{"to zero with everything turned off", obj{"deletions": obj{"prevent": false}, "guards": obj{"scopeShrink": 0}}, 3, 3, true},
		{"by more than the share", obj{"deletions": obj{"prevent": false}}, 20, 11, true},
		{"by the share", obj{"deletions": obj{"prevent": false}}, 20, 10, false},
		{"by more than the share of a few", obj{"deletions": obj{"prevent": false}}, 19, 11, false},
		{"by more than the share, turned off", obj{"deletions": obj{"prevent": false}, "guards": obj{"scopeShrink": 0}}, 20, 11, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", c.people)...), nil)
			l.configure(jobWith(c.edit))
			l.sync(0, "success")
			l.remove("source", ids("user", 1, c.gone)...)
			if !c.held {
				expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Delete: c.gone})
				return
			}
			expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Held: c.gone})
			l.quarantine("ScopeShrunk")
			// --user does not end it, --all does, and sets the new good count.
			l.json(0, nil, "deletions", "allow", jobName, "--user", id("user01"), "--yes")
			expectEqual(t, "held", l.heldFor("ScopeShrunk"), sorted(ids("user", 2, c.gone)))
			l.quarantine("ScopeShrunk")
			l.json(0, nil, "deletions", "allow", jobName, "--all", "--yes")
			l.quarantine("")
			l.sync(0, "success")
			l.quarantine("")
		})
	}
}

// §7, "Scope group gone"
func TestSettledScopeGroupGone(t *testing.T) {
	t.Parallel()
	group := func(members ...string) obj {
		return obj{"id": id("group"), "displayName": "Sync", "securityEnabled": true, "members": members}
	}
	scoped := func(groups ...any) obj {
		return jobWith(obj{"scope": obj{"mode": "assigned", "groups": list(groups)}})
	}
	start := func(t *testing.T) *lab {
		l := newLab(t, obj{"users": team("user", 4), "groups": list{group(ids("user", 1, 3)...),
			obj{"id": id("other"), "displayName": "Other", "securityEnabled": true, "members": list{id("user04")}}}}, nil)
		l.configure(scoped(id("group"), id("other")))
		l.sync(0, "success")
		l.edit("source", "groups", func(groups []user) []user {
			return slices.DeleteFunc(groups, func(g user) bool { return g.id() == id("group") })
		})
		expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Held: 3})
		expectEqual(t, "held", l.heldFor("ScopeGroupDeleted"), sorted(ids("user", 1, 3)))
		l.quarantine("ScopeGroupDeleted")
		return l
	}
	t.Run("back again", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		l.edit("source", "groups", func(groups []user) []user { return append(groups, group(ids("user", 1, 3)...)) })
		expectEqual(t, "held", l.sync(0, "success").Summary.Held, 0)
		l.quarantine("")
		expectEqual(t, "users of the target", len(l.section("target", "users")), 4)
	})
	t.Run("taken out of the configuration", func(t *testing.T) {
		t.Parallel()
		l := start(t)
		l.configure(scoped(id("other")))
		expectEqual(t, "summary", l.sync(0, "success").Summary.Delete, 3)
		l.quarantine("")
	})
	t.Run("a group without members is just empty", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, obj{"users": team("user", 4), "groups": list{group(ids("user", 1, 3)...),
			obj{"id": id("other"), "displayName": "Other", "securityEnabled": true, "members": list{id("user04")}}}}, nil)
		l.configure(scoped(id("group"), id("other")))
		l.sync(0, "success")
		l.members(id("group"))
		expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Delete: 3})
	})
}

// §7, "A value that is still taken"
func TestSettledValueStillTaken(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, threshold int) *lab {
		l := newLab(t, users(staff("ann"), staff("bob", obj{"mail": "chief@contoso.example"}), staff("cid"), staff("dan")), nil)
		l.configure(jobWith(obj{"deletions": obj{"threshold": threshold}}))
		l.sync(0, "success")
		l.remove("source", id("bob"))
		l.change("source", id("ann"), obj{"mail": "chief@contoso.example", "city": "Rome"})
		return l
	}
	t.Run("after the deletes of the cycle", func(t *testing.T) {
		t.Parallel()
		l := start(t, 500)
		writes := l.during("target", func() { expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Update: 1, Delete: 1}) })
		expectEqual(t, "writes", kinds(writes), []string{"updateUser", "deleteUser", "updateUser"})
		expectEqual(t, "the first update", writes[0].Status, 400)
		expectEqual(t, "the second is the whole of it", writes[2].fields(t), obj{"city": "Rome", "mail": "chief@contoso.example"})
	})
	t.Run("after deletions allow", func(t *testing.T) {
		t.Parallel()
		l := start(t, 0)
		expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Failed: 1, Held: 1})
		l.says(id("ann"), "failure", "Conflict")
		l.json(0, nil, "deletions", "allow", jobName, "--all", "--yes")
		expectEqual(t, "mail", l.copyOf("ann").text("mail"), "chief@contoso.example")
		expectEqual(t, "city", l.copyOf("ann").text("city"), "Rome")
	})
}

// §7, "A changed configuration"
func TestSettledChangedConfiguration(t *testing.T) {
	t.Parallel()
	renamed := list{obj{"target": "displayName", "expression": `Append([displayName], " (Contoso)")`}}
	t.Run("below the limit", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 30)...), nil)
		l.sync(0, "success")
		l.configure(jobWith(obj{"mappings": renamed}))
		c := l.sync(0, "success")
		expectEqual(t, "cycle", c.Cycle, "initial")
		expectEqual(t, "summary", c.Summary, summary{Update: 30})
	})
	t.Run("above the limit", func(t *testing.T) {
		t.Parallel()
		var all list
		for i := range 110 {
			all = append(all, staff(fmt.Sprintf("user%03d", i)))
		}
		l := newLab(t, obj{"users": all}, nil)
		expectEqual(t, "a first cycle is exempt", l.sync(0, "success").Summary, summary{Create: 110})
		l.configure(jobWith(obj{"mappings": renamed}))
		writes := l.during("target", func() {
			expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Held: 110})
			expectEqual(t, "summary of the next", l.sync(5, "quarantine").Summary, summary{Held: 110})
		})
		expectEqual(t, "writes", len(writes), 0)
		l.quarantine("TooManyChanges")
		expectEqual(t, "accepted", l.sync(0, "success", "--accept").Summary, summary{Update: 110})
		l.quarantine("")
		l.configure(jobWith(obj{"guards": obj{"changes": 0}}))
		expectEqual(t, "turned off", l.sync(0, "success").Summary, summary{Update: 110})
	})
	t.Run("a daemon takes it at the next cycle", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(team("user", 3)...), nil)
		l.startDaemon()
		l.sync(0, "success")
		l.stopDaemon()
		l.configure(jobWith(obj{"mappings": renamed}))
		l.startDaemon()
		expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Update: 3})
	})
}

// §7, "Hidden members"
func TestSettledHiddenMembers(t *testing.T) {
	t.Parallel()
	l := newLab(t, obj{"users": team("user", 2), "groups": list{
		obj{"id": id("group"), "displayName": "Secret", "securityEnabled": true, "visibility": "HiddenMembership", "members": ids("user", 1, 2)}}}, nil)
	l.configure(jobWith(obj{"scope": obj{"mode": "assigned", "groups": list{id("group")}}}))
	a := l.run("sync", jobName, "-o", "json")
	expectEqual(t, "exit code", a.exit, 4)
	if !strings.Contains(string(a.stderr), "Member.Read.Hidden") {
		t.Errorf("stderr: got %s, want the permission that is missing", a.stderr)
	}
	if w := l.journal("target"); len(w) != 0 {
		t.Errorf("writes: got %v, want no cycle", w)
	}
}

// §7, "Before a delete": refused by Graph is a failure
func TestSettledRefusedDelete(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob")), nil)
	l.sync(0, "success")
	l.put("target", obj{"directoryRoles": list{obj{"id": id("role"), "displayName": "Helpdesk Administrator", "members": list{l.copyOf("ann").id()}}}})
	l.remove("source", id("ann"))
	expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Failed: 1})
	if r := l.logOf(id("ann"))[0]; r.status() != "failure" || r.ProvisioningAction != "delete" && r.ProvisioningAction != "stagedDelete" {
		t.Errorf("log: got %s %s, want a failed delete", r.ProvisioningAction, r.status())
	}
	if l.copyOf("ann") == nil {
		t.Error("ann is gone although the delete was refused")
	}
}

// §7, "No state file, target populated"
func TestSettledLostState(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(team("user", 10)...), users(native("own"), guest("stray", "stray@contoso.example")))
	l.sync(0, "success")
	l.forget()
	l.change("source", id("user03"), obj{"city": "Rome"})
	l.remove("source", id("user04"))
	var plan struct{ Summary summary }
	l.json(0, &plan, "plan", jobName)
	writes := l.during("target", func() {
		c := l.sync(0, "success")
		expectEqual(t, "cycle", c.Cycle, "initial")
		expectEqual(t, "summary", c.Summary, summary{Update: 1, Unchanged: 8})
	})
	expectEqual(t, "summary of the plan", plan.Summary, summary{Update: 1, Unchanged: 8})
	if len(writes) != 1 || writes[0].fields(t)["city"] != "Rome" {
		t.Errorf("writes: got %v, want the one real difference", writes)
	}
	expectEqual(t, "users of the target", len(l.section("target", "users")), 12)
}

// §7, the same row: a damaged or foreign state file is refused
func TestSettledDamagedState(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"foreign":   func([]byte) []byte { return []byte("PRAGMA this is some other program's file\n") },
		"cut":       func(b []byte) []byte { return b[:len(b)/3] },
		"scribbled": func(b []byte) []byte { return append(make([]byte, 8192), b[8192:]...) },
		"empty":     func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", 5)...), nil)
			l.sync(0, "success")
			l.rewriteState(damage)
			writes := l.during("target", func() {
				a := l.run("sync", jobName, "-o", "json")
				if a.exit == 0 || a.exit == 3 || !strings.Contains(string(a.stderr), "state.db") {
					t.Errorf("exit %d, want a refusal that names the file\n%s%s", a.exit, a.stdout, a.stderr)
				}
			})
			expectEqual(t, "writes", len(writes), 0)
		})
	}
}
