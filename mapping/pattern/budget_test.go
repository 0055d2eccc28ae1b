package pattern_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/mapping/pattern"
)

func TestBudgetBoundsSeveralMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b pattern.Budget
		cause := errors.New("no match")
		match := func() error {
			time.Sleep(400 * time.Millisecond)
			return cause
		}
		for i := range 3 {
			if err := b.Spend(match); err != cause {
				t.Errorf("match %d: error %v, want its own, %v", i+1, err, cause)
			}
		}
		began := time.Now()
		if err := b.Spend(match); !errors.Is(err, pattern.ErrTimeout) {
			t.Errorf("after 1.2 s: error %v, want %v", err, pattern.ErrTimeout)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the match was begun and took %v, want that it is not", took)
		}
	})
}
