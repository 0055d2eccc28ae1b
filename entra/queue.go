package entra

import (
	"errors"
	"time"

	"tenantsync/directory"
)

// writeItem is one change on its way.
type writeItem struct {
	write   *directory.Write
	out     *directory.Written
	what    call
	part    part
	done    bool
	sent    bool // an earlier attempt may have been taken up
	alone   bool // goes in a batch of its own: with others the batch was refused
	renewed bool // was refused for its token once
	notYet  time.Time
	p       patience
}

// writeCalls says what a change is in error texts, and which permission it needs.
var writeCalls = map[directory.WriteKind]call{
	directory.Invite:       {directory.Invite.String(), "User.Invite.All"},
	directory.Update:       {directory.Update.String(), "User.ReadWrite.All"},
	directory.SetManager:   {directory.SetManager.String(), "User.ReadWrite.All"},
	directory.ClearManager: {directory.ClearManager.String(), "User.ReadWrite.All"},
	directory.Restore:      {directory.Restore.String(), "User.DeleteRestore.All"},
	directory.Delete:       {directory.Delete.String(), "User.ReadWrite.All"},
}

// prepare makes the item of a change. It is nil when there is nothing to send:
// the outcome is known then.
func (t *Target) prepare(w *directory.Write, out *directory.Written) *writeItem {
	item := &writeItem{write: w, out: out, what: writeCalls[w.Kind]}
	var err error
	if item.part, err = t.c.partOf(w); err != nil {
		out.Err = &directory.Error{Op: item.what.op, Kind: directory.Invalid, Tenant: t.c.name, Err: err}
		return nil
	}
	if w.Kind == directory.Update && len(item.part.body) == len("{}") {
		return nil
	}
	return item
}

// partOf translates a change into a request.
func (c *Client) partOf(w *directory.Write) (part, error) {
	if w.Kind == directory.Invite {
		if w.Address == "" || w.RedirectURL == "" {
			return part{}, errors.New("invitation without address or redirect url")
		}
		return part{"POST", "/invitations", appendInvitation(nil, *w)}, nil
	}
	id, err := segment(w.ID)
	if err != nil {
		return part{}, err
	}
	switch w.Kind {
	case directory.Update:
		body, err := appendUpdate(nil, w.Attributes)
		return part{"PATCH", "/users/" + id, body}, err
	case directory.SetManager:
		manager, err := segment(w.ManagerID)
		if err != nil {
			return part{}, err
		}
		body := appendText([]byte(`{"@odata.id":`), c.graph+"/users/"+manager)
		return part{"PUT", "/users/" + id + "/manager/$ref", append(body, '}')}, nil
	case directory.ClearManager:
		return part{"DELETE", "/users/" + id + "/manager/$ref", nil}, nil
	case directory.Restore:
		return part{"POST", "/directory/deletedItems/" + id + "/restore", nil}, nil
	case directory.Delete:
		return part{"DELETE", "/users/" + id, nil}, nil
	}
	return part{}, errors.New("unknown kind of change")
}

// writeQueue holds the changes of one call.
type writeQueue struct{ items []*writeItem }

// ready returns up to n changes that can be sent now, in order, at most one of
// each user; and if there is none, how long until there is one. pause is 0 with
// no items when all are done.
func (q *writeQueue) ready(now time.Time, n int) (batch []*writeItem, pause time.Duration) {
	busy := map[string]bool{}
	pause = never
	for _, item := range q.items {
		if item.done {
			continue
		}
		if id := item.write.ID; id != "" {
			if busy[id] {
				continue
			}
			busy[id] = true
		}
		if wait := item.notYet.Sub(now); wait > 0 {
			pause = min(pause, wait)
			continue
		}
		if item.alone {
			if len(batch) == 0 {
				return []*writeItem{item}, 0
			}
			continue
		}
		if batch = append(batch, item); len(batch) == n {
			break
		}
	}
	if batch != nil || pause == never {
		return batch, 0
	}
	// Items that were refused together come due at almost the same time: waiting
	// for all of them keeps their next batch full.
	earliest := pause
	for _, item := range q.items {
		if wait := item.notYet.Sub(now); !item.done && wait > pause && wait <= earliest+time.Second {
			pause = wait
		}
	}
	return nil, pause
}

// trim forgets what is done at the head, so that a long queue is not walked
// again for every batch.
func (q *writeQueue) trim() {
	for len(q.items) > 0 && q.items[0].done {
		q.items = q.items[1:]
	}
}

func (item *writeItem) finish(err error) { item.out.Err, item.done = err, true }

// unfinished is the outcome of a change that the end of the work left open.
func (item *writeItem) unfinished(c *Client, err error) error {
	if !item.sent {
		return err
	}
	return &directory.Error{Op: item.what.op, Kind: directory.Ambiguous, Tenant: c.name, Err: err}
}
