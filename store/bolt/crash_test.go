package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// childEnv makes the test binary a program that works on a state file until it
// is ended: its value is the name of what it does.
const childEnv = "TENANTSYNC_STORE_CHILD"

var children = map[string]func(path string) error{"write": writeUntilKilled, "fill": fillDisk}

func TestMain(m *testing.M) {
	child := children[os.Getenv(childEnv)]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func childCommand(t *testing.T, what, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, path)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	cmd.Stderr = os.Stderr
	return cmd
}

// writeUntilKilled commits batches, each of which follows the one before, and
// prints the number of each when it is committed.
func writeUntilKilled(path string) error {
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	n, err := committed(context.Background(), s)
	if err != nil {
		return err
	}
	for ; ; n++ {
		b := someBatch(n)
		if err := s.Apply(context.Background(), &b); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

// committed returns how many batches of the series are in the store, and an
// error if one is there in part.
func committed(ctx context.Context, s *bolt.Store) (int, error) {
	log, err1 := s.Log(ctx, store.LogQuery{Follow: true})
	links, err2 := s.Links(ctx, store.LinkQuery{Pair: pair})
	cycles, err3 := s.Cycles(ctx, store.CycleQuery{})
	pages, err4 := s.StagePages(ctx, "staged", 0, 0)
	if err := errors.Join(err1, err2, err3, err4, s.Verify(ctx)); err != nil {
		return 0, err
	}
	n := len(log)
	if len(links) != 20*n || len(cycles) != n || len(pages) != n {
		return 0, fmt.Errorf("%d log entries, %d links, %d cycles and %d pages are not of whole batches", n, len(links), len(cycles), len(pages))
	}
	return n, nil
}

func TestAKilledProcessLosesNothingItCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	last := -1
	for round := range 6 {
		cmd := childCommand(t, "write", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range round + 1 {
			if !lines.Scan() {
				t.Fatalf("round %d: the child ended early", round)
			}
		}
		// It is now somewhere in the next batches.
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for ok := true; ok; ok = lines.Scan() {
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // killed

		s := open(t, path, bolt.Options{})
		got, err := committed(t.Context(), s)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if got != last+1 && got != last+2 {
			t.Errorf("round %d: got %d batches, want %d or the next one too", round, got, last+1)
		}
		closeStore(t, s)
	}
}

// Between the data of a commit and the page that makes it count, and with that
// page half written, the file is what it was before.
func TestACommitThatStopsHalfwayNeverWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	apply(t, s, someBatch(0))
	apply(t, s, someBatch(1))
	closeStore(t, s)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, path, quick)
	apply(t, s, someBatch(2))
	closeStore(t, s)
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	// The head of a page, then magic, version, page size, flags, root (16),
	// free list, pages, transaction.
	const transactionAt = 16 + 4*4 + 16 + 8 + 8
	page := os.Getpagesize()
	meta := 0
	if binary.NativeEndian.Uint64(after[page+transactionAt:]) > binary.NativeEndian.Uint64(after[transactionAt:]) {
		meta = page
	}
	if bytes.Equal(before[meta:meta+page], after[meta:meta+page]) {
		t.Fatal("the commit did not change the page that counts")
	}
	unwritten := bytes.Clone(after)
	copy(unwritten[meta:meta+page], before[meta:meta+page])
	torn := bytes.Clone(after)
	copy(torn[meta+transactionAt+4:meta+page], before[meta+transactionAt+4:meta+page])

	for name, content := range map[string][]byte{"page not written": unwritten, "page half written": torn} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, path, quick)
		if n, err := committed(t.Context(), s); err != nil || n != 2 {
			t.Errorf("%s: got %d batches, error %v; want 2", name, n, err)
		}
		apply(t, s, someBatch(2))
		if n, err := committed(t.Context(), s); err != nil || n != 3 {
			t.Errorf("%s: after doing it again got %d batches, error %v; want 3", name, n, err)
		}
		closeStore(t, s)
	}
}
