package reliability_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

var errDead = errors.New("the process is dead")

// disk is the state file of one process. It can run full for some commits, and
// takes nothing from a process that is dead.
type disk struct {
	*bolt.Store
	p       *process
	commits int // in this cycle
	full    int // commits still to be refused
}

// Apply implements store.Store.
func (d *disk) Apply(ctx context.Context, b *store.Batch) error {
	if d.p.dead.Load() {
		return errDead
	}
	if b.Empty() {
		return d.Store.Apply(ctx, b)
	}
	d.p.w.mu.Lock()
	d.commits++
	n, full := d.commits, d.full > 0
	if full {
		d.full--
	}
	d.p.w.mu.Unlock()
	if full {
		d.p.w.note("disk: commit %d finds no space", n)
		d.p.w.failedCommit()
		return fmt.Errorf("write state file: %w", syscall.ENOSPC)
	}
	for _, s := range d.p.w.due(onCommit, n) {
		switch s.Do {
		case "disk full":
			d.p.w.mu.Lock()
			d.full = max(s.Who, 1) - 1
			d.p.w.mu.Unlock()
			d.p.w.note("disk: commit %d finds no space", n)
			d.p.w.failedCommit()
			return fmt.Errorf("write state file: %w", syscall.ENOSPC)
		case "crash before commit":
			d.p.w.note("CRASH before commit %d", n)
			d.p.die()
			return errDead
		case "crash after commit":
			if err := d.Store.Apply(ctx, b); err != nil {
				return err
			}
			d.p.w.committed()
			d.p.w.note("CRASH after commit %d", n)
			d.p.die()
			return errDead
		}
	}
	err := d.Store.Apply(ctx, b)
	if err == nil {
		d.p.w.committed()
	}
	return err
}
