package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// Whatever bytes of a file change, opening, reading and writing it ends, with an
// error or without: a branch that leads back to itself is not followed for ever, and
// memory that is not the file's is not handed out.
func TestChangedBytesNeitherHangNorCrash(t *testing.T) {
	dir := t.TempDir()
	state := filledFile(t, filepath.Join(dir, "good.db"))
	path := filepath.Join(dir, "state.db")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	refused := 0
	for range 1500 {
		changed := bytes.Clone(state)
		for range 1 << random.IntN(10) {
			changed[random.IntN(len(changed))] ^= byte(1 + random.IntN(255))
		}
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		err := useAll(t.Context(), path)
		if errors.Is(err, store.ErrFormat) {
			refused++
		}
	}
	if refused < 500 {
		t.Errorf("%d of 1500 damaged files were found to be so, want at least 500", refused)
	}
}

// useAll opens a file, reads everything in it and writes to it; it returns all that
// went wrong.
func useAll(ctx context.Context, path string) error {
	s, err := bolt.Open(path, bolt.Options{NoSync: true, Lock: time.Millisecond})
	if err != nil {
		return err
	}
	wrong := s.Verify(ctx)
	for after := ""; ; {
		links, err := s.Links(ctx, store.LinkQuery{Pair: pair, After: after, Limit: 10})
		wrong = errors.Join(wrong, err)
		if err != nil || len(links) == 0 {
			break
		}
		after = links[len(links)-1].SourceID
	}
	for after := 0; ; {
		pages, err := s.StagePages(ctx, "staged", after, 1)
		wrong = errors.Join(wrong, err)
		if err != nil || len(pages) == 0 {
			break
		}
		after = pages[len(pages)-1].Seq
	}
	_, err1 := s.Log(ctx, store.LogQuery{})
	_, err2 := s.Cycles(ctx, store.CycleQuery{})
	b := someBatch(7)
	return errors.Join(wrong, err1, err2, s.Apply(ctx, &b), s.Close())
}
