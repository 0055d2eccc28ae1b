package expr

import "slices"

// Texts returns the constant texts of the expression, in the order they stand:
// results, keys, separators, patterns and formats alike.
func (p *Program) Texts() []string {
	var texts []string
	p.root.each(func(n *node) {
		if n.op == opConstant && n.constant.kind == text {
			texts = append(texts, n.constant.text)
		}
	})
	return texts
}

// Functions returns the names of the functions that are called, sorted, each once.
func (p *Program) Functions() []string {
	var names []string
	p.root.each(func(n *node) {
		if n.op == opCall {
			names = append(names, n.function.Name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}

// Carried returns, sorted, the attributes whose value or a part of it can be in the
// result, by the names they are looked up by. An attribute that only decides, as in
// a comparison or as the source of a Switch, is not among them.
func (p *Program) Carried() []string {
	var names []string
	p.root.carried(func(n *node) { names = append(names, p.reads[n.slot].name) })
	slices.Sort(names)
	return slices.Compact(names)
}

// each calls f for a node and everything below it, in the order of the text.
func (n *node) each(f func(*node)) {
	f(n)
	for _, arg := range n.args {
		arg.each(f)
	}
}

// carried calls f for the attributes that the value of a node is made of.
func (n *node) carried(f func(*node)) {
	switch {
	case n.op == opAttribute:
		f(n)
	case n.op == opCompare || n.op == opCall && n.function.Result == Condition:
		// True or False tells of an attribute, and has nothing of it.
	default:
		for i, arg := range n.args {
			if n.op != opCall || !n.function.decides(i) {
				arg.carried(f)
			}
		}
	}
}

// decides reports whether argument i of a function only chooses among the others:
// a condition, the source of a Switch, and its keys.
func (f *function) decides(i int) bool {
	return f.parameter(i).Type == Condition || f.Name == "Switch" && (i == 0 || i >= 2 && i%2 == 0)
}
