package bolt

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tenantsync/store"
)

// Whatever a file holds, it is opened and read, or refused, as is what is noted
// beside it; nothing of it ends the process.
func FuzzStateFile(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "state.db")
	s, err := Open(path, Options{NoSync: true})
	if err != nil {
		f.Fatal(err)
	}
	pair := store.Pair{Source: "11111111-1111-4111-8111-111111111111", Target: "22222222-2222-4222-8222-222222222222"}
	if err := s.Apply(f.Context(), &store.Batch{Jobs: []store.Job{{Name: "job", Pair: pair}},
		PutLinks: []store.Link{{Pair: pair, SourceID: someGUID, TargetID: "t", Job: "job", State: store.LinkActive}}}); err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), []byte{}, uint32(len(whole)), []byte("0123456789abcdef 3\n"))
	f.Add(uint32(0), []byte{}, uint32(4097), []byte("x 18446744073709551616\n"))
	f.Add(uint32(pageHeader), []byte{0xFF}, uint32(len(whole)), []byte{})
	f.Add(uint32(2*4096+4), []byte{0x7F, 0xFF, 0xFF}, uint32(len(whole)), []byte("a b c"))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, length uint32, high []byte) {
		content := append([]byte(nil), whole[:min(int(length), len(whole))]...)
		if int(at) < len(content) {
			copy(content[at:], patch)
		}
		file := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(HighFile(file), high, 0o600); err != nil {
			t.Fatal(err)
		}
		readHigh(file)
		opened, err := Open(file, Options{ReadOnly: true, NoSync: true})
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, _ = opened.Links(ctx, store.LinkQuery{Pair: pair}) // an answer, or that the file is damaged
		_, _ = opened.Check(ctx)
		if err := opened.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
