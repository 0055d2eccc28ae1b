package e2e_test

import (
	"sync/atomic"
	"testing"
)

// The process that runs the first cycle dies in its middle, with a batch carried
// out and not answered. The next cycle finishes the work; nobody is there twice.
func TestCongressKilled(t *testing.T) {
	files := snapshots(t)
	for _, test := range []struct {
		name   string
		daemon bool
		at     func(traffic) bool
	}{
		{"while inviting", false, func(c traffic) bool { return c.Invitations >= 60 }},
		{"while updating", false, func(c traffic) bool { return c.Patches >= 100 }},
		{"the daemon, while inviting", true, func(c traffic) bool { return c.Invitations >= 200 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, jobs := congress(t, files[0])
			j := jobs[0]
			source := readTenant(t, files[0])
			want := j.replica.advance(&source)

			if test.daemon {
				w.startDaemon()
			}
			first := w.killedSync(j, test.at)
			if n := first.Invitations; n == 0 || n >= want.Create {
				t.Fatalf("%d invitations before the kill, want some of %d", n, want.Create)
			}
			if test.daemon {
				w.startDaemon() // begins with the cycle that is overdue; sync then runs its own
				defer w.stopDaemon()
			}
			again := w.cycleOf(j.name)
			_, by, _ := w.traffic()
			second := by[j.target]
			expectEqual(t, "outcome of the cycle after", again.Outcome, "success")
			expectEqual(t, "its exit code", again.Exit, 0)
			// Only what was not answered may have been sent twice.
			if sent := first.writes() + second.writes(); sent > want.writes.writes()+20 {
				t.Errorf("%d writes in all, want at most one batch more than %d", sent, want.writes.writes())
			}
			target := w.dump(j.target)
			j.replica.learn(target)
			j.replica.compare(t, "after the kill", target)
			expectEqual(t, "users in the target", len(target.Users), len(source.Users))
			_, wire := w.sync(j.name)
			expectEqual(t, "writes of the cycle after that", wire.writes()+wire.Refused, 0)
		})
	}
}

// killedSync runs a cycle and kills the process that works on it at this point,
// after the target has done what was asked and before it has answered.
func (w *world) killedSync(j job, at func(traffic) bool) traffic {
	w.t.Helper()
	var victim atomic.Pointer[process]
	victim.Store(w.daemon)
	w.traffic()
	w.wires[j.target].cutWhen(func(c traffic) bool {
		p := victim.Load()
		if p == nil || !at(c) {
			return false
		}
		_ = p.cmd.Process.Kill() // gone already is fine: the answer is lost all the same
		return true
	})
	sync := launch(w.t, w.dir, "-c", w.config, "sync", j.name, "-o", "json")
	if w.daemon == nil {
		victim.Store(sync)
	}
	if a := sync.wait(); a.exit == 0 {
		w.t.Fatalf("the cycle came to its end: exit %d\n%s", a.exit, a.stdout)
	}
	victim.Load().wait()
	w.wires[j.target].cutWhen(nil)
	_, by, _ := w.traffic()
	return by[j.target]
}
