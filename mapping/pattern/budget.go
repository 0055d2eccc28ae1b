package pattern

import "time"

// evaluationLimit bounds what all matches of one evaluation take together.
const evaluationLimit = time.Second

// Budget bounds the time of several matches together: a hundred patterns that each
// stay just below their limit would hold up a cycle as one without end does. The
// zero Budget has all its time. It is for one evaluation and not safe for
// concurrent use.
type Budget struct{ spent time.Duration }

// Spend carries out one or more matches and counts the time they take. When the
// time is used up they are not begun, and the error is [ErrTimeout].
func (b *Budget) Spend(match func() error) error {
	if b.spent >= evaluationLimit {
		return ErrTimeout
	}
	began := time.Now()
	err := match()
	b.spent += time.Since(began)
	return err
}

// Match is [Pattern.Match] within the budget. Patterns that are judged without
// backtracking cost nothing of it.
func (b *Budget) Match(p *Pattern, s string) (matched bool, err error) {
	if p.isQuick(s) {
		return p.quick(s), nil
	}
	err = b.Spend(func() (err error) {
		matched, err = p.Match(s)
		return err
	})
	return matched, err
}
