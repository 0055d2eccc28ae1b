package reliability_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"tenantsync/entra/entrasim"
	"tenantsync/store/bolt"
)

// rare puts one rarer trouble into some of the scripts: what goes on until
// somebody ends it, and what happens to the state file as a whole. It has a chance
// of its own, so that the story around it is the one the seed tells without it.
func (s *Script) rare() {
	r := rand.New(rand.NewPCG(s.Seed, 0x7261_7275))
	if r.IntN(4) > 0 {
		s.spoiled()
		return
	}
	cycles := s.cycles()
	first := r.IntN(len(cycles) - 1)
	from, to := cycles[first], cycles[first+1+r.IntN(min(3, len(cycles)-first-1))]
	begin, end := rareTrouble(r)
	if end.Do != "" {
		s.Steps = slices.Insert(s.Steps, to, end)
	}
	s.Steps = slices.Insert(s.Steps, from, begin)
}

// cycles are where cycles begin, but for the first.
func (s *Script) cycles() []int {
	var cycles []int
	for i, step := range s.Steps {
		if step.Do == "cycle" && i > 0 {
			cycles = append(cycles, i)
		}
	}
	return cycles
}

// rareTrouble is one trouble, and what ends it or makes it one, if anything does.
func rareTrouble(r *rand.Rand) (begin, end Step) {
	fault := func(f entrasim.Fault) Step {
		if r.IntN(2) == 0 {
			f.Nth, f.Times = 1+r.IntN(8), 1+r.IntN(4)
		} else {
			f.Probability = 0.1 + r.Float64()/3
		}
		return Step{Do: "fault", Fault: &f}
	}
	switch r.IntN(8) {
	case 0: // items that a batch does not answer
		return fault(entrasim.Fault{Item: "inner", Close: true, Effect: []string{"before", "after"}[r.IntN(2)]}), end
	case 1:
		return fault(entrasim.Fault{Preset: "throttledUntil", Item: []string{"", "inner"}[r.IntN(2)]}), end
	case 2:
		return fault(entrasim.Fault{Method: "GET", Path: []string{"/users/delta", "/groups/delta", "/users"}[r.IntN(3)], Round: "sameLink"}), end
	case 3:
		return Step{Do: "begins", Fault: &entrasim.Fault{Preset: "suspicious", Tenant: "fabrikam"}}, Step{Do: "ends"}
	case 4:
		return Step{Do: "begins", Fault: &entrasim.Fault{Tenant: "fabrikam", Method: "POST", Path: "/invitations", Status: 403, Code: "Directory_QuotaExceeded",
			Message: "The directory object quota limit for the Tenant has been exceeded."}}, Step{Do: "ends"}
	case 5:
		return Step{Do: "backup"}, Step{Do: "put back"}
	case 6:
		return Step{Do: "lose state"}, end
	}
	leap := []time.Duration{3 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour, 33 * 24 * time.Hour}[r.IntN(4)]
	begin = Step{Do: "wait", For: entrasim.Duration(leap)}
	if leap < 48*time.Hour && r.IntN(2) == 0 {
		begin.At = 1 + r.IntN(20)
	}
	return begin, end
}

// last replaces the faults that go on until somebody ends them.
func (w *world) last(faults []entrasim.Fault) error {
	w.lasting = faults
	if !w.running {
		w.cloud.SetFaults(faults)
	}
	return nil
}

func (w *world) backupPath() string { return w.statePath() + ".backup" }

// backup copies the state while the process runs, as `state backup` does.
func (w *world) backup(Step) error {
	if err := os.RemoveAll(w.backupPath()); err != nil {
		return err
	}
	_, err := w.p.st.Backup(context.Background(), w.backupPath())
	if err == nil {
		w.saved, w.ranThen = time.Now(), w.ran
	}
	return err
}

// putBack lets the next process begin with the state of the backup.
func (w *world) putBack(Step) error {
	if w.running || w.saved.IsZero() {
		return errNobody
	}
	if err := w.stop(); err != nil {
		return err
	}
	_, _, err := bolt.Restore(context.Background(), w.backupPath(), w.statePath(), time.Now())
	w.ran, w.old = w.ranThen, slices.Clone(w.jobs)
	w.truth.forget(w.saved)
	return errors.Join(err, w.start())
}

// loseState lets the next process begin with no state at all.
func (w *world) loseState(Step) error {
	if w.running {
		return errNobody
	}
	if err := w.stop(); err != nil {
		return err
	}
	err := os.Remove(w.statePath())
	w.ran, w.old = false, nil
	w.truth.forget(w.began)
	return errors.Join(err, w.start())
}
