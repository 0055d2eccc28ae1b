package mapping

import "slices"

// Ingredients are what a mapping makes its value of.
type Ingredients struct {
	// Mapping is the index of the mapping in the list that was compiled.
	Mapping int
	// Target is the Graph name of the attribute that is written or matched.
	Target string
	// Reads are the source attributes by their Graph names, sorted, and Carried those
	// of them whose value, or a part of it, can be in the result.
	Reads, Carried []string
	// Functions are the names of the functions that are called, sorted.
	Functions []string
	// Texts are the constant texts: the constant, the default value, and those of the
	// expression.
	Texts []string
}

// Ingredients returns what the values of all mappings in effect are made of, by the
// names of their targets.
func (s *Schema) Ingredients() []Ingredients {
	var list []Ingredients
	for i := range s.rules {
		if r := &s.rules[i]; r.written || r.priority > 0 {
			list = append(list, r.ingredients())
		}
	}
	return list
}

func (r *rule) ingredients() Ingredients {
	in := Ingredients{Mapping: r.index, Target: r.target.Name, Reads: r.reads()}
	in.Carried = in.Reads
	switch r.kind {
	case Constant:
		in.Texts = append(in.Texts, r.constant.String())
	case Expression:
		in.Carried, in.Functions, in.Texts = r.program.Carried(), r.program.Functions(), r.program.Texts()
	}
	if !r.fallback.IsEmpty() {
		in.Texts = append(in.Texts, r.fallback.String())
	}
	in.Texts = slices.DeleteFunc(in.Texts, func(s string) bool { return s == "" })
	return in
}
