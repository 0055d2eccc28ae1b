package reliability_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

var (
	firstSeed  = flag.Uint64("first", 1, "the first seed of TestSeeds")
	seedCount  = flag.Int("seeds", 200, "how many seeds TestSeeds runs")
	oneSeed    = flag.Uint64("seed", 0, "run this seed alone and print its trace")
	scriptFile = flag.String("script", "", "run the script in this file alone and print its trace")
	shrinkRuns = flag.Int("shrink", 400, "how many runs may be spent on shrinking a failing seed")
	maxFailing = flag.Int("failing", 3, "stop after so many failing seeds")
)

// result is how one run went.
type result struct {
	story  []string
	broken []string
}

// run executes a script in a bubble of its own. A panic of the engine is an
// invariant broken as any other.
func run(t *testing.T, script Script, dir string, verbose bool) (r result) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, script, dir, verbose)
		defer func() {
			if p := recover(); p != nil {
				w.violate("nothing panics", "%v\n%s", p, stack())
			}
			w.p.cancel()
			_ = w.p.st.Close()
			r = result{story: w.story, broken: w.broken}
		}()
		w.run()
	})
	return r
}

func stack() string {
	b := make([]byte, 1<<13)
	return string(b[:runtime.Stack(b, false)])
}

// workDir is a folder for state files, in memory where the system has that.
func workDir(t testing.TB) string {
	t.Helper()
	parent := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "tenantsync-simulation-")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestSeeds(t *testing.T) {
	dir := workDir(t)
	switch {
	case *scriptFile != "":
		raw, err := os.ReadFile(*scriptFile)
		if err != nil {
			t.Fatal(err)
		}
		var s Script
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		replay(t, s, dir)
		return
	case *oneSeed != 0:
		replay(t, generate(*oneSeed), dir)
		return
	}
	seeds := *seedCount
	if testing.Short() {
		seeds = min(seeds, 10)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1500)) // many small worlds: collecting them one by one costs more than keeping some
	defer unsampled()()
	began := cpu()
	var next, done atomic.Int64
	var failing atomic.Int64
	var wg sync.WaitGroup
	t.Run("seeds", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			wg.Add(1)
			t.Run(fmt.Sprint("worker", worker), func(t *testing.T) {
				t.Parallel()
				defer wg.Done()
				for {
					n := next.Add(1) - 1
					if n >= int64(seeds) || failing.Load() >= int64(*maxFailing) {
						return
					}
					seed := *firstSeed + uint64(n)
					s := generate(seed)
					place := filepath.Join(dir, fmt.Sprint(seed))
					if r := run(t, s, place, false); len(r.broken) > 0 {
						failing.Add(1)
						report(t, s, place)
					}
					done.Add(1)
				}
			})
		}
	})
	wg.Wait()
	if n := done.Load(); n > 0 {
		t.Logf("%d seeds from %d on, %v of CPU each on average", n, *firstSeed, ((cpu() - began) / time.Duration(n)).Round(100*time.Microsecond))
	}
}

// unsampled stops the sampling of allocations, a fortieth of the cost of a seed,
// unless a profile of them was asked for. It returns what begins it again.
func unsampled() func() {
	if f := flag.Lookup("test.memprofile"); f != nil && f.Value.String() != "" {
		return func() {}
	}
	rate := runtime.MemProfileRate
	runtime.MemProfileRate = 0
	return func() { runtime.MemProfileRate = rate }
}

// replay runs one script and prints its trace, broken or not.
func replay(t *testing.T, s Script, dir string) {
	r := run(t, s, filepath.Join(dir, "replay"), true)
	if len(r.broken) > 0 {
		t.Errorf("seed %d: %s", s.Seed, strings.Join(r.broken, "\n"))
	}
	t.Logf("script:\n%s\ntrace:\n%s", s, strings.Join(r.story, "\n"))
}

// report says everything about a failing seed: its story, and the shortest script
// that still breaks the same invariant.
func report(t *testing.T, s Script, dir string) {
	whole := run(t, s, dir, false)
	if len(whole.broken) == 0 {
		t.Errorf("seed %d: broken once, and not when replayed", s.Seed)
		return
	}
	short, runs := shrink(t, s, dir, invariantOf(whole.broken[0]))
	r := run(t, short, dir, true)
	file := filepath.Join(os.TempDir(), fmt.Sprintf("tenantsync-seed-%d.json", s.Seed))
	if err := os.WriteFile(file, []byte(short.String()), 0o600); err != nil {
		t.Log(err)
	}
	t.Errorf("seed %d: %s\n\nstory:\n%s\n\nshrunk from %d to %d steps in %d runs: %s\n\nits trace:\n%s\n\nreplay: go test ./reliability -run TestSeeds -seed %d -v\nshrunk: go test ./reliability -run TestSeeds -script %s -v",
		s.Seed, strings.Join(whole.broken, "\n"), strings.Join(whole.story, "\n"), len(s.Steps), len(short.Steps), runs, strings.Join(r.broken, "\n"),
		strings.Join(r.story, "\n"), s.Seed, file)
}

// invariantOf is the name of the invariant that a violation is about.
func invariantOf(broken string) string {
	name, _, _ := strings.Cut(broken, ":")
	return name
}

// shrink leaves out steps as long as the same invariant stays broken: halves
// first, then smaller parts, each tried in a fresh bubble.
func shrink(t *testing.T, s Script, dir, invariant string) (Script, int) {
	runs := 0
	breaks := func(c Script) bool {
		runs++
		r := run(t, c, dir, false)
		return slices.ContainsFunc(r.broken, func(b string) bool { return invariantOf(b) == invariant })
	}
	for part := max(len(s.Steps)/2, 1); ; {
		smaller := false
		for from := 0; from < len(s.Steps) && runs < *shrinkRuns; {
			c := s
			c.Steps = slices.Delete(slices.Clone(s.Steps), from, min(from+part, len(s.Steps)))
			if breaks(c) {
				s, smaller = c, true
				continue
			}
			from += part
		}
		if runs >= *shrinkRuns || part == 1 && !smaller {
			break
		}
		if !smaller {
			part = max(part/2, 1)
		}
	}
	for s.Setup.Users > 3 && runs < *shrinkRuns {
		c := s
		c.Setup.Users--
		if !breaks(c) {
			break
		}
		s = c
	}
	return s, runs
}

// cpu is the processor time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The same script gives the same story to the last byte.
func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	dir := workDir(t)
	last := uint64(20)
	if testing.Short() {
		last = 3
	}
	for seed := uint64(1); seed <= last; seed++ {
		s := generate(seed)
		a, b := run(t, s, filepath.Join(dir, "a"), true), run(t, s, filepath.Join(dir, "b"), true)
		for i := range min(len(a.story), len(b.story)) {
			if a.story[i] != b.story[i] {
				t.Errorf("seed %d, line %d:\nfirst:  %s\nsecond: %s", seed, i+1, a.story[i], b.story[i])
				break
			}
		}
		if len(a.story) != len(b.story) {
			t.Errorf("seed %d: got stories of %d and %d lines", seed, len(a.story), len(b.story))
		}
	}
}
