package reliability_test

import (
	"math/rand/v2"
	"slices"

	"tenantsync/entra/entrasim"
)

// spoiled puts answers that are not to be trusted into some of the scripts: pages
// and batches that end before their end, though their links may stand before it;
// links that lead to another host; batches answered in another order. As with rare,
// the chance is its own.
func (s *Script) spoiled() {
	r := rand.New(rand.NewPCG(s.Seed, 0x7370_6f69_6c65_64))
	if r.IntN(5) > 1 {
		s.strained()
		return
	}
	cycles := s.cycles()
	for range 1 + r.IntN(3) {
		at := cycles[r.IntN(len(cycles))]
		s.Steps = slices.Insert(s.Steps, at, Step{Do: "fault", Fault: spoiledAnswer(r)})
		if cycles = s.cycles(); r.IntN(3) == 0 {
			s.Steps = slices.Insert(s.Steps, at, Step{Do: "fault", Fault: &entrasim.Fault{Preset: "smallPages"}})
			cycles = s.cycles()
		}
	}
}

// readPaths are the lists that a cycle reads page by page.
var readPaths = []string{"/users/delta", "/users/delta", "/groups/delta", "/users"}

// spoiledAnswer is one such fault.
func spoiledAnswer(r *rand.Rand) *entrasim.Fault {
	f := &entrasim.Fault{Method: "GET", Path: readPaths[r.IntN(len(readPaths))]}
	switch r.IntN(8) {
	case 0, 1, 2: // the end of a page is missing, most often behind its link
		f.CutEnd = 3 + r.IntN(1500)
	case 3: // a list of the target ends early, and nothing says so
		f.Round = "dropLink"
	case 4:
		f.Round = "elsewhere"
	case 5: // the end of a batch is missing: whatever was in it may have been done
		f.Method, f.Path, f.Item, f.CutEnd = "POST", "/$batch", "outer", 3+r.IntN(1500)
	case 6: // the answer to one item
		f.Method, f.Path, f.Item, f.CutEnd = "", "", "inner", 1+r.IntN(300)
	case 7:
		f.Method, f.Path, f.Preset = "", "", "shuffledBatch"
		return f // all of the cycle
	}
	if r.IntN(3) == 0 {
		f.Probability = 0.1 + r.Float64()/3
	} else {
		f.Nth, f.Times = 1+r.IntN(3), 1+r.IntN(2)
	}
	return f
}
