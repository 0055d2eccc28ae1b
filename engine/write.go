package engine

import (
	"context"
	"errors"
	"fmt"

	"tenantsync/directory"
)

// errUnsent marks a change that was not carried out for a reason that is none of
// its own: the cycle is ending, and whoever comes next has it still before him.
var errUnsent = errors.New("not sent")

// errThrottled ends a cycle that the target takes nothing from any more.
var errThrottled = errors.New("the target takes no writes for now")

// write sends changes to the target and tells apart whose matter a refusal is.
//
// What ended the work of the whole tenant (sign-in, a foreign link) is no failure
// of the changes that were not sent because of it. Nor is a refusal of everything
// for more calls than the service takes, after as long a wait as one batch is
// worth: the cycle ends there, and the next one goes on with what is left.
func (x *exporter) write(ctx context.Context, ws []directory.Write) ([]directory.Written, error) {
	done, err := x.c.job.Target.Write(ctx, ws)
	switch {
	case err != nil:
		for i := range done {
			if done[i].Err != nil && errors.Is(done[i].Err, err) {
				done[i].Err = errUnsent
			}
		}
	case !x.c.onDemand && allThrottled(done):
		err = fmt.Errorf("%w: %w", errThrottled, done[0].Err)
		for i := range done {
			done[i].Err = errUnsent
		}
	}
	return done, err
}

// allThrottled reports several changes none of which the service took. A single
// one may be refused for what it is.
func allThrottled(done []directory.Written) bool {
	for i := range done {
		if directory.KindOf(done[i].Err) != directory.Throttled {
			return false
		}
	}
	return len(done) > 1
}

// notSent reports a change that the cycle's end left undone: it is still in the
// stage, and an invitation in its intent.
func notSent(err error) bool {
	return errors.Is(err, errUnsent) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
