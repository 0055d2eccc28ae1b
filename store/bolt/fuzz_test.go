package bolt

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/directory"
	"tenantsync/store"
)

const someGUID = "0f5c1a52-8a3e-4b7d-9c60-1d2e3f405162"

// Bytes of a file are decoded or refused, never trusted.
func FuzzDecodeLink(f *testing.F) {
	n := &names{jobs: map[code]string{1: "job"}}
	l := store.Link{TargetID: someGUID, Addresses: []string{"a@b"}, Refused: []string{"mail"}, InScope: true, SourceDisabled: true,
		ManagerSource: "m", DeletedAt: time.UnixMicro(1), State: store.LinkDeleted,
		Exported: directory.AttributesOf(map[string]directory.Value{"city": directory.TextOf("Bern")})}
	f.Add(appendLink(nil, &l, 1))
	f.Add(appendLink(nil, &store.Link{}, 0))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var l, again store.Link
		if decodeLink(b, &l, n) != nil {
			return
		}
		_ = l.State.String()
		owner := code(0)
		if l.Job != "" {
			owner = 1
		}
		record := appendLink(nil, &l, owner)
		if err := decodeLink(record, &again, n); err != nil {
			t.Fatalf("decode what was encoded: %v", err)
		}
		if !bytes.Equal(appendLink(nil, &again, owner), record) {
			t.Fatalf("second round: got %+v, want %+v", again, l)
		}
	})
}

func FuzzKeys(f *testing.F) {
	for _, id := range []string{"", someGUID, strings.ToUpper(someGUID), "user", "\x00", strings.Repeat("x", 300)} {
		f.Add(appendInnerID(nil, id))
		f.Add(appendID(nil, id))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, ok := idOf(b); ok {
			if again, ok := idOf(appendID(nil, id)); !ok || again != id {
				t.Errorf("id %q came back as %q, %t", id, again, ok)
			}
		}
		if id, size, ok := innerIDOf(b); ok {
			key := appendInnerID(nil, id)
			again, n, ok := innerIDOf(append(slices.Clone(key), b[size:]...))
			if !ok || again != id || n != len(key) {
				t.Errorf("inner id %q came back as %q of %d bytes, %t", id, again, n, ok)
			}
		}
		if after := next(b); after != nil && (bytes.Compare(after, b) <= 0 || bytes.HasPrefix(after, b)) {
			t.Errorf("next of %x: got %x, which is not after all that begin so", b, after)
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	old := strings.Repeat("long enough to be deflated ", 20)
	for _, e := range []store.Entry{{}, {ID: "a", ChangeID: "b", ActivityDateTime: time.UnixMicro(5), Steps: []store.Step{{Name: "s"}},
		Modified:   []store.Property{{DisplayName: "city", OldValue: &old}},
		StatusInfo: store.StatusInfo{Status: "failure", Error: &store.ErrorInfo{Code: "c"}}}} {
		record, err := appendEntry(nil, e, new(packer))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(record)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h entryHead
		rest, ok := readHead(b, &h)
		if !ok {
			return
		}
		e, err := decodeEntry(1, &h, rest, new(unpacker))
		if err != nil {
			return
		}
		if _, err := appendEntry(nil, e, new(packer)); err != nil && e.ActivityDateTime.Year() < 10000 {
			t.Errorf("encode what was decoded: %v", err)
		}
	})
}

func FuzzDecodeStagePage(f *testing.F) {
	f.Add(appendStagePage(nil, &store.StagePage{Objects: []directory.Object{{ID: "a"}, {ID: someGUID}}}))
	f.Add([]byte{0xFF, 0xFF, 0x03})
	f.Fuzz(func(t *testing.T, b []byte) {
		objects, err := decodeStagePage(b)
		if err == nil && len(objects) > len(b) {
			t.Errorf("%d objects from %d bytes", len(objects), len(b))
		}
	})
}

func FuzzReadAssigned(f *testing.F) {
	f.Add(appendAssigned(nil, "job", []store.Member{{Job: "job", ID: someGUID}, {Job: "other", Group: "g", ID: "m", IsGroup: true}}))
	f.Add([]byte{0xFF, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{b: b}
		members := readAssigned(&r, "job")
		if r.bad {
			return
		}
		again := reader{b: appendAssigned(nil, "job", members)}
		if got := readAssigned(&again, "job"); again.bad || !slices.Equal(got, members) {
			t.Errorf("second round: got %+v, want %+v", got, members)
		}
	})
}

func TestADamagedRecordDoesNotUnpackWithoutEnd(t *testing.T) {
	b, err := new(packer).appendPacked(nil, make([]byte, inflateLimit+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := new(unpacker).unpack(b); !errors.Is(err, store.ErrFormat) {
		t.Errorf("%d bytes that unpack to more than the limit: got error %v, want ErrFormat", len(b), err)
	}
	b, err = new(packer).appendPacked(nil, make([]byte, inflateLimit))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := new(unpacker).unpack(b); err != nil || len(text) != inflateLimit {
		t.Errorf("as much as the limit: got %d bytes, error %v", len(text), err)
	}
}

// The order of keys is the order that walks rely on.
func TestKeysAreInOrder(t *testing.T) {
	times := []time.Time{{}, time.Unix(-1, 0), time.Unix(0, 0), time.UnixMicro(1), time.Now(), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := 1; i < len(times); i++ {
		if a, b := appendTime(nil, times[i-1]), appendTime(nil, times[i]); bytes.Compare(a, b) >= 0 {
			t.Errorf("%v has key %x, %v has key %x; want the first before", times[i-1], a, times[i], b)
		}
	}
	if got := next([]byte{1, 0xFF, 0xFF}); !bytes.Equal(got, []byte{2}) {
		t.Errorf("next: got %x, want 02", got)
	}
	if got := next([]byte{0xFF}); got != nil {
		t.Errorf("next of the last prefix: got %x, want none", got)
	}
}

// Two addresses with one hash must not find each other's links; the look-up
// compares, whatever the index says.
func TestTheAddressIndexIsOnlyAHint(t *testing.T) {
	s, err := Scratch(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	pair := store.Pair{Source: "a", Target: "b"}
	one := store.Link{Pair: pair, SourceID: "s", Addresses: []string{"one@contoso.example"}}
	if err := s.Apply(t.Context(), &store.Batch{PutLinks: []store.Link{one}}); err != nil {
		t.Fatal(err)
	}
	// What a collision would leave: the hash of another address leads to the link.
	err = s.db.Update(func(tx *bbolt.Tx) error {
		key := appendID(appendAddress(appendCode(nil, 1), "two@contoso.example"), "s")
		return tx.Bucket(bucketNames[inLinkAddresses]).Put(key, present)
	})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int{"one@contoso.example": 1, "two@contoso.example": 0} {
		found, err := s.Links(t.Context(), store.LinkQuery{Pair: pair, Addresses: []string{address}})
		if err != nil || len(found) != want {
			t.Errorf("%s: got %d links, error %v; want %d", address, len(found), err, want)
		}
	}
}
