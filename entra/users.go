package entra

import (
	"context"
	"slices"
	"sync"

	"tenantsync/directory"
)

// readUsers reads users by id or user principal name. The manager is a link of
// its own and takes a second item of the batch.
func (c *Client) readUsers(ctx context.Context, m *Meter, ids, selects []string) ([]directory.Lookup, error) {
	withManager := slices.Contains(selects, "manager")
	out := make([]directory.Lookup, len(ids))
	var items []*fetch
	users, managers := make([]*fetch, len(ids)), make([]*fetch, len(ids))
	for i, id := range ids {
		out[i].ID = id
		name, err := segment(id)
		if err != nil {
			out[i].Err = c.noSuchID(callUser, err)
			continue
		}
		users[i] = &fetch{what: callUser, path: "/users/" + name + "?" + selectOf(selects, false)}
		items = append(items, users[i])
		if withManager {
			managers[i] = &fetch{what: callManager, path: "/users/" + name + "/manager?$select=id"}
			items = append(items, managers[i])
		}
	}
	if err := c.fetchAll(ctx, m, items); err != nil {
		return nil, err
	}
	for i := range out {
		if users[i] != nil {
			out[i].Object, out[i].Err = c.userFrom(users[i], managers[i], selects)
		}
	}
	return out, nil
}

// userFrom puts a user together from what was fetched of him.
func (c *Client) userFrom(user, manager *fetch, selects []string) (directory.Object, error) {
	if user.err != nil {
		return directory.Object{}, user.err
	}
	o, err := decodeUser(user.reply.body, selects)
	if err != nil {
		return directory.Object{}, c.malformed(user.what, answer{header: user.reply.header}, err)
	}
	if manager != nil {
		switch {
		case directory.KindOf(manager.err) == directory.NotFound:
			o.Attributes.Set("manager", directory.NullValue())
		case manager.err != nil:
			return directory.Object{}, manager.err
		default:
			ref, err := decodeUser(manager.reply.body, nil)
			if err != nil {
				return directory.Object{}, c.malformed(manager.what, answer{header: manager.reply.header}, err)
			}
			o.Attributes.Set("manager", directory.RefOf(ref.ID))
		}
	}
	complete(&o, selects)
	return o, nil
}

// complete makes an object a full image: what was asked for and not mentioned
// has no value.
func complete(o *directory.Object, selects []string) {
	for _, name := range selects {
		if name == "id" || name == "identities" || name == "manager" || o.Attributes.Has(name) {
			continue
		}
		o.Attributes.Set(name, directory.NullValue())
	}
	if o.Identities == nil && slices.Contains(selects, "identities") {
		o.Identities = []directory.Identity{}
	}
}

// fetchAll answers any number of fetches in batches, several in flight. It
// returns when all batches have ended.
func (c *Client) fetchAll(ctx context.Context, m *Meter, items []*fetch) error {
	caller := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, c.parallel)
	var wg sync.WaitGroup
	for _, batch := range chunks(items, batchSize) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := c.readBatch(ctx, m, batch); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := caller.Err(); err != nil {
		return err // whatever the caller's own cause is, it is an end that was asked for
	}
	return context.Cause(ctx)
}

// readDeleted reads users in the recycle bin by id.
func (c *Client) readDeleted(ctx context.Context, m *Meter, ids, selects []string) ([]directory.Lookup, error) {
	out := make([]directory.Lookup, len(ids))
	items := make([]*fetch, 0, len(ids))
	of := make([]*fetch, len(ids))
	for i, id := range ids {
		out[i].ID = id
		name, err := segment(id)
		if err != nil {
			out[i].Err = c.noSuchID(callDeleted, err)
			continue
		}
		of[i] = &fetch{what: callDeleted, path: "/directory/deletedItems/" + name + "?" + selectOf(selects, false)}
		items = append(items, of[i])
	}
	if err := c.fetchAll(ctx, m, items); err != nil {
		return nil, err
	}
	for i, f := range of {
		if f != nil {
			out[i].Object, out[i].Err = c.userFrom(f, nil, selects)
		}
	}
	return out, nil
}
