package control_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/control"
	"tenantsync/store"
)

func TestBackupArrivesWholeOrNotAtAll(t *testing.T) {
	for name, address := range addresses(t) {
		t.Run(name, func(t *testing.T) {
			f := &fake{backup: bytes.Repeat([]byte("state "), 1<<16)}
			client, _, _ := serve(t, f, address)
			var got bytes.Buffer
			facts, err := client.BackUp(t.Context(), &got)
			if err != nil || !bytes.Equal(got.Bytes(), f.backup) {
				t.Fatalf("got %d bytes, %v; want %d", got.Len(), err, len(f.backup))
			}
			want := &store.Facts{Links: 3, Backup: &store.Mark{TakenAt: began}}
			if diff := cmp.Diff(want, facts); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}

			f.cut = errors.New("the disk is gone")
			if _, err := client.BackUp(t.Context(), &got); !errors.Is(err, control.ErrUnreachable) || !strings.Contains(err.Error(), "did not arrive whole") {
				t.Errorf("a copy that breaks off: got %v, want that it did not arrive whole", err)
			}
			f.err = store.ErrFormat
			got.Reset()
			if _, err := client.BackUp(t.Context(), &got); !errors.Is(err, store.ErrFormat) || got.Len() > 0 {
				t.Errorf("a damaged state: got %v and %d bytes, want ErrFormat and none", err, got.Len())
			}
		})
	}
}

func TestCheckStateReachesTheService(t *testing.T) {
	f := &fake{}
	client, _, _ := serve(t, f, socket(t))
	facts, err := client.CheckState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&store.Facts{Path: "p", Links: 3, Jobs: []store.JobFacts{{Name: "j", EndedAt: began}}}, facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	f.err = store.ErrFormat
	if _, err := client.CheckState(t.Context()); !errors.Is(err, store.ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}
