package bolt_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

func TestSmoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pair := store.Pair{Source: "a", Target: "b"}
	now := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	link := store.Link{Pair: pair, SourceID: "s1", TargetID: "t1", Job: "j", Exported: directory.AttributesOf(map[string]directory.Value{"mail": directory.TextOf("x")}), Addresses: []string{"a@b"}, InScope: true, LeftScopeAt: now}
	job := store.Job{Name: "j", Pair: pair, Stage: &store.Stage{Extra: []string{"1"}, Began: now}}
	page := store.StagePage{Job: "j", Seq: 1, Objects: []directory.Object{{ID: "o"}}}
	err = s.Apply(t.Context(), &store.Batch{Jobs: []store.Job{job}, PutLinks: []store.Link{link}, Stage: []store.StagePage{page},
		Log: []store.Entry{{ID: "abcdef", ActivityDateTime: now}}, Cycles: []store.Cycle{{ID: "c", Job: "j", StartedAt: now, Initial: true}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, err = bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Links(t.Context(), store.LinkQuery{Pair: pair})
	if err != nil || !reflect.DeepEqual(l, []store.Link{link}) {
		t.Errorf("%+v %v", l, err)
	}
	j, err := s.Job(t.Context(), "j")
	if err != nil || !reflect.DeepEqual(j, job) {
		t.Errorf("%+v %v", j, err)
	}
	p, err := s.StagePages(t.Context(), "j", 0, 0)
	if err != nil || !reflect.DeepEqual(p, []store.StagePage{page}) {
		t.Errorf("%+v %v", p, err)
	}
	e, err := s.Log(t.Context(), store.LogQuery{ID: "abcd"})
	if err != nil || len(e) != 1 {
		t.Errorf("%+v %v", e, err)
	}
	c, err := s.Cycles(t.Context(), store.CycleQuery{Job: "j"})
	if err != nil || len(c) != 1 || !c[0].Initial {
		t.Errorf("%+v %v", c, err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
