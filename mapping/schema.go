package mapping

import (
	"cmp"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

// Schema is a compiled list of mappings. It is immutable and safe for concurrent
// use. The zero value maps nothing.
type Schema struct {
	rules    []rule  // by the name of the target, as results are sorted
	matching []*rule // by priority

	sources, targets, referenceNames []string
	hidden                           map[string]string // by the name of the target
	hiddenSources                    map[string]string // likewise, by the name of the source attribute
	dates                            map[string]bool   // targets that hold a date
	drifts                           map[string]Drift  // targets whose drift is not overwritten; nil for none
}

func newSchema(rules []rule) *Schema {
	s := &Schema{rules: rules, hidden: map[string]string{}, hiddenSources: map[string]string{}, dates: map[string]bool{}}
	slices.SortStableFunc(s.rules, func(a, b rule) int { return cmp.Compare(a.target.Name, b.target.Name) })
	for i := range s.rules {
		r := &s.rules[i]
		reads := r.reads()
		if r.written || r.priority > 0 {
			s.sources = append(s.sources, reads...)
		}
		if text := r.hidden(); text != "" {
			hide(s.hidden, r.target.Name, text)
			for _, name := range reads {
				hide(s.hiddenSources, name, text)
			}
		}
		if r.priority > 0 {
			s.matching = append(s.matching, r)
		}
		switch {
		case !r.written:
		case r.target.Kind == directory.Ref:
			s.referenceNames = append(s.referenceNames, r.target.Name)
		default:
			s.targets = append(s.targets, r.target.Name)
			s.dates[r.target.Name] = r.target.Date
			if r.drift != Overwrite {
				if s.drifts == nil {
					s.drifts = map[string]Drift{}
				}
				s.drifts[r.target.Name] = r.drift
			}
		}
	}
	slices.Sort(s.sources)
	s.sources = slices.Compact(s.sources)
	slices.SortStableFunc(s.matching, func(a, b *rule) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.index, b.index))
	})
	return s
}

// hide notes what stands for an attribute; sensitive outweighs redacted.
func hide(hidden map[string]string, name, text string) {
	if hidden[name] != SensitiveText {
		hidden[name] = text
	}
}

// reads returns the source attributes of a mapping.
func (r *rule) reads() []string {
	switch r.kind {
	case Direct:
		return []string{r.source.Name}
	case Expression:
		return r.program.Attributes()
	}
	return nil
}

// SourceAttributes returns, sorted, the Graph names of the attributes to read at
// the source. References are among them.
func (s *Schema) SourceAttributes() []string { return slices.Clone(s.sources) }

// Readers returns, in ascending order, the indexes of the mappings that are in
// effect and read a source attribute, by its Graph name.
func (s *Schema) Readers(name string) []int {
	var list []int
	for i := range s.rules {
		if r := &s.rules[i]; (r.written || r.priority > 0) && slices.Contains(r.reads(), name) {
			list = append(list, r.index)
		}
	}
	slices.Sort(list)
	return list
}

// TargetAttributes returns, sorted, the Graph names of the attributes that are
// written at the target, references apart.
func (s *Schema) TargetAttributes() []string { return slices.Clone(s.targets) }

// Adding returns, sorted, the Graph names of the target attributes whose mappings
// only add to what the target has, references apart: what is written depends on
// the present value, so whoever writes them must know it.
func (s *Schema) Adding() []string {
	var list []string
	for i := range s.rules {
		if r := &s.rules[i]; r.adds() {
			list = append(list, r.target.Name)
		}
	}
	return list
}

// adds reports whether what the mapping writes depends on what the target has.
func (r *rule) adds() bool {
	return r.written && r.target.Kind != directory.Ref && r.flowType != Always && r.flowType != ObjectAddOnly
}

// References returns, sorted, the names of the references that are written.
func (s *Schema) References() []string { return slices.Clone(s.referenceNames) }

// ClearsReference reports whether a reference that the source does not have, or
// that leads to nobody in the target, is removed there.
func (s *Schema) ClearsReference(name string) bool {
	return slices.ContainsFunc(s.rules, func(r rule) bool {
		return r.written && r.target.Name == name && r.flowNull && r.flowType == Always
	})
}

// Sensitive reports whether a target attribute has a mapping marked as sensitive:
// its values appear in no output.
func (s *Schema) Sensitive(target string) bool { return s.hidden[target] == SensitiveText }

// Hidden returns what stands for the values of a target attribute in every
// output: "(sensitive)" when a mapping of it is marked sensitive, "[Redact]" when
// only an expression says so, "" when the values may be shown.
func (s *Schema) Hidden(target string) string { return s.hidden[target] }

// SensitiveSource reports whether a source attribute feeds a mapping marked as
// sensitive: whoever shows what was read hides its value too.
func (s *Schema) SensitiveSource(name string) bool { return s.hiddenSources[name] == SensitiveText }

// HiddenSource is [Schema.Hidden] for a source attribute: whoever shows what was
// read shows this in its place, if it is not "".
func (s *Schema) HiddenSource(name string) string { return s.hiddenSources[name] }

// AddsReference reports whether a reference is written only where the target has
// none.
func (s *Schema) AddsReference(name string) bool {
	return slices.ContainsFunc(s.rules, func(r rule) bool {
		return r.written && r.target.Name == name && r.flowType != Always && r.flowType != ObjectAddOnly
	})
}

// MatchRule is a matching attribute.
type MatchRule struct {
	// Target is the attribute of target users that is looked at.
	Target string
	// Priority orders the rules: the lowest is tried first.
	Priority int
}

// Matching returns the matching attributes in the order they are tried, each
// target and priority once; none when the mappings name none.
func (s *Schema) Matching() []MatchRule {
	list := make([]MatchRule, 0, len(s.matching))
	for _, r := range s.matching {
		list = append(list, MatchRule{Target: r.target.Name, Priority: r.priority})
	}
	return slices.Compact(list)
}

// MatchValue is a value to look for among the users of the target.
type MatchValue struct {
	Target, Value string
	Priority      int
}

// MatchValues returns the values by which a source user is looked for, in the
// order they are tried. An attribute without a value gives none. The error is a
// [*Failure].
func (s *Schema) MatchValues(source directory.Attributes, now time.Time) ([]MatchValue, error) {
	var list []MatchValue
	for _, r := range s.matching {
		v, err := r.evaluate(source, now)
		if err != nil {
			return nil, err
		}
		add := func(value string) {
			m := MatchValue{Target: r.target.Name, Value: value, Priority: r.priority}
			if value != "" && !slices.Contains(list, m) {
				list = append(list, m)
			}
		}
		if v.Kind() == directory.List {
			for _, member := range v.List() {
				add(member)
			}
		} else {
			add(v.String())
		}
	}
	return list, nil
}

// evaluate returns what the source gives, before any conversion.
func (r *rule) evaluate(source directory.Attributes, now time.Time) (result directory.Value, err error) {
	defer r.contain(&err)
	switch r.kind {
	case Direct:
		v := source.Get(r.source.Name)
		if r.source.First {
			if members := v.List(); len(members) > 0 {
				return directory.TextOf(members[0]), nil
			}
		}
		return v, nil
	case Constant:
		return r.constant, nil
	}
	v, err := r.program.Evaluate(expr.Env{Attributes: source, Now: now})
	if err != nil {
		return directory.Value{}, r.failure(err)
	}
	return v, nil
}
