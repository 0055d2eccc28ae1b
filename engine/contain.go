package engine

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/store"
)

// A panic is contained where it can do the least harm: mapping and scope turn one
// over a user's values into the failure of that user, judgeContained does so for
// what the engine itself makes of the user, and runContained ends the cycle but
// not the daemon. Nothing is committed of what was being computed.

// judgeContained is judgeOne for a user whom it may panic over.
func (c *cycle) judgeContained(ctx context.Context, j *judged, w *work, b *store.Batch, said *verdicts) error {
	err := contained(func() error { return c.judgeOne(ctx, j, w, b, said) })
	var fault *directory.Fault
	if !errors.As(err, &fault) {
		return err
	}
	c.noteFault(j.o.ID, fault)
	c.fail(b, j.o, j.link, stepProcessing, CodeFault, fault.Error(), false)
	setInScope(b, j.o.ID, j.v.inScope() && j.link == nil)
	return nil
}

// runContained is run for a cycle that may panic outside of any one object.
func (c *cycle) runContained(ctx context.Context) error {
	err := contained(func() error { return c.run(ctx) })
	var fault *directory.Fault
	if errors.As(err, &fault) {
		c.noteFault("", fault)
	}
	return err
}

func contained(f func() error) (err error) {
	defer directory.Contain(&err)
	return f()
}

// faultOr returns the code of a fault of the program, if err is one, else code. A
// fault is noted with its stack, which no log entry has room for.
func (c *cycle) faultOr(code Code, id string, err error) Code {
	var fault *directory.Fault
	if !errors.As(err, &fault) {
		return code
	}
	c.noteFault(id, fault)
	return CodeFault
}

func (c *cycle) noteFault(id string, fault *directory.Fault) {
	if c.log != nil {
		c.log.Error("fault of the program", zap.String("source_id", id), zap.NamedError("reason", fault), zap.ByteString("stack", fault.Stack))
	}
}
