package mapping

import (
	"slices"
	"time"

	"tenantsync/directory"
)

// Flow says for what the wanted values are computed.
type Flow uint8

// The flows.
const (
	// Create: for a user that is being created in the target.
	Create Flow = iota
	// Update: for a user that exists there.
	Update
)

// Input is what a schema is applied to.
type Input struct {
	// Source are all attributes of the source user; absent counts as null, except
	// for references, about which absent says nothing.
	Source directory.Attributes
	Flow   Flow
	// Current are the last known values of the target user. They matter to flow
	// types that only add.
	Current directory.Attributes
	// Now is the instant that stands for the present.
	Now time.Time
	// Unique holds, by the name of the target, the values that were found to be
	// free for the mappings of [Schema.Uniques]. A target that is not in it gets
	// what the first rule with a value gives.
	Unique map[string]directory.Value
}

// Result is what a schema wants.
type Result struct {
	// Desired are the values the target should have; null means that the target is
	// to be cleared. An attribute that is not mentioned stays as it is.
	Desired directory.Attributes
	// References are the references the target should have, each with the id of a
	// source user, or null when it is to be removed.
	References directory.Attributes
}

// Dropped says why a mapping writes nothing, in words for a person. The empty
// text means that it does write.
type Dropped string

// The reasons for which a mapping writes nothing.
const (
	Written        Dropped = ""
	Ignored        Dropped = "the expression says to leave the target as it is"
	MatchingOnly   Dropped = "only used for matching"
	CreateOnly     Dropped = "applies only when the user is created"
	NoValue        Dropped = "the source has no value"
	NothingToClear Dropped = "the source has no value and there is nothing to clear"
	Unclearable    Dropped = "the source has no value and the target cannot be cleared"
	AddsOnly       Dropped = "the source has no value and the mapping only adds"
	HasValue       Dropped = "the target has a value already"
	NothingToAdd   Dropped = "the target has these values already"
)

// Apply computes what one user of the target should look like. The error is a
// [*Failure] that names the first mapping that has no valid value; the user
// cannot be provisioned then, others can.
func (s *Schema) Apply(in Input) (Result, error) {
	result := Result{Desired: make(directory.Attributes, 0, len(s.targets))}
	for i := range s.rules {
		r := &s.rules[i]
		if !r.written || r.flowType == ObjectAddOnly && in.Flow == Update {
			continue
		}
		v, err := r.wanted(&in)
		if err != nil {
			return Result{}, err
		}
		v, dropped, err := r.settle(v, &in)
		if err != nil {
			return Result{}, err
		}
		if dropped != Written {
			continue
		}
		if r.target.Kind == directory.Ref {
			result.References = append(result.References, directory.Attribute{Name: r.target.Name, Value: v})
		} else {
			result.Desired = append(result.Desired, directory.Attribute{Name: r.target.Name, Value: v})
		}
	}
	return result, nil
}

// wanted returns what the source gives, or the free value that was found.
func (r *rule) wanted(in *Input) (directory.Value, error) {
	if len(in.Unique) > 0 && r.rules() > 0 {
		if v, found := in.Unique[r.target.Name]; found {
			return v, nil
		}
	}
	return r.evaluate(in.Source, in.Now)
}

// settle turns what the source gives into what is to be written: the default
// value, conversion, and the flow type, in this order. It tells why nothing is
// written where that is so.
func (r *rule) settle(v directory.Value, in *Input) (result directory.Value, dropped Dropped, err error) {
	defer r.contain(&err)
	if r.target.Kind == directory.Ref {
		return r.settleReference(v, in)
	}
	if v.IsAbsent() && r.kind == Expression {
		return v, Ignored, nil // not even the default value applies
	}
	if v.IsEmpty() && in.Flow == Create {
		v = r.fallback // the default value never applies to a user that exists
	}
	if v.IsEmpty() {
		v, dropped = r.settleNull(in)
		return v, dropped, nil
	}
	converted, err := convert(v, &r.target)
	if err != nil {
		return v, Written, r.misfit(v, err)
	}
	if err := r.admits(converted); err != nil {
		return v, Written, r.misfit(converted, err)
	}
	if in.Flow == Create {
		return converted, Written, nil
	}
	converted, dropped = r.add(converted, in.Current.Get(r.target.Name))
	return converted, dropped, nil
}

func (r *rule) settleNull(in *Input) (directory.Value, Dropped) {
	switch {
	case in.Flow == Create && r.flowNull:
		return directory.Value{}, NothingToClear
	case !r.flowNull:
		if r.target.Fixed {
			return directory.Value{}, Unclearable
		}
		return directory.Value{}, NoValue
	case r.flowType != Always:
		return directory.Value{}, AddsOnly
	case r.target.Kind == directory.List:
		return directory.ListOf(), Written // Graph clears collections with [], not with null
	}
	return directory.NullValue(), Written
}

// add applies the flow types that keep what the target has.
func (r *rule) add(v, current directory.Value) (directory.Value, Dropped) {
	if current.IsEmpty() {
		return v, Written
	}
	switch r.flowType {
	case AttributeAddOnly:
		return directory.Value{}, HasValue
	case ValueAddOnly, MultiValueAddOnly:
		if r.target.Kind != directory.List {
			return directory.Value{}, HasValue
		}
		all := slices.Clone(current.List())
		for _, member := range v.List() {
			if !slices.Contains(all, member) {
				all = append(all, member)
			}
		}
		if len(all) == len(current.List()) || r.target.MaxMembers > 0 && len(all) > r.target.MaxMembers {
			return directory.Value{}, NothingToAdd
		}
		return directory.ListOf(all...), Written
	}
	return v, Written
}

// settleReference differs from other attributes in that absent says nothing: a
// record without the reference is no reason to remove it.
func (r *rule) settleReference(v directory.Value, in *Input) (directory.Value, Dropped, error) {
	switch {
	case v.IsAbsent():
		return v, NoValue, nil
	case v.IsEmpty() && !r.flowNull:
		return v, NoValue, nil
	case v.IsEmpty() && in.Flow == Create:
		return v, NothingToClear, nil
	case v.IsEmpty() && r.flowType != Always:
		return v, AddsOnly, nil
	case v.IsEmpty():
		return directory.NullValue(), Written, nil
	case r.flowType != Always && in.Flow == Update && !in.Current.Get(r.target.Name).IsEmpty():
		return v, HasValue, nil
	}
	return directory.RefOf(v.Text()), Written, nil
}
