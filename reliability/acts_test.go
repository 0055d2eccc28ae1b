package reliability_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
)

// errNobody is the answer to a step about somebody who is not there.
var errNobody = errors.New("nobody is there")

// act does one step now and lets the truth know.
func (w *world) act(s Step) {
	do := acts[s.Do]
	if do == nil {
		w.violate("scripts name steps that exist", "%q", s.Do)
		return
	}
	err := do(w, s)
	switch {
	case errors.Is(err, errNobody), errors.Is(err, entrasim.ErrUnknown):
		w.note("%s: nobody is there", s)
	case err != nil:
		w.note("%s: %v", s, err)
	case s.Do != "cycle":
		w.note("%s", s)
	}
	w.truth.observe()
}

// acts are the steps by their names.
var acts map[string]func(*world, Step) error

func init() { // the table refers to functions that refer to the table
	acts = map[string]func(*world, Step) error{
		// Administrators of the source.
		"hire": func(w *world, s Step) error { return w.hire(s.Who, cmp.Or(s.Text, upn(s.Who)), nil) },
		"rename": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"userPrincipalName": s.Text, "mail": s.Text, "proxyAddresses": []string{"SMTP:" + s.Text}})
		},
		"rename upn": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"userPrincipalName": s.Text})
		},
		"change mail": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"mail": s.Text, "proxyAddresses": []string{"SMTP:" + s.Text}})
		},
		"change": func(w *world, s Step) error {
			name, value, _ := strings.Cut(s.Text, "=")
			return w.source.Update(userID(s.Who), map[string]any{name: nothing(value)})
		},
		"manager": func(w *world, s Step) error {
			if s.Whom == 0 {
				return w.source.SetManager(userID(s.Who), "")
			}
			if _, there := w.source.User(userID(s.Whom)); !there || s.Who == s.Whom { // Graph refuses who is one's own manager
				return errNobody
			}
			return w.source.SetManager(userID(s.Who), userID(s.Whom))
		},
		"disable": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"accountEnabled": false})
		},
		"enable": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"accountEnabled": true})
		},
		"guest": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"userType": "Guest"})
		},
		"member": func(w *world, s Step) error {
			return w.source.Update(userID(s.Who), map[string]any{"userType": "Member"})
		},
		"delete":       func(w *world, s Step) error { return w.source.Delete(userID(s.Who)) },
		"restore":      func(w *world, s Step) error { return w.restoreSource(s.Who) },
		"purge":        func(w *world, s Step) error { return w.source.Purge(userID(s.Who)) },
		"join":         func(w *world, s Step) error { return w.source.AddMember(groupID(s.Whom), userID(s.Who)) },
		"leave":        func(w *world, s Step) error { return w.source.RemoveMember(groupID(s.Whom), userID(s.Who)) },
		"nest":         func(w *world, s Step) error { return w.source.AddMember(groupID(s.Whom), groupID(s.Who)) },
		"unnest":       func(w *world, s Step) error { return w.source.RemoveMember(groupID(s.Whom), groupID(s.Who)) },
		"delete group": func(w *world, s Step) error { return w.source.DeleteGroup(groupID(s.Who)) },
		"make group":   func(w *world, s Step) error { return w.group(s.Who, w.numbers(s.Text)) },
		"empty group": func(w *world, s Step) error {
			for _, g := range w.source.Groups() {
				if g.ID() == groupID(s.Who) {
					for _, m := range g.Strings("members") {
						if err := w.source.RemoveMember(g.ID(), m); err != nil {
							return err
						}
					}
				}
			}
			return nil
		},
		"redepartment": func(w *world, s Step) error { // everybody, at once
			for _, u := range w.source.Users() {
				if err := w.source.Update(u.ID(), map[string]any{"department": s.Text}); err != nil {
					return err
				}
			}
			return nil
		},

		// Administrators of the target.
		"target block":   func(w *world, s Step) error { return w.drift(s.Who, "accountEnabled", false) },
		"target unblock": func(w *world, s Step) error { return w.drift(s.Who, "accountEnabled", true) },
		"target edit": func(w *world, s Step) error {
			name, value, _ := strings.Cut(s.Text, "=")
			return w.drift(s.Who, name, nothing(value))
		},
		"target delete":  func(w *world, s Step) error { return w.handled(s, w.target.Delete) },
		"target restore": func(w *world, s Step) error { return w.handled(s, w.restoreTarget) },
		"target purge":   func(w *world, s Step) error { return w.handled(s, w.target.Purge) },
		"target redeem": func(w *world, s Step) error {
			return w.withGuest(s.Who, func(id string) error {
				if !w.truth.inTime[id].IsZero() {
					return errNobody // an internal account has no invitation
				}
				return w.target.Redeem(id)
			})
		},
		"target invite": func(w *world, s Step) error { return w.inviteByHand(s.Who) },
		"target internalize": func(w *world, s Step) error {
			return w.withGuest(s.Who, func(id string) error { return w.internalize(id) })
		},
		"target role":    func(w *world, s Step) error { return w.withGuest(s.Who, w.giveRole) },
		"target native":  func(w *world, s Step) error { return w.native(s.Who) },
		"target contact": func(w *world, s Step) error { return w.contact(s.Who) },
		"target group":   func(w *world, s Step) error { return w.targetGroup(s.Who) },
		"target closes": func(w *world, _ Step) error {
			return w.target.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "none"}})
		},
		"target opens": func(w *world, _ Step) error {
			return w.target.SetPolicies(map[string]any{"authorizationPolicy": map[string]any{"allowInvitesFrom": "everyone"}})
		},
		"target hires": func(w *world, s Step) error {
			_, err := w.target.CreateUser(map[string]any{"id": localID(s.Who), "userPrincipalName": fmt.Sprintf("local%d@fabrikam.example", s.Who),
				"displayName": "Local", "mail": fmt.Sprintf("local%d@fabrikam.example", s.Who)})
			return err
		},

		// Configuration and commands.
		"cycle": func(w *world, s Step) error {
			w.cycle(engine.SyncRequest{Job: w.jobOf(s), Initial: s.Text == "initial"})
			return nil
		},
		"wait":      func(_ *world, s Step) error { time.Sleep(time.Duration(s.For)); return nil },
		"configure": func(w *world, s Step) error { return w.configure(*s.Job) },
		"pause":     command(func(w *world, p *process, s Step) error { return p.engine.Pause(p.ctx, w.jobOf(s)) }),
		"start":     command(func(w *world, p *process, s Step) error { return p.engine.Start(p.ctx, w.jobOf(s)) }),
		"restart":   command(func(w *world, p *process, s Step) error { return p.engine.Restart(p.ctx, w.jobOf(s)) }),
		"retry": command(func(w *world, p *process, s Step) error {
			_, err := p.engine.RetryNow(p.ctx, w.jobOf(s), nil)
			return err
		}),
		"allow":     command((*world).allow),
		"reject":    command((*world).reject),
		"provision": command((*world).provision),
		"plan":      command((*world).plan),
		"stop":      func(w *world, _ Step) error { w.p.cancel(); return nil },
		"new process": func(w *world, _ Step) error {
			if w.running {
				return errNobody
			}
			w.restart()
			return nil
		},
		"backup":   (*world).backup,
		"put back": (*world).putBack,

		// What goes wrong. Crashes and full disks are met where they happen.
		"fault":      func(w *world, s Step) error { w.faults = append(w.faults, *s.Fault); return nil },
		"begins":     func(w *world, s Step) error { return w.last(append(w.lasting, *s.Fault)) },
		"ends":       func(w *world, _ Step) error { return w.last(nil) },
		"expire":     func(w *world, _ Step) error { w.source.ExpireDeltaTokens(); return nil },
		"crash":      func(w *world, _ Step) error { w.p.die(); return nil },
		"lose state": (*world).loseState,
	}
}

func nothing(value string) any {
	switch value {
	case "":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	return value
}

// jobOf is the job a step is about: the first unless it names another.
func (w *world) jobOf(s Step) string {
	if s.Who > 0 && s.Who < len(w.jobs)+1 && (s.Do == "cycle" || s.Do == "allow") {
		return w.jobs[s.Who-1]
	}
	return firstJob
}

func (w *world) hire(n int, name string, more map[string]any) error {
	p := map[string]any{"id": userID(n), "userPrincipalName": name, "displayName": fmt.Sprintf("User %d", n), "mail": name,
		"givenName": "User", "surname": fmt.Sprint(n), "department": departments[n%len(departments)], "jobTitle": "Clerk", "city": cities[n%len(cities)],
		"employeeId": fmt.Sprintf("E%d", n)}
	for k, v := range more {
		p[k] = v
	}
	_, err := w.source.CreateUser(p)
	return err
}

var (
	departments = []string{"Sales", "Sales", "Sales", "Legal", "Mining"}
	cities      = []string{"Oslo", "Bergen", "Rome", "Kyiv"}
)

func (w *world) group(n int, members []string) error {
	_, err := w.source.CreateGroup(map[string]any{"id": groupID(n), "displayName": fmt.Sprintf("Group %d", n), "securityEnabled": true,
		"members": append([]string{}, members...)})
	return err
}

// numbers reads the ids of users who are there from text such as "1 4 7".
func (w *world) numbers(text string) []string {
	var out []string
	for _, word := range strings.Fields(text) {
		var n int
		if _, err := fmt.Sscan(word, &n); err == nil {
			if _, there := w.source.User(userID(n)); there {
				out = append(out, userID(n))
			}
		}
	}
	return out
}

// restoreSource brings a user back from the recycle bin unless somebody else has
// the address by now, which no tenant allows.
func (w *world) restoreSource(n int) error {
	for _, gone := range w.source.DeletedUsers() {
		if gone.ID() != userID(n) {
			continue
		}
		for _, u := range w.source.Users() {
			if strings.EqualFold(u.String("userPrincipalName"), gone.String("userPrincipalName")) ||
				strings.EqualFold(u.String("mail"), gone.String("mail")) {
				return errors.New("the name is taken")
			}
		}
	}
	return w.source.Restore(userID(n))
}

// guestOf is the target user of the n-th source user, "" when there is none: by
// the home that the tenant itself knows, whatever any engine thinks.
func (w *world) guestOf(n int) string {
	for _, list := range [][]entrasim.Object{w.target.Users(), w.target.DeletedUsers()} {
		for _, o := range list {
			if w.truth.homeOf(o) == userID(n) {
				return o.ID()
			}
		}
	}
	return ""
}

func (w *world) withGuest(n int, do func(id string) error) error {
	id := w.guestOf(n)
	if id == "" {
		return errNobody
	}
	return do(id)
}

// handled does something to a target user that its administrators decide about.
func (w *world) handled(s Step, do func(id string) error) error {
	return w.withGuest(s.Who, func(id string) error {
		if err := do(id); err != nil {
			return err
		}
		w.truth.byHand(id, s.Do)
		return nil
	})
}

func (w *world) restoreTarget(id string) error {
	err := w.target.Restore(id)
	if err == nil {
		w.truth.restored(id)
	}
	return err
}

func (w *world) drift(n int, name string, value any) error {
	return w.withGuest(n, func(id string) error {
		o, there := w.target.User(id)
		if !there {
			return errNobody
		}
		if err := w.target.Update(id, map[string]any{name: value}); err != nil {
			return err
		}
		w.truth.drifted(o, name, value)
		return nil
	})
}

// inviteByHand puts a guest for a source user into the target as a person there
// would have done.
func (w *world) inviteByHand(n int) error {
	u, there := w.source.User(userID(n))
	if !there {
		return errNobody
	}
	address := u.String("userPrincipalName")
	id := fmt.Sprintf("dddddddd-0000-4000-8000-%012d", n)
	_, err := w.target.CreateUser(map[string]any{"id": id, "userPrincipalName": strings.ReplaceAll(address, "@", "_") + "#EXT#@fabrikam.onmicrosoft.com",
		"displayName": "Invited by hand", "mail": address, "otherMails": []string{address}, "externalUserState": "PendingAcceptance"})
	if err == nil {
		w.truth.invitedByHand(id, userID(n))
	}
	return err
}

// internalize makes a guest an internal account, as an administrator can.
func (w *world) internalize(id string) error {
	err := w.target.Update(id, map[string]any{"externalUserState": nil, "creationType": nil, "identities": []any{},
		"userPrincipalName": "internal-" + id[len(id)-12:] + "@fabrikam.example"})
	if err == nil {
		w.truth.protect(id)
	}
	return err
}

func (w *world) giveRole(id string) error {
	roles := w.target.Dump().DirectoryRoles
	var members []string
	for _, r := range roles {
		members = append(members, r.Strings("members")...)
	}
	if slices.Contains(members, id) {
		return nil
	}
	role, err := entrasim.NewObject(map[string]any{"id": "eeeeeeee-0000-4000-8000-000000000001", "displayName": "User Administrator", "members": append(members, id)})
	if err != nil {
		return err
	}
	_, err = w.target.Load(entrasim.File{DirectoryRoles: []entrasim.Object{role}})
	if err == nil {
		w.truth.roles[id] = true
	}
	return err
}

// native makes an internal user of the target with the address of a source user.
func (w *world) native(n int) error {
	u, there := w.source.User(userID(n))
	if !there {
		return errNobody
	}
	id := fmt.Sprintf("cccccccc-1111-4000-8000-%012d", n)
	_, err := w.target.CreateUser(map[string]any{"id": id, "userPrincipalName": fmt.Sprintf("native%d@fabrikam.example", n),
		"displayName": "Native", "mail": u.String("mail"), "proxyAddresses": []string{"SMTP:" + u.String("mail")}})
	if err == nil {
		w.truth.protect(id)
	}
	return err
}

func (w *world) contact(n int) error {
	u, there := w.source.User(userID(n))
	if !there {
		return errNobody
	}
	list := w.target.Dump().Contacts
	o, err := entrasim.NewObject(map[string]any{"id": fmt.Sprintf("ffffffff-0000-4000-8000-%012d", n), "displayName": "Contact",
		"mail": u.String("mail"), "proxyAddresses": []string{"SMTP:" + u.String("mail")}})
	if err != nil {
		return err
	}
	_, err = w.target.Load(entrasim.File{Contacts: append(list, o)})
	return err
}

func (w *world) targetGroup(n int) error {
	u, there := w.source.User(userID(n))
	if !there {
		return errNobody
	}
	_, err := w.target.CreateGroup(map[string]any{"id": fmt.Sprintf("ffffffff-1111-4000-8000-%012d", n), "displayName": "Taken", "mailEnabled": true,
		"mail": u.String("mail"), "proxyAddresses": []string{"SMTP:" + u.String("mail")}, "groupTypes": []string{"Unified"}, "securityEnabled": false})
	return err
}

// command is something that is asked of the engine: while a cycle is under way
// beside it, as the control API would, else by itself.
func command(do func(*world, *process, Step) error) func(*world, Step) error {
	return func(w *world, s Step) error {
		p := w.p
		w.mu.Lock()
		running := w.running
		w.mu.Unlock()
		if !running {
			return do(w, p, s)
		}
		p.wg.Go(func() {
			// Of those who are stopped at once nobody can say who was first.
			if err := do(w, p, s); err != nil && p.ctx.Err() == nil {
				w.note("%s: %v", s, err)
			}
		})
		time.Sleep(time.Microsecond) // it comes as far as it can before the cycle goes on
		return nil
	}
}

// provision provisions one user on demand.
func (w *world) provision(p *process, s Step) error {
	w.truth.provisioned(s.Who)
	r, err := p.engine.Provision(p.ctx, engine.ProvisionRequest{Job: firstJob, User: userID(s.Who), Restore: s.Text == "restore"})
	if err != nil {
		return err
	}
	w.note("provision U%d: %s %s %s", s.Who, r.Action, r.Status, r.Code)
	return nil
}

// plan makes a plan, which must write nothing.
func (w *world) plan(p *process, _ Step) error {
	before := p.writes()
	_, err := p.engine.Plan(p.ctx, engine.PlanRequest{Job: firstJob}, nil)
	if after := p.writes(); after != before && !w.running {
		w.violate("a plan writes nothing", "%d writes", after-before)
	}
	return err
}

// writes is how many writes both tenants have taken.
func (p *process) writes() int {
	return p.w.target.Counts().TotalWrites() + p.w.source.Counts().TotalWrites()
}

// allow lets every held deletion go. What it deletes while a cycle is under way is
// not that cycle's; of one that was stopped, whatever was deleted meanwhile.
func (w *world) allow(p *process, s Step) error {
	w.truth.allow()
	from := len(w.target.Journal())
	out, err := p.engine.Allow(p.ctx, w.jobOf(s), nil, true)
	var ids []string
	if err == nil {
		for _, h := range slices.Concat(out.Deleted, out.Failed) { // a delete that was refused went out too
			ids = append(ids, h.TargetID)
		}
	} else {
		for _, e := range w.target.Journal()[from:] {
			ids = append(ids, objectIn(e.Path))
		}
	}
	w.mu.Lock()
	w.approved = append(w.approved, ids...)
	w.mu.Unlock()
	if err == nil {
		w.note("allowed: %d deleted, %d dropped, %d failed", len(out.Deleted), len(out.Dropped), len(out.Failed))
	}
	return err
}

func (w *world) reject(p *process, s Step) error {
	w.truth.reject()
	_, err := p.engine.Reject(p.ctx, w.jobOf(s), nil, true)
	return err
}
