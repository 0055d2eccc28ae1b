package engine

import (
	"context"
	"fmt"
	"slices"

	"tenantsync/store"
)

// A state file has no sum over each record: a byte that changed on the disk may
// name another user. Before anybody who may have left is judged, and once more
// before a delete, the link has to lead back to where it came from.

// agree returns an error like [store.ErrFormat] unless each link is found by its
// target user as well, and nobody else is linked to that one.
func (c *cycle) agree(ctx context.Context, links []store.Link) error {
	links = slices.DeleteFunc(links, func(l store.Link) bool { return l.State == store.LinkDeleted || l.State == store.LinkMissing })
	if len(links) == 0 {
		return nil
	}
	ids := make([]string, len(links))
	for i, l := range links {
		ids[i] = l.TargetID
	}
	back, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, TargetIDs: ids})
	if err != nil {
		return err
	}
	sources := map[string][]string{} // target id → who is linked to it
	for _, b := range back {
		if b.State != store.LinkDeleted && b.State != store.LinkMissing {
			sources[b.TargetID] = append(sources[b.TargetID], b.SourceID)
		}
	}
	for _, l := range links {
		if got := sources[l.TargetID]; len(got) != 1 || got[0] != l.SourceID {
			return fmt.Errorf("%w: source user %s is linked to target user %s, which is linked to %s: nobody is deleted on the word of it",
				store.ErrFormat, l.SourceID, l.TargetID, listed(got))
		}
	}
	return nil
}

// agreeOn is agree for the links of source users.
func (c *cycle) agreeOn(ctx context.Context, ids []string) error {
	for part := range slices.Chunk(ids, 1000) {
		links, err := c.st.Links(ctx, store.LinkQuery{Pair: c.job.Pair, SourceIDs: part})
		if err != nil {
			return err
		}
		if err := c.agree(ctx, links); err != nil {
			return err
		}
	}
	return nil
}
