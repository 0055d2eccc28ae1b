package engine

import (
	"context"

	"tenantsync/store"
)

// Links belong to the pair of tenants, and so does what the open intent of an
// invitation proves: nothing matched before that invitation was sent, whichever
// job of the pair sent it. Another job may be the first to look at the user after a
// process died; whom it finds is ours, and still being created.

// readInvitations gathers what the other jobs of the pair have invited without
// learning of the outcome. Their cycles wait for this one.
func (c *cycle) readInvitations(ctx context.Context) error {
	c.invitations = nil
	for _, r := range c.engine.all() {
		if r.job.Name == c.job.Name || r.job.Pair != c.job.Pair {
			continue
		}
		waiting, err := c.st.Waiting(ctx, r.job.Name)
		if err != nil {
			return err
		}
		for _, in := range waiting.Intents {
			if in.Kind == store.IntentCreate {
				c.invitations = append(c.invitations, in)
			}
		}
	}
	return nil
}

// invitationOf returns the open invitation of a source user, this job's own first;
// nil when there is none.
func (c *cycle) invitationOf(id string) *store.Intent {
	if in := c.ownInvitation(id); in != nil {
		return in
	}
	return intentOf(c.invitations, id)
}

// ownInvitation is invitationOf for those of this job.
func (c *cycle) ownInvitation(id string) *store.Intent { return intentOf(c.waiting.Intents, id) }

func intentOf(list []store.Intent, id string) *store.Intent {
	for i := range list {
		if list[i].SourceID == id && list[i].Kind == store.IntentCreate {
			return &list[i]
		}
	}
	return nil
}

// dropInvitations forgets the invitations of a user by other jobs, with the commit
// of the link that came of them.
func (c *cycle) dropInvitations(id string, b *store.Batch) {
	for i := range c.invitations {
		if in := &c.invitations[i]; in.SourceID == id {
			b.DropIntents = append(b.DropIntents, in.Key())
		}
	}
}
