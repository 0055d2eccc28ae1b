package reliability_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

// rounds is how many cycles the engine gets, once faults have stopped, to bring
// the target to where it belongs.
const rounds = 12

// settle lets the faults stop, runs some more cycles, and holds the invariants
// against the end.
func (w *world) settle() {
	w.note("— faults stop —")
	w.armed, w.faults, w.lasting, w.p.st.full = nil, nil, nil, 0
	w.cloud.SetFaults(nil)
	w.act(Step{Do: "target opens"})
	n := 0
	for quiet := false; !quiet && len(w.broken) == 0; n++ {
		if n == rounds {
			w.violate("the target comes to rest", "%d cycles after the faults stopped there is still something to write", rounds)
			return
		}
		time.Sleep(w.script.pace())
		quiet = w.round(false)
	}
	for _, check := range []func(){
		func() { w.compare("after incremental cycles", false) },
		w.idle,
		func() {
			time.Sleep(time.Hour)
			w.round(true)
			w.round(false)
			w.compare("after an initial cycle", true)
		},
		func() {
			// What was held under settings of another time is carried out as it was
			// held; comparing finds what the present ones want, which may be held again.
			if !w.anyHeld() {
				return
			}
			for _, initial := range []bool{true, false} {
				for n := range w.jobs {
					w.act(Step{Do: "allow", Who: n + 1})
				}
				w.round(initial)
			}
			w.compare("after deletions were allowed", true)
		},
		w.idle,
		w.journals,
		w.logs,
		func() {
			if err := w.p.st.Verify(w.p.ctx); err != nil {
				w.violate("the state file is sound", "%v", err)
			}
		},
	} {
		if len(w.broken) > 0 {
			return
		}
		check()
	}
	if err := w.stop(); err != nil {
		w.violate("the state file closes", "%v", err)
	}
}

// anyHeld reports whether compare has taken a deletion that waits for an excuse.
func (w *world) anyHeld() bool {
	for _, l := range w.look().links {
		if l.State == store.LinkHeld {
			return true
		}
	}
	return false
}

// pace is how far apart the cycles are that run after the faults have stopped: where
// nobody asks for retries, each retry is due by then, the daily ones too.
func (s Script) pace() time.Duration {
	if s.Setup.Patient {
		return 25 * time.Hour
	}
	return 7 * time.Hour
}

// round runs a cycle of every job, retries included, and reports whether nothing
// was written.
func (w *world) round(initial bool) (quiet bool) {
	quiet = true
	for _, job := range w.jobs {
		time.Sleep(5 * time.Minute) // further apart than replicas lag; see generator.apart
		from := len(w.target.Journal())
		if !w.script.Setup.Patient {
			if _, err := w.p.engine.RetryNow(w.p.ctx, job, nil); err != nil {
				w.violate("retries can be asked for", "%v", err)
			}
		}
		c := w.cycle(engine.SyncRequest{Job: job, Initial: initial})
		// What a retry writes may leave the reference of somebody to another job's next cycle.
		if w.accepted(from, c.upto) > 0 || c.result.Error != nil && !w.onlyRolesRefused(c) {
			quiet = false
		}
	}
	return quiet
}

// onlyRolesRefused reports a cycle that ended in an error because all it had to
// write was refused, and that was about users with a directory role. A refusal does
// not say that it is for the role: where nothing else is written, several look like
// an app that may not write, which is told as an error.
func (w *world) onlyRolesRefused(c *cycle) bool {
	journal := w.target.Journal()[c.journal:c.upto]
	return len(journal) > 1 && !slices.ContainsFunc(journal, func(e entrasim.Entry) bool {
		return e.Status != http.StatusForbidden || !w.truth.roles[objectIn(e.Path)]
	})
}

// accepted counts the writes of a part of the journal that the target took.
func (w *world) accepted(from, upto int) int {
	n := 0
	for _, e := range w.target.Journal()[from:upto] {
		if e.Status < http.StatusBadRequest {
			n++
		}
	}
	return n
}

// idle runs each job a few times more: the same cycle again writes nothing, and one
// with nothing to do asks the target nothing.
func (w *world) idle() {
	for _, job := range w.jobs {
		w.cycle(engine.SyncRequest{Job: job})
		if w.script.Setup.Patient { // what is refused for good is due 6, 12 and 24 hours after its first failure: all at once by now
			for range 3 {
				w.cycle(engine.SyncRequest{Job: job})
			}
		}
		before := w.target.Counts().Requests
		if job == reverseJob {
			before = w.source.Counts().Requests
		}
		c := w.cycle(engine.SyncRequest{Job: job})
		n := c.upto - c.journal
		if n > 0 {
			e := w.target.Journal()[c.journal]
			w.violate("the same cycle twice writes nothing", "%s: %d writes, the first: %s %s %s", job, n, e.Method, w.named(e.Path), w.named(e.Body))
		}
		if job == firstJob && c.result.Summary.Failed == 0 {
			if n := w.target.Counts().Requests - before; n > 0 {
				w.violate("an idle cycle asks the target nothing", "%s: %d requests", job, n)
			}
		}
	}
}

// picture is both tenants and the links at one moment.
type picture struct {
	wanted map[string]bool
	source map[string]entrasim.Object // active users by id
	target map[string]entrasim.Object // active users by id
	bin    map[string]entrasim.Object // deleted target users by id
	others []entrasim.Object          // contacts and groups of the target
	links  map[string]store.Link      // by source id
}

func (w *world) look() *picture {
	p := &picture{wanted: w.wantedNow(), source: map[string]entrasim.Object{}, target: map[string]entrasim.Object{}, bin: map[string]entrasim.Object{},
		links: map[string]store.Link{}}
	for _, o := range w.source.Users() {
		p.source[o.ID()] = o
	}
	dump := w.target.Dump()
	for _, o := range dump.Users {
		p.target[o.ID()] = o
	}
	for _, o := range dump.DeletedUsers {
		p.bin[o.ID()] = o
	}
	p.others = append(slices.Clone(dump.Contacts), dump.Groups...)
	links, err := w.p.st.Links(context.Background(), store.LinkQuery{Pair: store.Pair{Source: w.source.ID, Target: w.target.ID}})
	if err != nil {
		w.violate("links can be read", "%v", err)
	}
	for _, l := range links {
		p.links[l.SourceID] = l
	}
	return p
}

// compare holds the target against the mapping of the source.
func (w *world) compare(when string, compared bool) {
	if len(w.broken) > 0 {
		return
	}
	p := w.look()
	w.twice(p, when)
	for _, id := range sortedKeys(p.source) {
		if p.wanted[id] {
			w.compareWanted(p, id, when, compared)
		}
	}
	for _, id := range sortedKeys(p.links) {
		if !p.wanted[id] {
			w.compareUnwanted(p, id, when)
		}
	}
}

// twice holds that nobody is in the target twice.
func (w *world) twice(p *picture, when string) {
	count := map[string][]string{}
	for _, id := range sortedKeys(p.target) {
		if home := w.truth.homeOf(p.target[id]); home != "" && !w.truth.invite[id] && w.truth.inTime[id].IsZero() && !w.unknowable(p.target[id], p.source[home]) {
			count[home] = append(count[home], id)
		}
	}
	for _, home := range sortedKeys(count) {
		if len(count[home]) > 1 {
			w.violate("nobody exists twice", "%s: %s is there as %s", when, w.name(home), strings.Join(count[home], ", "))
		}
	}
}

// unknowable reports a guest whom nothing leads from the source user to: the state
// remembers no invitation, and the user has got other addresses since, or is gone.
func (w *world) unknowable(guest, user entrasim.Object) bool {
	mine := addresses(guest)
	if len(w.truth.forgot) == 0 || overlap(mine, addresses(user)) {
		return false
	}
	return slices.ContainsFunc(w.target.Journal(), func(e entrasim.Entry) bool {
		return e.Kind == "invite" && w.truth.forgotten(e.Time) && slices.Contains(mine, strings.ToLower(what(&e)[0].target))
	})
}

func (w *world) compareWanted(p *picture, id, when string, compared bool) {
	s, l := p.source[id], p.links[id]
	_, linked := p.links[id]
	t, there := p.target[l.TargetID]
	if !linked || !there || l.State == store.LinkDeleted || l.State == store.LinkMissing {
		if s.Bool("accountEnabled") {
			if why := w.excused(p, s, l); why == "" {
				w.violate("whoever is wanted is in the target", "%s: %s is not (%s)", when, w.name(id), stateName(linked, &l, there))
			}
		}
		return
	}
	if home := w.truth.homeOf(t); home != "" && home != id &&
		!((w.truth.invite[l.TargetID] || w.unknowable(t, p.source[home])) && overlap(addresses(s), addresses(t))) {
		// A guest invited by hand under an address that two users share stands for either;
		// so does one of whom nothing is remembered, once somebody else has the address.
		w.violate("a link leads to the user's own target user", "%s: %s is linked to the user of %s", when, w.name(id), w.name(home))
	}
	if !w.truth.inTime[l.TargetID].IsZero() || w.job.NoUpdate {
		return // left alone
	}
	if mail := s.String("mail"); !strings.EqualFold(mail, t.String("mail")) && w.heldByOther(p, l.TargetID, mail) {
		return // an update is written whole or not at all, and somebody else has the mail
	}
	for _, name := range mapped {
		w.compareValue(p, s, t, name, when, compared)
	}
	w.compareManager(p, s, t, when, compared)
	w.completed(t, l, when)
	if w.truth.vetoes[l.TargetID] && t.Bool("accountEnabled") && !w.script.yields() && len(w.truth.forgot) == 0 {
		w.violate("a block set by hand in the target stays", "%s: %s may sign in again", when, w.name(id))
	}
}

// yields reports a script in which blocks set by hand yield at any time.
func (s Script) yields() bool {
	return s.Setup.Job.Yield || slices.ContainsFunc(s.Steps, func(x Step) bool { return x.Job != nil && x.Job.Yield })
}

// completed holds that whoever this engine invited got what is written on create
// only, whatever crashed between the invitation and the update. Where the state
// was lost or is an older one, nobody can tell such a guest from another.
func (w *world) completed(t entrasim.Object, l store.Link, when string) {
	if l.Invited == "" && w.truth.invite[l.TargetID] || w.truth.roles[l.TargetID] || len(w.truth.forgot) > 0 {
		return
	}
	if got := t.String("userType"); got != "Member" {
		w.violate("whoever is invited is completed", "%s: userType of %s is %s, want Member", when, w.name(l.SourceID), got)
	}
}

func stateName(linked bool, l *store.Link, there bool) string {
	if !linked {
		return "no link"
	}
	return fmt.Sprintf("link %s, target user there: %v", l.State, there)
}

// mapped are the attributes that every mapping of the scripts keeps equal.
var mapped = []string{"accountEnabled", "displayName", "givenName", "surname", "department", "jobTitle", "city", "employeeId", "mail"}

// wantedValue is the model of the mappings, written without the engine.
func (w *world) wantedValue(s entrasim.Object, name string) string {
	raw := s.Raw(name)
	if w.job.Rules == "suffix" && name == "displayName" {
		return fmt.Sprintf("%q", s.String(name)+" (Contoso)")
	}
	return raw
}

func (w *world) compareValue(p *picture, s, t entrasim.Object, name, when string, compared bool) {
	want, got := w.wantedValue(s, name), t.Raw(name)
	edited := w.truth.edits[t.ID()][name]
	switch {
	case want == got, strings.EqualFold(want, got) && name == "mail":
		return
	case want == "" || want == "null": // no value does not flow, and leaves what was there
		return
	case edited && !compared: // drift is found by comparing
		return
	case name == "jobTitle" && w.job.Rules == "addOnly" && got != "" && got != "null":
		return
	case name == "accountEnabled" && got == "false" && w.truth.blocks[t.ID()] == "false":
		return // a block set by hand is kept
	case name == "accountEnabled" && got == "false" && w.forgotten(t.ID(), func(x written) bool { return x.name == name && x.value == "False" }):
		return // nobody remembers whose block it is, and nobody is let in on a guess
	case w.truth.roles[t.ID()]: // some attributes of role holders are refused
		return
	}
	w.violate("the target is the mapping of the source", "%s: %s of %s: got %s, want %s", when, name, w.name(s.ID()), got, want)
}

func (w *world) compareManager(p *picture, s, t entrasim.Object, when string, compared bool) {
	want := ""
	if m := managerOf(s); m != "" {
		if p.source[m].ID() == "" {
			return // a manager in the recycle bin is told by some reads and not by others
		}
		if l, linked := p.links[m]; linked && l.State != store.LinkDeleted && l.State != store.LinkMissing {
			if _, there := p.target[l.TargetID]; there {
				want = l.TargetID
			}
		}
	}
	got := managerOf(t)
	if _, there := p.target[got]; !there {
		got = "" // a manager in the recycle bin is none
	}
	if want == got || w.truth.hands[want] || w.truth.hands[got] || w.truth.roles[t.ID()] || w.truth.hands[t.ID()] && !compared {
		return
	}
	if !compared && len(w.truth.hands) > 0 && want == "" {
		return
	}
	w.violate("managers are those of the source", "%s: manager of %s: got %q, want %q", when, w.name(s.ID()), w.name(got), w.name(want))
}

// compareUnwanted holds that whoever left is gone.
func (w *world) compareUnwanted(p *picture, id, when string) {
	l := p.links[id]
	t, there := p.target[l.TargetID]
	if !there || w.job.NoDelete || w.job.Deprovision == "none" {
		return
	}
	switch {
	case w.scopeGroupGone():
		return // a group that is gone says nothing of its members
	case (l.State == store.LinkDeleted || l.State == store.LinkMissing) && w.truth.hands[l.TargetID]:
		return // gone, and brought back by hand since
	case l.State == store.LinkDeleted && w.forgotten(l.TargetID, func(x written) bool { return x.name == "IsSoftDeleted" }):
		return // brought back, and nobody remembers by whom
	case l.State == store.LinkRetained:
		return // somebody said so
	case l.State == store.LinkHeld && when != "after deletions were allowed":
		return
	case w.truth.roles[l.TargetID], !w.truth.inTime[l.TargetID].IsZero():
		return // refused, or nobody's business any more
	case w.job.Deprovision == "disable" && !t.Bool("accountEnabled"):
		return
	case w.job.Deprovision == "disable" && w.truth.edits[l.TargetID]["accountEnabled"] && when == "after incremental cycles":
		return // somebody in the target unblocked the user: that is drift, which only comparing finds
	case w.job.Deprovision == "disable" && w.job.NoUpdate:
		return
	case w.script.disables() && !t.Bool("accountEnabled") && len(w.truth.allows) > 0 && when == "after incremental cycles":
		return // carried out as it was held, under settings that disable; comparing finds what the present ones want
	}
	w.violate("whoever is not wanted is gone", "%s: %s is still there (link %s)", when, w.name(id), l.State)
}

// scopeGroupGone reports that a group the jobs name in their scope is not there.
func (w *world) scopeGroupGone() bool {
	there := w.membership()
	var named []int
	switch w.job.Scope {
	case "group", "nested":
		named = []int{1}
	case "groups":
		named = []int{1, 2}
	}
	if w.script.Setup.Second {
		named = append(named, 2)
	}
	return slices.ContainsFunc(named, func(n int) bool { return there[n] == nil })
}

// excused says why somebody who is wanted need not be in the target; "" when
// there is no reason. It looks at the tenants only.
func (w *world) excused(p *picture, s entrasim.Object, l store.Link) string {
	if w.job.NoCreate {
		return "creating is not allowed"
	}
	if l.TargetID != "" && w.truth.hands[l.TargetID] {
		return "deleted by hand in the target"
	}
	if p.bin[l.TargetID].ID() != "" && w.truth.roles[l.TargetID] {
		// https://learn.microsoft.com/graph/api/directory-deleteditems-restore: an
		// application restores a role holder only with a role of its own, and has none.
		return "its target user holds a directory role, and restoring it is refused"
	}
	mine := addresses(s)
	if l.TargetID == "" && w.guestsOf(p, s.ID(), mine) > 1 {
		return "two target users are the user's, one of them invited by hand, and nobody remembers which it was"
	}
	for id, o := range p.source {
		if id != s.ID() && (p.wanted[id] || p.kept(id)) && overlap(mine, addresses(o)) {
			return "the address is " + w.name(id) + "'s as well"
		}
	}
	for _, list := range []map[string]entrasim.Object{p.target, p.bin} {
		for id, o := range list {
			if (w.truth.homeOf(o) != s.ID() || !w.truth.inTime[id].IsZero()) && overlap(mine, addresses(o)) {
				return "the address belongs to target user " + id
			}
			if l.TargetID != "" && id != l.TargetID && w.truth.invite[id] && overlap(mine, addresses(o)) {
				return "invited by hand while the user's own target user lies in the recycle bin, which is not restored beside it"
			}
			if w.truth.homeOf(o) == s.ID() && w.truth.hands[id] && overlap(mine, addresses(o)) {
				return "its target user was deleted by hand"
			}
			if w.truth.homeOf(o) == s.ID() && p.bin[id].ID() != "" && w.forgotten(id, func(x written) bool { return x.name == "deleted" }) {
				return "its target user was deleted, and nobody remembers by whom" // that may have been a decision
			}
		}
	}
	for _, o := range p.others {
		if overlap(mine, addresses(o)) {
			return "the address belongs to " + o.ID()
		}
	}
	return ""
}

// guestsOf counts the target users of a source user whom an address leads to.
func (w *world) guestsOf(p *picture, id string, mine []string) int {
	n := 0
	for _, o := range p.target {
		if w.truth.homeOf(o) == id && overlap(mine, addresses(o)) {
			n++
		}
	}
	return n
}

// kept reports a source user who is linked to a target user that is there. Be it a
// leaver who was only disabled: an invitation to an address of theirs could lead to
// that target user, who is never taken for somebody else.
func (p *picture) kept(id string) bool {
	l, linked := p.links[id]
	_, there := p.target[l.TargetID]
	return linked && there && l.State != store.LinkDeleted && l.State != store.LinkMissing
}

// forgotten reports that the last write of a kind to a target user was made at a
// time that the state does not remember.
func (w *world) forgotten(id string, kind func(written) bool) bool {
	if len(w.truth.forgot) == 0 {
		return false
	}
	for _, e := range slices.Backward(w.target.Journal()) {
		if e.Status < http.StatusBadRequest && objectIn(e.Path) == id && slices.ContainsFunc(what(&e), kind) {
			return w.truth.forgotten(e.Time)
		}
	}
	return false
}

func (w *world) heldByOther(p *picture, self, address string) bool {
	for _, list := range []map[string]entrasim.Object{p.target, p.bin} {
		for id, o := range list {
			if id != self && slices.Contains(addresses(o), strings.ToLower(address)) {
				return true
			}
		}
	}
	for _, o := range p.others {
		if slices.Contains(addresses(o), strings.ToLower(address)) {
			return true
		}
	}
	return false
}

// addresses are those a user, contact or group holds, in lower case.
func addresses(o entrasim.Object) []string {
	out := []string{strings.ToLower(o.String("userPrincipalName")), strings.ToLower(o.String("mail"))}
	for _, a := range o.Strings("otherMails") {
		out = append(out, strings.ToLower(a))
	}
	for _, a := range o.Strings("proxyAddresses") {
		_, a, _ = strings.Cut(a, ":")
		out = append(out, strings.ToLower(a))
	}
	return slices.DeleteFunc(out, func(a string) bool { return a == "" })
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

func managerOf(o entrasim.Object) string {
	var m struct{ ID string }
	if raw := o.Raw("manager"); raw != "" && json.Unmarshal([]byte(raw), &m) == nil {
		return m.ID
	}
	return ""
}

// name is how the story calls an object.
func (w *world) name(id string) string {
	switch {
	case id == "":
		return "nobody"
	case strings.HasPrefix(id, "aaaaaaaa-0000"):
		return fmt.Sprintf("U%d", numberOf(id))
	}
	w.truth.mu.Lock()
	home := w.truth.homes[id]
	w.truth.mu.Unlock()
	if home != "" {
		return fmt.Sprintf("T%d", numberOf(home))
	}
	return id
}

// named replaces ids in a path or a body by names.
func (w *world) named(text string) string {
	for i := 0; i+36 <= len(text); i++ {
		if text[i+8] == '-' && text[i+13] == '-' && text[i+18] == '-' && text[i+23] == '-' {
			if n := w.name(text[i : i+36]); n != text[i:i+36] {
				text = text[:i] + n + text[i+36:]
			}
		}
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// journals holds what was written against what may be written.
func (w *world) journals() {
	if len(w.broken) > 0 {
		return
	}
	if j := w.source.Journal(); len(j) > 0 && !w.script.Setup.Reverse {
		w.violate("nothing is written to the source", "%d writes, the first: %s %s", len(j), j[0].Method, j[0].Path)
	}
	w.reverseJournal(w.source.Journal())
	journal := w.target.Journal()
	for i := range w.cycles {
		if c := &w.cycles[i]; c.job != reverseJob {
			w.cycleJournal(c, journal[c.journal:c.upto])
		}
	}
	w.createOnly(journal)
	w.slowLeak(journal)
	limit := int(10 * w.writes())
	for app, n := range w.target.Counts().MaxWritesIn10s {
		if n > max(limit, 1) {
			w.violate("the write budget holds in any 10 s", "%d writes by %s, the limit is %d", n, app, limit)
		}
	}
}

// cycleJournal judges the writes of one cycle.
func (w *world) cycleJournal(c *cycle, journal []entrasim.Entry) {
	deleted := map[string]bool{}
	lag := w.lag()
	for _, e := range journal {
		id := objectIn(e.Path)
		if id != "" {
			w.mayTouch(c, &e, id)
		}
		switch e.Kind {
		case "deleteUser":
			home := w.truth.homes[id]
			if !w.truth.unwantedIn(home, c.resumed.Add(-lag), e.Time) {
				w.violate("a delete is justified when it is sent", "%s was wanted all the time since the reading began at %s",
					w.name(home), span(c.resumed.Sub(w.began)))
			}
			deleted[id] = true
			w.mayDelete(c, &e, id)
			w.mayDeleteUnseen(c, &e, id, lag)
		case "invite":
			w.mayInvite(c, &e, lag)
		case "restore":
			w.mayRestore(&e, id)
		}
	}
	for _, id := range c.approved {
		delete(deleted, id)
	}
	if n := len(deleted); n > c.threshold {
		w.violate("no delete goes out above the threshold", "%d were deleted in one cycle, the threshold is %d", n, c.threshold)
	}
}

// reverseJournal holds that a job in the other direction invites people of the
// target only, none of whom this job brought there, and writes to nobody else.
func (w *world) reverseJournal(journal []entrasim.Entry) {
	dump := w.source.Dump()
	guests := map[string]bool{}
	for _, o := range append(dump.Users, dump.DeletedUsers...) {
		if strings.Contains(o.String("userPrincipalName"), "_fabrikam.example#EXT#") {
			guests[o.ID()] = true
		}
	}
	for i := range journal {
		e := &journal[i]
		if e.Kind == "invite" {
			if address := what(e)[0].target; !strings.HasSuffix(address, "@fabrikam.example") {
				w.violate("nobody is sent back", "%s was invited to the tenant they come from", address)
			}
		} else if id := objectIn(e.Path); !guests[id] {
			w.violate("nothing unmanaged is touched", "%s %s: this is no guest from the target", e.Method, w.named(e.Path))
		}
	}
}

// objectIn is the id of the user that a path names.
func objectIn(path string) string {
	for _, part := range strings.Split(path, "/") {
		if len(part) == 36 && part[8] == '-' {
			return strings.ToLower(part)
		}
	}
	return ""
}

// mayTouch holds that only external users of the source are written. What was
// made internal while the cycle ran may have been read before.
func (w *world) mayTouch(c *cycle, e *entrasim.Entry, id string) {
	if w.truth.homes[id] == "" {
		w.violate("nothing unmanaged is touched", "%s %s: this is no user of the source", e.Method, w.named(e.Path))
	}
	if at := w.truth.inTime[id]; !at.IsZero() && at.Before(c.began) && e.Status < http.StatusBadRequest {
		w.violate("nothing unmanaged is touched", "%s %s: it is an internal account since %s", e.Method, w.named(e.Path), span(at.Sub(w.began)))
	}
}
