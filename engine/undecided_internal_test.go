package engine

import (
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
	"tenantsync/store"
)

// Users whom the filters cannot judge keep their place in the count of those in
// scope: an initial cycle over many of them is no emptied scope, and the count is
// right again when they can be judged.
func TestUndecidedUsersKeepTheirPlaceInTheCount(t *testing.T) {
	linked := func(inScope bool, job string) *store.Link {
		return &store.Link{SourceID: "a", TargetID: "b", Job: job, InScope: inScope}
	}
	waiting := store.Waiting{Escrows: []store.Escrow{{SourceID: "a", InScope: true}}}
	for _, tt := range []struct {
		name    string
		initial bool
		link    *store.Link
		waiting store.Waiting
		more    int  // added to the count
		escrow  bool // whether the escrow counts as in scope
	}{
		{"linked and in scope, initial", true, linked(true, "j"), store.Waiting{}, 1, false},
		{"linked and in scope, incremental", false, linked(true, "j"), store.Waiting{}, 0, false},
		{"linked and out of scope, initial", true, linked(false, "j"), store.Waiting{}, 0, false},
		{"linked by another job, initial", true, linked(true, "k"), store.Waiting{}, 0, false},
		{"new, initial", true, nil, store.Waiting{}, 0, false},
		{"new, incremental", false, nil, store.Waiting{}, 0, false},
		{"waiting in scope, initial", true, nil, waiting, 1, true},
		{"waiting in scope, incremental", false, nil, waiting, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &cycle{job: &Job{Name: "j"}, initial: tt.initial, waiting: tt.waiting, inScope: 7}
			b := &store.Batch{}
			c.undecided(&judged{o: directory.Object{ID: "a"}, link: tt.link, v: verdict{err: pattern.ErrTimeout, reason: "too long"}}, b)
			if got := c.inScope - 7; got != tt.more {
				t.Errorf("in scope: %d more, want %d", got, tt.more)
			}
			if len(b.PutEscrows) != 1 || b.PutEscrows[0].InScope != tt.escrow {
				t.Errorf("escrows: got %+v, want one with InScope %v", b.PutEscrows, tt.escrow)
			}
		})
	}
}
