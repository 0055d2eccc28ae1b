package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tenantsync/store/bolt"
)

func TestAFullDiskKeepsWhatWasCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path, quick)
	apply(t, s, someBatch(0))
	closeStore(t, s)
	if out, err := childCommand(t, "fill", path).Output(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// fillDisk applies batches in a process whose files may hardly grow, until one
// fails; looks whether all before it are there; and goes on when there is room.
func fillDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	room := limit.Cur
	limit.Cur = uint64(info.Size()) + 64<<10
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	done := 1
	for ; done < 1000; done++ {
		b := someBatch(done)
		if err = s.Apply(context.Background(), &b); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "too large") {
		return fmt.Errorf("full disk after %d batches: got error %v, want one with the path and the cause", done, err)
	}
	for _, when := range []string{"full", "room again"} {
		n, err := committed(context.Background(), s)
		if err != nil || n != done {
			return fmt.Errorf("%s: got %d batches, error %v; want %d", when, n, err, done)
		}
		b := someBatch(done)
		err = s.Apply(context.Background(), &b)
		if when == "full" && err == nil || when != "full" && err != nil {
			return fmt.Errorf("%s: apply: got error %v", when, err)
		}
		limit.Cur = room
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			return err
		}
	}
	n, err := committed(context.Background(), s)
	if n != done+1 {
		err = errors.Join(err, fmt.Errorf("at the end: got %d batches, want %d", n, done+1))
	}
	return err
}
