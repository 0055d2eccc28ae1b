package engine

import (
	"context"

	"tenantsync/directory"
	"tenantsync/store"
)

// Every write to the target leaves an intent before it is sent, in a commit of its
// own, and loses it with the commit of its outcome. What a process that died, or a
// service that did not answer, has left open is settled before anything else is
// done with the job: the target is read, and says whether the write took place.
// Without that a repeated cycle could not tell its own block from one set by hand
// in the target, its own delete from somebody else's, or a value it wrote and the
// source has taken back since from one that was never written.
//
// Invitations are settled by matching instead, since their target user is not
// known; see adoption.

// intend commits what is about to be written.
func (x *exporter) intend(ctx context.Context, kind store.IntentKind, list []*store.Link, modified func(i int) []store.Property) error {
	b := &store.Batch{}
	for i, l := range list {
		in := store.Intent{Job: x.c.job.Name, SourceID: l.SourceID, Kind: kind, TargetID: l.TargetID, Began: now()}
		if modified != nil {
			in.Modified = modified(i)
		}
		b.PutIntents = append(b.PutIntents, in)
	}
	return x.commit(ctx, b)
}

// outcomeUnknown reports a write that may have taken place although it failed: its
// intent stays open.
func outcomeUnknown(err error) bool {
	if err == nil {
		return false
	}
	kind := directory.KindOf(err)
	return notSent(err) || kind == directory.Ambiguous || kind == directory.Transient || kind == directory.Unknown
}

// changed are the differences as the log shows them.
func (c *cycle) changed(diff []directory.Modified) []store.Property {
	var r record
	return r.modified(c, diff).entry.Modified
}

// settleIntents finds out what became of the writes that were left open, and
// brings links and log up to that.
func (c *cycle) settleIntents(ctx context.Context) error {
	open := map[string]*store.Intent{}
	var ids []string
	for i := range c.waiting.Intents {
		if in := &c.waiting.Intents[i]; in.Kind != store.IntentCreate {
			open[in.SourceID] = in
			ids = append(ids, in.SourceID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: ids})
	if err != nil {
		return err
	}
	s := &settlement{x: &exporter{c: c}, b: &store.Batch{}}
	for _, id := range ids {
		s.b.DropIntents = append(s.b.DropIntents, store.WaitKey{Job: c.job.Name, SourceID: id})
	}
	if err := s.read(ctx, links); err != nil {
		return err
	}
	for i := range links {
		if err := s.settle(ctx, &links[i], open[links[i].SourceID], i); err != nil {
			return err
		}
	}
	if err := c.st.Apply(ctx, s.b); err != nil {
		return err
	}
	before := c.waiting.Intents
	if c.waiting, err = c.st.Waiting(ctx, c.job.Name); err != nil {
		return err
	}
	c.settled = before // these users are looked at in this cycle
	return nil
}

// settlement is one look at the target users of open intents.
type settlement struct {
	x      *exporter
	b      *store.Batch
	states []targetState
	found  []directory.Object
}

// read looks where the target users are, and what they have.
func (s *settlement) read(ctx context.Context, links []store.Link) error {
	if len(links) == 0 {
		return nil
	}
	c := s.x.c
	list := make([]*change, len(links))
	for i := range links {
		list[i] = &change{link: links[i]}
	}
	var err error
	if s.states, s.found, err = s.x.whereabouts(ctx, list); err != nil {
		return err
	}
	for i := range links {
		links[i].ManagerUnknown = c.job.mapsManager()
	}
	return s.x.readManagers(ctx, links)
}

// settle brings one link up to what the target shows.
func (s *settlement) settle(ctx context.Context, l *store.Link, in *store.Intent, i int) error {
	if l.TargetID != in.TargetID { // linked anew since
		return nil
	}
	switch gone := s.states[i] == targetBin || s.states[i] == targetGone; {
	case gone && in.Kind == store.IntentDelete:
		d := &departure{o: linkedUser(l), link: *l}
		d.r = s.x.c.newRecord(d.o, &d.link, in.Began)
		d.r.entry.Action = logDelete
		if err := s.x.dropReports(ctx, d, s.b); err != nil {
			return err
		}
		s.x.departed(d, "User '"+l.UPN+"' was deleted in "+s.x.c.job.TargetName+", shortly before the work was broken off", s.b)
	case s.states[i] == targetPresent && in.Kind != store.IntentDelete:
		s.present(l, in, s.found[i])
	}
	return nil
}

// present settles a write to a user that is there: a restore has taken place, and
// of an update what the target shows.
func (s *settlement) present(l *store.Link, in *store.Intent, o directory.Object) {
	c := s.x.c
	r := c.newRecord(linkedUser(l), l, in.Began)
	r.entry.Action = logUpdate
	if in.Kind == store.IntentRestore && l.State == store.LinkDeleted {
		l.State, l.InScope, l.LeftScopeAt, l.DeletedAt = store.LinkActive, true, zeroTime, zeroTime
		c.rec.Linked++
	}
	l.Exported = knownValues(o.Attributes, c.job.targetAttributes())
	for _, p := range in.Modified {
		shown := p.NewValue // of a restore: it is there
		switch p.DisplayName {
		case attrManager:
			shown = c.shown(attrManager, directory.RefOf(l.ManagerTarget))
		case attrSoftDeleted:
		default:
			shown = c.shown(p.DisplayName, l.Exported.Get(p.DisplayName))
		}
		if !sameText(shown, p.NewValue) {
			continue
		}
		r.entry.Modified = append(r.entry.Modified, p)
		if p.DisplayName == attrAccountEnabled {
			on, _ := l.Exported.Get(attrAccountEnabled).Bool()
			l.DisabledByJob, l.BlockedInTarget = !on, false
			if !on {
				r.entry.Action = logDisable
			}
		}
	}
	s.b.PutLinks = append(s.b.PutLinks, *l)
	if len(r.entry.Modified) > 0 {
		r.step("EntryExportUpdate", stepExport, statusSuccess, "User '"+l.UPN+"' was written in "+c.job.TargetName+
			", shortly before the work was broken off", "ReportableIdentifier", l.UPN)
		s.b.Log = append(s.b.Log, r.done(now()))
	}
}

func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
