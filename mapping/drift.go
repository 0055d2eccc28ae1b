package mapping

import (
	"fmt"
	"slices"

	"tenantsync/directory"
	"tenantsync/mapping/suggest"
)

// Drift says what becomes of a value that somebody else changed in the target
// after it was written.
type Drift uint8

// The answers to drift.
const (
	// Overwrite: the mapping's value is written again.
	Overwrite Drift = iota
	// Keep: the target's value stays until the mapping gives another one.
	Keep
	// Warn: as Keep, and every comparison warns of it.
	Warn
)

var drifts = [...]string{"overwrite", "keep", "warn"}

// String returns the word for it.
func (d Drift) String() string {
	if int(d) < len(drifts) {
		return drifts[d]
	}
	return fmt.Sprintf("drift(%d)", uint8(d))
}

// Drifts returns the words for all answers to drift.
func Drifts() []string { return slices.Clone(drifts[:]) }

// ParseDrift returns what a word stands for; "" is Overwrite. The error is an
// [*UnknownWord].
func ParseDrift(word string) (Drift, error) {
	if word == "" {
		return Overwrite, nil
	}
	if i := slices.Index(drifts[:], word); i >= 0 {
		return Drift(i), nil
	}
	return Overwrite, &UnknownWord{What: "drift", Word: word, Known: Drifts(), Nearest: suggest.Nearest(word, slices.Values(drifts[:]))}
}

// drift refuses to keep what the mapping does not write again anyway, or what
// something else decides.
func (c *compiler) drift(r *rule, m Mapping) {
	r.drift = m.Drift
	switch {
	case int(m.Drift) >= len(drifts):
		c.fail("drift", "drift %d unknown", m.Drift)
	case m.Drift == Overwrite:
	case m.FlowType != Always:
		c.fail("drift", "drift %s has no meaning with flowType %s, which already leaves what the target has: remove one of the two", m.Drift, m.FlowType)
	case r.target.Kind == directory.Ref:
		c.fail("drift", "drift %s is for values, and %s is a reference", m.Drift, r.target.Name)
	case r.target.Name == "accountEnabled":
		c.fail("drift", "drift %s is not for accountEnabled: targetBlock says what becomes of a block set by hand", m.Drift)
	}
}

// Drift returns what becomes of a value of a target attribute, by its Graph name,
// that somebody else changed.
func (s *Schema) Drift(target string) Drift { return s.drifts[target] }

// Same reports whether two values of a target attribute mean the same to the
// directory, as [Schema.Changes] has it; null and absent do.
func (s *Schema) Same(target string, a, b directory.Value) bool {
	return a.IsEmpty() && b.IsEmpty() || a.Equal(b) || same(target, s.dates[target], a, b)
}
