package bolt

import (
	"errors"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// Whatever stands in a bucket, every query answers or says that the file is
// damaged.
func FuzzRecords(f *testing.F) {
	s, err := Scratch(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	pair := store.Pair{Source: "11111111-1111-4111-8111-111111111111", Target: "22222222-2222-4222-8222-222222222222"}
	at := time.UnixMicro(1_000_000)
	err = s.Apply(f.Context(), &store.Batch{
		Jobs: []store.Job{{Name: "job", Pair: pair, Assigned: []store.Member{{Job: "job", ID: someGUID}},
			Roles: []store.AssignedRole{{Principal: someGUID, Role: "r"}}, Stage: &store.Stage{CycleID: "c", Extra: []string{someGUID}}}},
		Stage:       []store.StagePage{{Job: "job", Seq: 1}},
		PutMembers:  []store.Member{{Job: "job", Group: someGUID, ID: "m"}},
		PutLinks:    []store.Link{{Pair: pair, SourceID: someGUID, TargetID: "t", Job: "job", Addresses: []string{"a@b"}, State: store.LinkDeleted, DeletedAt: at}},
		PutEscrows:  []store.Escrow{{Job: "job", SourceID: someGUID, Attempts: 1, First: at, Next: at}},
		PutIntents:  []store.Intent{{Job: "job", SourceID: someGUID, Address: "a@b", Began: at}},
		PutHolds:    []store.Hold{{Job: "job", SourceID: someGUID, Since: at}},
		PutVerdicts: []store.Verdict{{Job: "job", SourceID: someGUID, Hash: 7}},
		Cycles:      []store.Cycle{{ID: "c", Job: "job", StartedAt: at, EndedAt: at}},
		Log:         []store.Entry{{ID: "e", ChangeID: "x", JobID: "job", CycleID: "c", ActivityDateTime: at}},
	})
	if err != nil {
		f.Fatal(err)
	}
	// Every record that is there is where a mutation can begin.
	err = s.db.View(func(tx *bbolt.Tx) error {
		for in := range bucketNames {
			if err := tx.Bucket(bucketNames[in]).ForEach(func(k, v []byte) error {
				if v != nil {
					f.Add(byte(in), k, v)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in byte, key, value []byte) {
		if len(key) == 0 || len(key) > bbolt.MaxKeySize {
			return
		}
		tx, err := s.db.Begin(true)
		if err != nil {
			t.Fatal(err)
		}
		bucket := tx.Bucket(bucketNames[int(in)%len(bucketNames)])
		old := bucket.Get(key)
		was := append([]byte(nil), old...)
		if err := bucket.Put(key, value); err != nil {
			_ = tx.Rollback() // a bucket stands there
			return
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		s.names.Store(nil)
		ctx := t.Context()
		for what, read := range map[string]func() error{
			"job":   func() error { _, err := s.Job(ctx, "job"); return err },
			"links": func() error { _, err := s.Links(ctx, store.LinkQuery{Pair: pair}); return err },
			"link": func() error {
				_, err := s.Links(ctx, store.LinkQuery{Pair: pair, SourceIDs: []string{someGUID}})
				return err
			},
			"targets": func() error {
				_, err := s.Links(ctx, store.LinkQuery{Pair: pair, TargetIDs: []string{"t"}})
				return err
			},
			"address": func() error {
				_, err := s.Links(ctx, store.LinkQuery{Pair: pair, Addresses: []string{"a@b"}})
				return err
			},
			"members":  func() error { _, err := s.Members(ctx, store.MemberQuery{Job: "job"}); return err },
			"stage":    func() error { _, err := s.StagePages(ctx, "job", 0, 0); return err },
			"waiting":  func() error { _, err := s.Waiting(ctx, "job"); return err },
			"verdicts": func() error { _, err := s.Verdicts(ctx, store.VerdictQuery{Job: "job"}); return err },
			"cycles":   func() error { _, err := s.Cycles(ctx, store.CycleQuery{Job: "job"}); return err },
			"log":      func() error { _, err := s.Log(ctx, store.LogQuery{}); return err },
			"entry":    func() error { _, err := s.Log(ctx, store.LogQuery{ID: "e"}); return err },
			"follow":   func() error { _, err := s.Log(ctx, store.LogQuery{Follow: true}); return err },
			"verify":   func() error { return s.Verify(ctx) },
		} {
			err := read()
			if err != nil && !errors.Is(err, store.ErrFormat) && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrAmbiguousID) {
				t.Errorf("%s: got %v, want an answer or ErrFormat", what, err)
			}
		}
		err = s.db.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketNames[int(in)%len(bucketNames)])
			if old == nil {
				return b.Delete(key)
			}
			return b.Put(key, was)
		})
		if err != nil {
			t.Fatal(err)
		}
		s.names.Store(nil)
	})
}
