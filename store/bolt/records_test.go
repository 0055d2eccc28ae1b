package bolt_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
	"tenantsync/store/bolt"
)

// everyRecord has a record of each kind.
func everyRecord() store.Batch {
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	return store.Batch{
		Jobs: []store.Job{{Name: "j", Pair: pair, Held: []uint64{1}, Assigned: []store.Member{{Job: "j", ID: "u"}},
			Roles: []store.AssignedRole{{Principal: "u", Role: "r"}}, Stage: &store.Stage{CycleID: "c", Extra: []string{"u"}}}},
		PutMembers:  []store.Member{{Job: "j", Group: "g", ID: "u"}},
		PutLinks:    []store.Link{{Pair: pair, SourceID: "u", TargetID: "t", Job: "j"}},
		PutEscrows:  []store.Escrow{{Job: "j", SourceID: "u", First: at}},
		PutIntents:  []store.Intent{{Job: "j", SourceID: "u", Address: "u@contoso.example", Began: at}},
		PutHolds:    []store.Hold{{Job: "j", SourceID: "u", Since: at}},
		PutVerdicts: []store.Verdict{{Job: "j", SourceID: "u", Hash: 7}},
		Cycles:      []store.Cycle{{ID: "c", Job: "j", StartedAt: at}},
		Log:         []store.Entry{{ID: "e", JobID: "j", ActivityDateTime: at}},
		Stage:       []store.StagePage{{Job: "j", Seq: 1}},
	}
}

// A record that is not what was written is an error of the query that reads it,
// and of the verification: nobody acts on half a hold or intent, and no backup of
// it passes for a good one.
func TestADamagedRecordOfAnyKindIsFound(t *testing.T) {
	queries := map[string]func(s *bolt.Store) error{
		"jobs":    func(s *bolt.Store) error { _, err := s.Job(t.Context(), "j"); return err },
		"members": func(s *bolt.Store) error { _, err := s.Members(t.Context(), store.MemberQuery{Job: "j"}); return err },
		"links":   func(s *bolt.Store) error { _, err := s.Links(t.Context(), store.LinkQuery{Pair: pair}); return err },
		"escrows": func(s *bolt.Store) error { _, err := s.Waiting(t.Context(), "j"); return err },
		"intents": func(s *bolt.Store) error { _, err := s.Waiting(t.Context(), "j"); return err },
		"holds":   func(s *bolt.Store) error { _, err := s.Waiting(t.Context(), "j"); return err },
		"verdicts": func(s *bolt.Store) error {
			_, err := s.Verdicts(t.Context(), store.VerdictQuery{Job: "j"})
			return err
		},
		"cycles": func(s *bolt.Store) error { _, err := s.Cycles(t.Context(), store.CycleQuery{Job: "j"}); return err },
		"log":    func(s *bolt.Store) error { _, err := s.Log(t.Context(), store.LogQuery{}); return err },
	}
	for in, query := range queries {
		records := 0
		for n := 0; n == 0 || n < records; n++ {
			path := filepath.Join(t.TempDir(), "state.db")
			s := open(t, path, quick)
			apply(t, s, everyRecord())
			if err := errors.Join(query(s), s.Verify(t.Context())); err != nil {
				t.Fatalf("%s: %v", in, err)
			}
			closeStore(t, s)
			var key []byte
			raw(t, path, func(tx *bbolt.Tx) error {
				b, i := tx.Bucket([]byte(in)), 0
				c := b.Cursor()
				for k, _ := c.First(); k != nil; k, _ = c.Next() {
					if i == n {
						key = bytes.Clone(k)
					}
					i++
				}
				records = i
				return b.Put(key, []byte{0xff, 0xff})
			})
			s = open(t, path, quick)
			if err := query(s); !errors.Is(err, store.ErrFormat) {
				t.Errorf("%s: record %x: query: got error %v, want ErrFormat", in, key, err)
			}
			if err := s.Verify(t.Context()); !errors.Is(err, store.ErrFormat) {
				t.Errorf("%s: record %x: verification: got error %v, want ErrFormat", in, key, err)
			}
		}
		if records == 0 {
			t.Errorf("%s: no record", in)
		}
	}
}

// A key that no id made is damage, too.
func TestADamagedKeyIsFound(t *testing.T) {
	for _, in := range []string{"members", "links", "escrows", "intents", "holds", "verdicts"} {
		path := filepath.Join(t.TempDir(), "state.db")
		s := open(t, path, quick)
		apply(t, s, everyRecord())
		closeStore(t, s)
		raw(t, path, func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(in))
			k, v := b.Cursor().First()
			return b.Put(append(bytes.Clone(k[:4]), 0xff), bytes.Clone(v))
		})
		if err := open(t, path, quick).Verify(t.Context()); !errors.Is(err, store.ErrFormat) {
			t.Errorf("%s: got error %v, want ErrFormat", in, err)
		}
	}
}
