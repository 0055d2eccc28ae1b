package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

// isSensitive reports the attributes that an app may not change on a user who
// holds a directory role.
// https://learn.microsoft.com/graph/api/user-update
func isSensitive(name string) bool {
	switch name {
	case attrAccountEnabled, "businessPhones", "mobilePhone", attrOtherMails:
		return true
	}
	return false
}

// reduce takes the attributes that were refused out of a change and queues the
// rest once more. It reports false when nothing would be left out.
func (x *exporter) reduce(ch *change, err error, b *store.Batch, refused func(string) bool) bool {
	var rest []directory.Modified
	for _, m := range ch.u.diff {
		if refused(m.Name) {
			ch.refused = append(ch.refused, m.Name)
			continue
		}
		rest = append(rest, m)
	}
	if len(rest) == len(ch.u.diff) {
		return false
	}
	ch.refusal, ch.reason = refusal(err, false)
	ch.reason = x.c.hideValues(ch.reason, ch.u.diff)
	ch.u.diff = rest
	if len(rest) == 0 {
		x.settle(ch, b)
		return true
	}
	x.queue = append(x.queue, ch)
	return true
}

// exchange handles an update refused because Exchange masters mail or
// showInAddressList: the same update once more without them.
func (x *exporter) exchange(ch *change, err error, b *store.Batch) bool {
	var e *directory.Error
	if !errors.As(err, &e) || !strings.Contains(strings.ToLower(e.Message), "external service") {
		return false
	}
	named := e.Property
	return x.reduce(ch, err, b, func(name string) bool {
		if named == attrMail || named == attrShowInAddressList {
			return name == named
		}
		return name == attrMail || name == attrShowInAddressList
	})
}

// settle records a change that is done, be it without a write.
func (x *exporter) settle(ch *change, b *store.Batch) {
	c := x.c
	wrote := ch.u.diff
	before := ch.link.Exported
	ch.link.Exported = mergeExported(before, wrote)
	x.settleBlock(ch, wrote)
	if len(ch.refused) > 0 {
		ch.link.Refused = append(slices.Clone(ch.link.Refused), ch.refused...)
	}
	if ch.created || x.seen(ch) {
		x.trust(ch.link.TargetID)
	}
	x.settleLink(ch)
	x.settleManager(ch)
	r := ch.r
	r.modified(c, wrote)
	r.entry.TargetIdentity.ID = ch.link.TargetID
	r.entry.Action = x.actionOf(ch)
	x.outcome(ch, b)
	b.PutLinks = append(b.PutLinks, ch.link)
	b.DropIntents = append(b.DropIntents, store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID})
	c.dropInvitations(ch.o.ID, b)
	b.DropVerdicts = append(b.DropVerdicts, store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID})
	if ch.released || ch.leaving && x.approved {
		b.DropHolds = append(b.DropHolds, store.WaitKey{Job: c.job.Name, SourceID: ch.o.ID})
	}
	c.synced(ch.o.UPN())
}

func mergeExported(before directory.Attributes, diff []directory.Modified) directory.Attributes {
	out := before.Clone()
	for _, m := range diff {
		if m.New.IsEmpty() {
			out.Set(m.Name, directory.Value{})
			continue
		}
		out.Set(m.Name, m.New)
	}
	return out
}

// settleBlock remembers who wrote the block: only this job's own is undone.
func (x *exporter) settleBlock(ch *change, wrote []directory.Modified) {
	for _, m := range wrote {
		if m.Name == attrAccountEnabled {
			on, _ := m.New.Bool()
			ch.link.DisabledByJob = !on
			ch.link.BlockedInTarget = false
		}
	}
}

func (x *exporter) settleLink(ch *change) {
	l, c := &ch.link, x.c
	counted := !l.Creating && !ch.unstored && isLinked(l)
	if ch.leaving {
		if ch.o.Removed == directory.NotRemoved {
			l.SourceDisabled = !ch.o.Enabled()
		}
		if l.State == store.LinkActive && ch.v.inScope() {
			return // not leaving at all: only the block was let through
		}
		if l.LeftScopeAt.IsZero() {
			if l.LeftScopeAt = c.began; l.State == store.LinkActive && !x.approved {
				c.tally.removed++
			}
		}
		if l.State == store.LinkHeld && ch.v.state <= sourceOutOfScope && x.approved {
			l.State = store.LinkActive
			c.rec.Linked++
			x.allowed = append(x.allowed, l.SourceID)
		}
		l.InScope = false
		return
	}
	if l.State != store.LinkActive || ch.adopted || ch.created {
		x.linked = append(x.linked, l.SourceID)
	}
	if !counted {
		c.rec.Linked++
	}
	l.State, l.Creating, l.RetainedFor, l.DeletedAt = store.LinkActive, false, "", time.Time{}
	l.Job = c.job.Name
	j := judged{o: ch.o, link: l, v: ch.v}
	c.note(&j)
}

// settleManager leaves the reference to the pass that follows.
func (x *exporter) settleManager(ch *change) {
	if ch.leaving {
		return
	}
	if ch.u.manager {
		if old := ch.link.ManagerSource; old != "" && ch.u.managerSource == "" && ch.link.ManagerTarget == "" {
			if x.formerly == nil {
				x.formerly = map[string]string{}
			}
			x.formerly[ch.link.SourceID] = old
		}
		ch.link.ManagerSource = ch.u.managerSource
	}
	if ch.created && ch.u.manager {
		if x.entries == nil {
			x.entries = map[string]string{}
		}
		x.entries[ch.link.SourceID] = ch.r.entry.ID
	}
	if ch.u.manager || ch.link.ManagerUnknown {
		x.refs = append(x.refs, ch.link.SourceID)
	}
}

// outcome counts the change and writes its log entry and escrow.
func (x *exporter) outcome(ch *change, b *store.Batch) {
	c := x.c
	refusedBlock := slices.Contains(ch.refused, attrAccountEnabled)
	newBlock := ch.u.blocked && !ch.link.BlockedInTarget
	if ch.u.blocked {
		ch.link.BlockedInTarget = true
	}
	if refusedBlock { // not retried every cycle: it is remembered as refused
		c.tally.Failed++
		ch.r.step(x.exportStep(ch), stepExport, statusFailure, ch.reason, "PropertyName", strings.Join(ch.refused, ","))
		b.Log = append(b.Log, ch.r.result(statusFailure, ch.refusal, ch.reason).done(now()))
		x.overcome(ch, b)
		return
	}
	x.overcome(ch, b)
	skips := newBlock && !ch.created && !ch.restored && len(ch.u.diff) == 0 && len(ch.refused) == 0 && !ch.pending
	quiet := x.countOutcome(ch, skips)
	switch {
	case len(ch.refused) > 0:
		reason := strings.Join(ch.refused, ", ") + " refused by the target: " + ch.reason
		ch.r.step(x.exportStep(ch), stepExport, statusWarning, reason, "PropertyName", strings.Join(ch.refused, ","))
		ch.r.result(statusWarning, ch.refusal, reason)
	case ch.pending:
		reason := "the invitation to " + x.c.job.invitedAs(ch.link.Invited) + " is still pending, and the user's address has changed"
		ch.r.step(x.exportStep(ch), stepExport, statusWarning, reason)
		ch.r.result(statusWarning, CodePendingAddressChanged, reason)
	case skips:
		reason := "sign-in was blocked by hand in the target: the block is kept"
		ch.r.step("EntrySynchronizationSkip", stepExport, statusSkipped, reason, "SkipReason", string(CodeBlockedInTarget), "PropertyName", attrAccountEnabled)
		ch.r.entry.Action = logOther
		ch.r.result(statusSkipped, CodeBlockedInTarget, reason)
	case quiet:
		return
	default:
		if newBlock {
			ch.r.step("EntrySynchronizationSkip", stepExport, statusSkipped, "sign-in was blocked by hand in the target: the block is kept",
				"SkipReason", string(CodeBlockedInTarget), "PropertyName", attrAccountEnabled)
		}
		ch.r.step(x.exportStep(ch), stepExport, statusSuccess, x.said(ch), "ReportableIdentifier", ch.o.UPN())
	}
	b.Log = append(b.Log, ch.r.done(now()))
}

// overcome forgets what the user waited for. Who was disabled on leaving waits for
// the delete by now, which has taken the place of any failure before.
func (x *exporter) overcome(ch *change, b *store.Batch) {
	if ch.leaving && ch.link.State == store.LinkActive && !ch.link.InScope && x.c.job.DeleteAfter > 0 {
		return
	}
	x.c.dropEscrow(b, ch.o.ID)
}

// countOutcome counts a change that went through; it reports true when there is
// nothing to log: the reference pass logs for itself. A change that skips was
// nothing but a block of the target's own, which is kept.
func (x *exporter) countOutcome(ch *change, skips bool) (quiet bool) {
	t := &x.c.tally
	t.counted[keyOf(ch.o.ID)] = true
	switch {
	case ch.created:
		t.Create++
	case ch.restored:
		t.Restore++
	case skips && !ch.u.manager: // else the reference pass counts
		t.Skipped++
	case len(ch.u.diff) == 0 && ch.adopted && !x.c.onDemand && (ch.u.manager || ch.link.ManagerUnknown):
		delete(t.counted, keyOf(ch.o.ID)) // the reference pass counts: an update if it writes, else unchanged
		return true
	case len(ch.u.diff) == 0 && (ch.adopted || ch.released):
		t.Unchanged++
		return ch.adopted && !x.c.onDemand // an unchanged object leaves no entry
	case len(ch.u.diff) == 0:
		delete(t.counted, keyOf(ch.o.ID)) // a manager that is written counts as the update
		if !ch.u.manager && !ch.u.blocked && (x.c.onDemand || !ch.link.ManagerUnknown) {
			t.Unchanged++
		}
		return true
	case disables(ch.u.diff):
		t.Disable++
	default:
		t.Update++
	}
	return false
}

func disables(diff []directory.Modified) bool {
	for _, m := range diff {
		if m.Name == attrAccountEnabled {
			on, known := m.New.Bool()
			return known && !on
		}
	}
	return false
}

func (x *exporter) actionOf(ch *change) string {
	switch {
	case ch.created:
		return logCreate
	case ch.restored:
		return logUpdate
	case disables(ch.u.diff):
		return logDisable
	case len(ch.u.diff) > 0 || len(ch.refused) > 0:
		return logUpdate
	}
	return logOther
}

func (x *exporter) exportStep(ch *change) string {
	if ch.created {
		return "EntryExportAdd"
	}
	return "EntryExportUpdate"
}

func (x *exporter) said(ch *change) string {
	name := x.c.job.TargetName
	switch {
	case ch.created && ch.reason != "":
		return "User '" + ch.o.UPN() + "' was created in " + name + ": " + ch.reason
	case ch.created:
		return "User '" + ch.o.UPN() + "' was created in " + name
	case ch.restored:
		return "User '" + ch.o.UPN() + "' was restored in " + name
	case ch.adopted && len(ch.u.diff) == 0:
		return "User '" + ch.o.UPN() + "' was linked to the existing user of " + name + "; nothing differs"
	case ch.adopted:
		return "User '" + ch.o.UPN() + "' was linked to the existing user of " + name + " and updated"
	case ch.released && len(ch.u.diff) == 0:
		return "User '" + ch.o.UPN() + "' is back in scope: its deletion is no longer held"
	}
	said := "User '" + ch.o.UPN() + "' was updated in " + name
	if names := x.c.overwritten(ch.o.ID, ch.u.diff); names != "" {
		said += "; somebody else had changed " + names + " there"
	}
	return said
}

// replicationWindow is how long a new user may stay invisible before it is left
// to the next cycle.
const replicationWindow = 5 * time.Minute

// isThere reports a change of a user who is in the target, whatever an update says:
// created or restored in this run, or read after an update had not found it.
func (ch *change) isThere() bool { return ch.created || ch.restored || ch.resent }

// postpone puts a change of a user that is not visible everywhere yet aside.
func (x *exporter) postpone(ch *change, b *store.Batch) {
	at := now()
	if ch.first.IsZero() {
		ch.first = at
	}
	if at.Sub(ch.first) >= replicationWindow {
		x.invisible(ch, b)
		return
	}
	waited := at.Sub(ch.first)
	ch.due = at.Add(max(time.Second, min(waited, time.Minute)))
	x.later = append(x.later, ch)
}

// invisible records a change of a user that was not found for too long. Who is new,
// or is to lose sign-in, is looked for by every cycle; anybody else waits as with
// any other failure, because time alone does not mend it.
func (x *exporter) invisible(ch *change, b *store.Batch) {
	code, reason := CodeReplication, "the invited user "+ch.link.TargetID+" is not visible in the target yet"
	switch {
	case ch.created:
		ch.r.entry.Action = logCreate
	case ch.restored:
		reason = "the restored user " + ch.link.TargetID + " is not visible in the target yet"
	case ch.leaving:
		reason = "target user " + ch.link.TargetID + " is not visible everywhere in the target"
	default:
		code, reason = CodeInvalidAnchor, "target user "+ch.link.TargetID+" is there when it is read, and every update of it is answered as if it were not"
	}
	ch.r.step(x.exportStep(ch), stepExport, statusFailure, reason)
	x.c.failed(b, ch.r, ch.o, &ch.link, stepExport, code, reason, false)
}

// awaitReplication waits until the first postponed change is due and queues
// those that are. Who is to be read before being written is planned anew.
func (x *exporter) awaitReplication(ctx context.Context) error {
	slices.SortStableFunc(x.later, func(a, b *change) int { return a.due.Compare(b.due) })
	if len(x.later) == 0 {
		return nil
	}
	if err := sleep(ctx, time.Until(x.later[0].due)); err != nil {
		return err
	}
	at := now()
	var unread []*change
	for len(x.later) > 0 && !x.later[0].due.After(at.Add(100*time.Millisecond)) {
		ch := x.later[0]
		if x.later = x.later[1:]; ch.left && !ch.read {
			unread = append(unread, ch)
			continue
		}
		x.queue = append(x.queue, ch)
	}
	if len(unread) == 0 {
		return nil
	}
	return x.turn(func() error {
		b := &store.Batch{}
		return errors.Join(x.plan(ctx, unread, b), x.commit(ctx, b))
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// allRefused ends a cycle whose writes are all denied: that is no matter of
// single objects.
func (x *exporter) allRefused() error {
	t := &x.c.tally
	if t.denied < batchSize || t.written > 0 {
		return nil
	}
	return x.c.deniedError()
}

func (c *cycle) deniedError() error {
	return c.engine.jobError(c.job, c.tally.firstDenied)
}
