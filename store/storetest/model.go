package storetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tenantsync/store"
)

// model keeps links, members and what waits in maps, and answers the same
// queries by looking at every record.
type model struct {
	links    map[store.LinkKey]store.Link
	members  map[store.Member]bool // with IsGroup cleared → IsGroup
	escrows  map[store.WaitKey]store.Escrow
	verdicts map[store.WaitKey]store.Verdict
	pages    map[string][]store.StagePage
}

func newModel() *model {
	return &model{links: map[store.LinkKey]store.Link{}, members: map[store.Member]bool{},
		escrows: map[store.WaitKey]store.Escrow{}, verdicts: map[store.WaitKey]store.Verdict{}, pages: map[string][]store.StagePage{}}
}

func (m *model) apply(b *store.Batch) {
	delete(m.pages, b.DropStage)
	for _, set := range b.DropMembers {
		maps.DeleteFunc(m.members, func(x store.Member, _ bool) bool { return x.Job == set.Job && x.Group == set.Group })
	}
	for _, x := range b.CutMembers {
		x.IsGroup = false
		delete(m.members, x)
	}
	for _, k := range b.DropLinks {
		delete(m.links, k)
	}
	if !b.PruneDeleted.IsZero() {
		maps.DeleteFunc(m.links, func(_ store.LinkKey, l store.Link) bool {
			return l.State == store.LinkDeleted && l.DeletedAt.Before(b.PruneDeleted)
		})
	}
	for _, k := range b.DropEscrows {
		delete(m.escrows, k)
	}
	for _, k := range b.DropVerdicts {
		delete(m.verdicts, k)
	}
	for _, x := range b.PutMembers {
		isGroup := x.IsGroup
		x.IsGroup = false
		m.members[x] = isGroup
	}
	for _, l := range b.PutLinks {
		m.links[l.Key()] = l
	}
	for _, e := range b.PutEscrows {
		m.escrows[e.Key()] = e
	}
	for _, v := range b.PutVerdicts {
		m.verdicts[store.WaitKey{Job: v.Job, SourceID: v.SourceID}] = v
	}
	for _, p := range b.Stage {
		m.pages[p.Job] = append(m.pages[p.Job], p)
	}
}

func (m *model) queryLinks(q store.LinkQuery) []store.Link {
	var found []store.Link
	any := func(of []string, wanted []string) bool {
		return slices.ContainsFunc(of, func(s string) bool { return s != "" && slices.Contains(wanted, s) })
	}
	for _, l := range m.links {
		var match bool
		switch {
		case l.Pair != q.Pair:
		case q.SourceIDs != nil:
			match = slices.Contains(q.SourceIDs, l.SourceID)
		case q.TargetIDs != nil:
			match = any([]string{l.TargetID}, q.TargetIDs)
		case q.Addresses != nil:
			match = any(l.Addresses, q.Addresses)
		case q.Managers != nil:
			match = any([]string{l.ManagerSource}, q.Managers)
		default:
			match = q.After == "" || l.SourceID > q.After
		}
		if match {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b store.Link) int { return strings.Compare(a.SourceID, b.SourceID) })
	if q.Limit > 0 {
		found = found[:min(q.Limit, len(found))]
	}
	return found
}

func (m *model) queryMembers(q store.MemberQuery) []store.Member {
	var found []store.Member
	for x, isGroup := range m.members {
		if x.Job == q.Job && (q.Groups == nil || slices.Contains(q.Groups, x.Group)) && (q.IDs == nil || slices.Contains(q.IDs, x.ID)) {
			x.IsGroup = isGroup
			found = append(found, x)
		}
	}
	slices.SortFunc(found, func(a, b store.Member) int { return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID)) })
	return found
}

func (m *model) queryEscrows(job string) []store.Escrow {
	var found []store.Escrow
	for k, e := range m.escrows {
		if k.Job == job {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b store.Escrow) int { return strings.Compare(a.SourceID, b.SourceID) })
	return found
}

func (m *model) queryVerdicts(q store.VerdictQuery) []store.Verdict {
	var found []store.Verdict
	for k, v := range m.verdicts {
		if k.Job == q.Job && (q.SourceIDs == nil || slices.Contains(q.SourceIDs, k.SourceID)) {
			found = append(found, v)
		}
	}
	slices.SortFunc(found, func(a, b store.Verdict) int { return strings.Compare(a.SourceID, b.SourceID) })
	return found
}
