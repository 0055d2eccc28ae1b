package entra

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"go.uber.org/zap"

	"tenantsync/directory"
)

// Write carries out changes in batches of at most 20, each batch when the budget
// has room for it, and returns one outcome for each, in the order of ws. Changes
// of one user are sent one after the other; between users no order is kept.
//
// What may be repeated without harm is repeated while that may help: a refusal
// with 429 after the time the service names, a passing fault after a growing
// pause. An invitation is repeated only when it certainly was not taken up;
// otherwise its outcome is of kind Ambiguous, and it is for the caller to look.
//
// The error is for what ends the work of the whole tenant: sign-in, an answer
// that points elsewhere, a cancelled context. The outcomes then still say what is
// known; a change that was not sent has the error itself as its outcome. A batch
// that is on its way when the context is cancelled may still land.
func (t *Target) Write(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	out := make([]directory.Written, len(ws))
	q := &writeQueue{}
	for i := range ws {
		out[i].ID = ws[i].ID
		if item := t.prepare(&ws[i], &out[i]); item != nil {
			q.items = append(q.items, item)
		}
	}
	err := t.drain(ctx, q)
	if err != nil {
		for _, item := range q.items {
			if !item.done {
				item.out.Err = item.unfinished(t.c, err)
			}
		}
	}
	return out, err
}

// drain sends until every change has its outcome.
func (t *Target) drain(ctx context.Context, q *writeQueue) error {
	for {
		q.trim()
		batch, pause := q.ready(time.Now(), batchSize)
		switch {
		case ctx.Err() != nil && len(q.items) > 0:
			return ctx.Err()
		case batch == nil && pause == 0:
			return nil
		case batch == nil:
			if err := sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		if left := t.budget.Paused(); left > maxPatience {
			for _, item := range batch {
				item.finish(t.c.stillThrottled(item.what, left))
			}
			continue
		}
		n, landed, err := t.budget.Wait(ctx, len(batch))
		if err != nil {
			return err
		}
		err = t.sendBatch(ctx, batch[:n])
		landed()
		if err != nil {
			return err
		}
	}
}

// sendBatch sends one batch and gives each of its items an outcome or another
// turn.
func (t *Target) sendBatch(ctx context.Context, batch []*writeItem) error {
	parts := make([]part, len(batch))
	for i, item := range batch {
		parts[i] = item.part
	}
	flight, landed := lingering(ctx)
	defer landed()
	ans, err := t.c.exchange(flight, t.m, callBatch, abs.POST, t.c.graph+"/$batch", encodeBatch(parts))
	if err != nil {
		return t.unanswered(batch, err)
	}
	if ans.status != http.StatusOK {
		return t.refused(batch, ans)
	}
	replies, err := decodeBatch(ans.body, len(parts))
	if err != nil {
		t.m.write(len(batch))
		t.unknown(batch, t.c.malformed(callBatch, ans, err))
		return nil
	}
	return t.settle(flight, batch, replies, t.c.tokens.token())
}

// linger is how long a batch that is on its way may take after its context was
// cancelled. Cutting it off would leave open what became of it.
const linger = 15 * time.Second

func lingering(ctx context.Context) (context.Context, func()) {
	flight, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		_ = sleep(flight, linger) // until it has landed or the time is over
		cancel()
	})
	return flight, func() { unhook(); cancel() }
}

// unanswered handles a batch that got no answer. What was not sent for certain is
// sent again, invitations too; else nobody knows what was taken up.
func (t *Target) unanswered(batch []*writeItem, err error) error {
	var lost *transportError
	if !errors.As(err, &lost) {
		var signIn *directory.Error
		if errors.As(err, &signIn) && signIn.Kind == directory.Transient && !isCertificateError(err) {
			t.again(batch, signIn)
			return nil
		}
		// Cancelled in flight, or refused before anything was sent.
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			for _, item := range batch {
				item.sent = true
			}
		}
		return err
	}
	cause := t.c.unreached(callBatch, lost)
	if lost.unsent {
		t.again(batch, cause)
		return nil
	}
	t.m.write(len(batch))
	t.unknown(batch, cause)
	return nil
}

// oneJitter returns a jitter that is the same for all items of a batch, so that
// they come back together.
func (t *Target) oneJitter() func() float64 {
	j := t.c.jitter()
	return func() float64 { return j }
}

// again gives every item of a batch that was not sent another turn.
func (t *Target) again(batch []*writeItem, cause *directory.Error) {
	jitter := t.oneJitter()
	for _, item := range batch {
		pause, more := item.p.unanswered(jitter)
		t.retry(item, cause, pause, more)
	}
}

// retry gives one item another turn, or the cause as outcome.
func (t *Target) retry(item *writeItem, cause *directory.Error, pause time.Duration, more bool) {
	if more {
		item.notYet = time.Now().Add(pause)
		return
	}
	cause = t.about(item, cause)
	if item.sent && cause.Kind != directory.Throttled {
		cause.Kind = directory.Ambiguous
	}
	item.finish(cause)
}

// about returns the cause in the words of the item.
func (t *Target) about(item *writeItem, cause *directory.Error) *directory.Error {
	own := *cause
	own.Op = item.what.op
	return &own
}

// unknown handles items that may have been taken up: an invitation is left to
// the caller, all else sets values and is sent again.
func (t *Target) unknown(batch []*writeItem, cause *directory.Error) {
	jitter := t.oneJitter()
	for _, item := range batch {
		item.sent = true
		if item.write.Kind == directory.Invite {
			own := t.about(item, cause)
			own.Kind = directory.Ambiguous
			item.finish(own)
			continue
		}
		pause, more := item.p.next(directory.Transient, cause.RetryAfter, jitter)
		t.retry(item, cause, pause, more)
	}
}

// refused handles a batch that was answered as a whole with something other
// than 200.
func (t *Target) refused(batch []*writeItem, ans answer) error {
	why := classify(ans.status, ans.header, ans.body, time.Now())
	cause := t.c.fail(callBatch, why)
	if why.retryAfter > 0 && why.kind != directory.Throttled {
		t.budget.Throttled(why.retryAfter)
	}
	switch why.kind {
	case directory.Throttled:
		// Nothing was taken up, and every other writer would be refused too.
		t.m.throttle()
		pause := why.retryAfter
		if pause == 0 {
			pause = unnamedPause
		}
		t.budget.Throttled(pause)
		t.c.log.Warn("throttled", zap.String("tenant", t.c.name), zap.Duration("retry_after", pause))
		jitter := t.oneJitter()
		for _, item := range batch {
			pause, more := item.p.next(why.kind, pause, jitter)
			t.retry(item, cause, pause, more)
		}
	case directory.SignIn:
		return cause
	case directory.Transient, directory.Malformed, directory.Unknown:
		t.m.write(len(batch))
		t.unknown(batch, cause)
	default:
		if len(batch) > 1 && (why.kind == directory.Invalid || why.kind == directory.Conflict) {
			for _, item := range batch {
				item.alone = true
			}
			return nil
		}
		for _, item := range batch {
			own := t.about(item, cause)
			if own.Status == http.StatusForbidden {
				own.Permission = item.what.permission
			}
			item.finish(own)
		}
	}
	return nil
}

// settle takes the replies to the items of a batch. A token that only the items
// refuse is renewed once, as one that the whole batch refuses.
func (t *Target) settle(ctx context.Context, batch []*writeItem, replies []reply, token string) error {
	jitter := t.oneJitter()
	slowed, renew := pressed(replies), false
	var signIn error
	for i, item := range batch {
		r := replies[i]
		if !r.present {
			t.m.write(1)
			t.unknown([]*writeItem{item}, &directory.Error{Kind: directory.Transient, Tenant: t.c.name,
				Message: "the batch has no answer to the item"})
			continue
		}
		if r.status >= 200 && r.status < 300 {
			t.m.write(1)
			t.succeeded(item, r)
			continue
		}
		why := classify(r.status, r.header, r.body, time.Now())
		switch {
		case why.kind == directory.Throttled:
			t.m.throttle()
			slowed = true
		case why.kind == directory.SignIn && !item.renewed:
			item.renewed, renew = true, true
			continue
		case why.kind == directory.SignIn:
			signIn = t.c.fail(item.what, why)
			continue
		case r.status >= http.StatusInternalServerError:
			t.m.write(1) // it may have been taken up all the same
		}
		t.failed(item, why, jitter)
	}
	if slowed {
		t.budget.Slow()
	}
	if renew && signIn == nil {
		signIn = t.c.tokens.renew(ctx, token)
	}
	return signIn
}

// pressed reports whether the service says that a limit is about to be passed.
// The header comes from 0.8 of a limit on; a budget below the limit may stay there
// for good.
// https://learn.microsoft.com/graph/throttling#response-headers
func pressed(replies []reply) bool {
	for _, r := range replies {
		if used, err := strconv.ParseFloat(r.header.Get("x-ms-throttle-limit-percentage"), 64); err == nil && used >= 1 {
			return true
		}
	}
	return false
}

// succeeded takes the good answer to an item; an invitation must name its user.
func (t *Target) succeeded(item *writeItem, r reply) {
	if item.write.Kind != directory.Invite {
		item.finish(nil)
		return
	}
	var doc struct {
		InvitedUser struct {
			ID string `json:"id"`
		} `json:"invitedUser"`
	}
	err := json.Unmarshal(r.body, &doc)
	if err == nil && doc.InvitedUser.ID == "" {
		err = errors.New("invitation answered without the id of the user")
	}
	if err != nil {
		item.finish(&directory.Error{Op: item.what.op, Kind: directory.Ambiguous, Tenant: t.c.name,
			RequestID: r.header.Get("request-id"), Err: err})
		return
	}
	item.out.ID = doc.InvitedUser.ID
	item.finish(nil)
}

// failed takes the refusal of an item.
func (t *Target) failed(item *writeItem, why refusal, jitter func() float64) {
	cause := t.c.fail(item.what, why)
	kind := item.write.Kind
	switch {
	case why.kind == directory.NotFound && (kind == directory.Delete || kind == directory.ClearManager) && why.status == http.StatusNotFound:
		item.finish(nil)
	case why.kind == directory.NotFound && kind == directory.Restore && item.sent:
		// The attempt before, whose answer was lost, may have restored it.
		cause.Kind = directory.Ambiguous
		item.finish(cause)
	case why.kind == directory.Throttled, why.kind == directory.Transient && refusedOutright(why.status):
		pause, more := item.p.next(why.kind, why.retryAfter, jitter)
		t.retry(item, cause, pause, more)
	case why.kind == directory.Transient, why.kind == directory.Malformed:
		t.unknown([]*writeItem{item}, cause)
	default:
		item.finish(cause)
	}
}

// refusedOutright tells the passing faults that say nothing was done.
func refusedOutright(status int) bool {
	switch status {
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked, http.StatusFailedDependency, http.StatusTooEarly:
		return true
	}
	return false
}
