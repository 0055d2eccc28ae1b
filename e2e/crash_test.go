package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tenantsync/internal/crashpoint"
)

// killsVariable is how many times the processes of TestKilledAnywhere are killed at
// least; a few without it.
const killsVariable = "TENANTSYNC_KILLS"

// batchOfWrites is how many writes a crash may cost at most.
const batchOfWrites = 20

// arguments is the command of an act.
func (s *saga) arguments(a act) []string {
	command := a.command
	if command == nil {
		command = []string{"provision", s.people[len(s.people)-1].name + "@contoso.example", "--job", jobName, "-o", "json"}
	}
	return append([]string{"-c", s.config}, command...)
}

// calm is an act as it goes when nothing happens.
type calm struct {
	act
	points []string // that its command passes, each with its count
	writes int
	took   time.Duration
}

// trace carries out an act in peace.
func (s *saga) trace(a act) calm {
	s.t.Helper()
	bin, err := buildCrashing()
	if err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(s.dir, "trace")
	_ = os.Remove(path) // the first time there is none
	a.change(s)
	s.publish()
	s.counts("target")
	began := time.Now()
	launchBinary(s.t, bin, s.dir, []string{crashpoint.Trace + "=" + path}, s.arguments(a)...).wait().exits(s.t, a.exit)
	took := time.Since(began)
	s.check(a.name)
	raw, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return calm{a, strings.Fields(string(raw)), s.written(), took}
}

// written counts the writes of the target since it was last asked.
func (s *saga) written() int {
	s.t.Helper()
	n := 0
	for _, count := range s.counts("target").Writes {
		n += count
	}
	return n
}

// The saga passes every point there is: a step that nothing is killed at would
// prove nothing. The same command without the build tag knows none of them.
func TestCrashPointsAreAllReached(t *testing.T) {
	t.Parallel()
	s := newSaga(t)
	passed := map[string]bool{}
	for _, a := range acts() {
		for _, p := range s.trace(a).points {
			passed[p[:strings.LastIndexByte(p, ':')]] = true
		}
	}
	for _, p := range crashpoint.Points() {
		for _, side := range []string{crashpoint.Before, crashpoint.After} {
			if !passed[side+"-"+p] {
				t.Errorf("nothing passes %s-%s", side, p)
			}
		}
	}
	bin, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(s.dir, "none")
	env := []string{crashpoint.At + "=before-request:token:1", crashpoint.Trace + "=" + trace}
	launchBinary(t, bin, s.dir, env, "-c", s.config, "sync", jobName).wait().exits(t, 0)
	if _, err := os.Stat(trace); err == nil {
		t.Error("the product writes down crash points")
	}
	product, err := os.ReadFile(bin)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(product, []byte(crashpoint.At)) {
		t.Errorf("the product knows %s", crashpoint.At)
	}
}

// shot is one kill: at a point, or at a random moment where that is empty.
type shot struct {
	point  string
	daemon bool // the daemon is killed, which works for the command
}

func (s shot) String() string {
	text := s.point
	if text == "" {
		text = "at a random moment"
	}
	if s.daemon {
		text += ", in the daemon"
	}
	return text
}

// toll is what the kills have cost.
type toll struct{ named, random, surplus, lost, repeated atomic.Int64 }

// shoot carries out an act whose command is killed, perhaps again while it is
// repeated, and then repeated in peace.
func (s *saga) shoot(c calm, first shot, random *rand.Rand, all *toll) {
	s.t.Helper()
	c.change(s)
	s.publish()
	s.counts("target")
	what := fmt.Sprintf("%s, killed %s", c.name, first)
	kills := 0
	if s.fire(c, first, random, all) {
		kills++
	}
	if kills > 0 && random.IntN(4) == 0 {
		if s.fire(c, shot{}, random, all) {
			kills++
			what += " and once more"
		}
	}
	if kills == 0 && first.point != "" && !first.daemon {
		s.t.Errorf("%s: the point was not passed", what)
	}
	// The command once more, which is all that an administrator has to do.
	a := launch(s.t, s.dir, s.arguments(c.act)...).wait()
	if a.exit != c.exit {
		s.t.Errorf("%s: then exit %d, want %d\n%s\n%s", what, a.exit, c.exit, a.stdout, a.stderr)
	}
	surplus, lost := s.check(what)
	repeated := max(0, s.written()-c.writes)
	if repeated > kills*batchOfWrites {
		s.t.Errorf("%s: %d writes were repeated after %d kills, want at most a batch for each", what, repeated, kills)
	}
	all.surplus.Add(int64(surplus))
	all.lost.Add(int64(lost))
	all.repeated.Add(int64(repeated))
}

// fire runs the act's command until it is killed, and tells whether it was.
func (s *saga) fire(c calm, sh shot, random *rand.Rand, all *toll) bool {
	s.t.Helper()
	bin, err := buildCrashing()
	if err != nil {
		s.t.Fatal(err)
	}
	var env []string
	if sh.point != "" {
		env = []string{crashpoint.At + "=" + sh.point}
	}
	var victim, command *process
	if sh.daemon {
		victim = launchBinary(s.t, bin, s.dir, env, "-c", s.config, "run")
		victim.untilOrEnd(func() bool { return bytes.Contains(victim.stderr.Bytes(), []byte("daemon started")) })
	} else {
		victim = launchBinary(s.t, bin, s.dir, env, s.arguments(c.act)...)
		command = victim
	}
	if sh.point == "" {
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(c.took))), func() { _ = victim.cmd.Process.Kill() }) // gone already is fine
		defer timer.Stop()
	}
	if command == nil {
		command = launch(s.t, s.dir, s.arguments(c.act)...)
	}
	command.wait()
	if sh.daemon {
		victim.stop()
	}
	switch killed := victim.wait().exit == -1; {
	case killed && sh.point == "":
		all.random.Add(1)
		return true
	case killed:
		all.named.Add(1)
		return true
	}
	return false
}

// A process is killed before and after each commit and each request of everything
// that a small company goes through, and at random moments; then the command is
// given once more. Nobody is in the target twice, nobody is missing, nobody else is
// touched, and a kill costs at most one batch.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	wanted := 18
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if wanted, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", killsVariable, err)
		}
	}
	const workers = 2
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	all := new(toll)
	t.Run("workers", func(t *testing.T) {
		for w := range workers {
			t.Run(strconv.Itoa(w), func(t *testing.T) {
				t.Parallel()
				killedAnywhere(t, w, workers, wanted/workers, rand.New(rand.NewPCG(seed, uint64(w))), all)
			})
		}
	})
	named, random := all.named.Load(), all.random.Load()
	t.Logf("%d kills (%d at named points, %d at random moments): %d duplicates, %d losses, %d writes repeated",
		named+random, named, random, all.surplus.Load(), all.lost.Load(), all.repeated.Load())
	if int(named+random) < wanted {
		t.Errorf("%d kills, want %d", named+random, wanted)
	}
}

// killedAnywhere tells the saga until this worker's share of processes has been
// killed: at its share of the points of each act, in any order, then at random
// moments.
func killedAnywhere(t *testing.T, worker, workers, kills int, random *rand.Rand, all *toll) {
	var s *saga
	begin := func() []calm {
		if s != nil {
			s.close()
		}
		s = newSaga(t)
		var told []calm
		for _, a := range acts() {
			told = append(told, s.trace(a))
		}
		return told
	}
	told := begin()
	shares := make([][]string, len(told))
	for i, c := range told {
		for n, p := range c.points {
			if n%workers == worker {
				shares[i] = append(shares[i], p)
			}
		}
		random.Shuffle(len(shares[i]), func(a, b int) { shares[i][a], shares[i][b] = shares[i][b], shares[i][a] })
	}
	for round := 0; kills > 0; round++ {
		if round > 0 && round%8 == 0 {
			begin() // the recycle bin fills
		}
		for i, c := range told {
			sh := shot{daemon: random.IntN(8) == 0}
			if len(shares[i]) > 0 {
				if sh.point = shares[i][0]; !sh.daemon {
					shares[i] = shares[i][1:]
				}
			}
			s.shoot(c, sh, random, all)
			kills--
			if t.Failed() {
				return // what follows would only follow from it
			}
		}
		if after := s.sync(0, "success"); after.Graph.Writes != 0 {
			t.Errorf("round %d: the cycle after it wrote %d times, want none", round, after.Graph.Writes)
		}
	}
	if left := slices.Concat(shares...); len(left) > 0 {
		t.Logf("%d points were left out: %s", len(left), killsVariable)
	}
}
