package expr

import (
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
)

// Types tells the kind of a source attribute, as far as it is certain. It lets
// [Compile] refuse arguments that can never fit.
type Types func(attribute string) (directory.Kind, bool)

// Reference is one mention of an attribute in an expression.
type Reference struct {
	Name           string // as written between the brackets
	Offset, Length int    // of the brackets and what is between them, in bytes
}

// Env is what an expression is evaluated against.
type Env struct {
	// Attributes are the source user's. An absent attribute is null.
	Attributes directory.Attributes
	// Now is the instant that stands for the present during the evaluation.
	Now time.Time
}

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	root  *node
	refs  []Reference
	reads []read // by the slot of an attribute
}

type read struct {
	name  string
	first bool
}

// Compile parses and checks an expression; types may be nil. The error is an
// [*Error] with the place of the first mistake.
func Compile(text string, types Types) (*Program, error) {
	root, refs, err := parse(text)
	if err != nil {
		return nil, err
	}
	if err := check(root, types); err != nil {
		return nil, err
	}
	p := &Program{root: root, refs: refs, reads: make([]read, len(refs))}
	for i, r := range refs {
		p.reads[i] = read{name: r.Name}
	}
	return p, nil
}

// Renamed returns the same program reading other attributes: resolve gets a name
// as it is written and answers the name to look up, and whether the first value
// of that attribute alone is meant.
func (p *Program) Renamed(resolve func(name string) (lookUp string, first bool)) *Program {
	q := &Program{root: p.root, refs: p.refs, reads: make([]read, len(p.refs))}
	for i, r := range p.refs {
		q.reads[i].name, q.reads[i].first = resolve(r.Name)
	}
	return q
}

// References returns every mention of an attribute, in the order of the text.
func (p *Program) References() []Reference { return slices.Clone(p.refs) }

// Attributes returns the names of the attributes the program looks up, sorted,
// each once.
func (p *Program) Attributes() []string {
	names := make([]string, 0, len(p.reads))
	for _, r := range p.reads {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// String returns the expression in canonical form: one blank after each comma,
// none elsewhere but around "&".
func (p *Program) String() string {
	var b strings.Builder
	p.root.print(&b)
	return b.String()
}

// Evaluate returns the value for one user: text, a list of texts, or null.
// Booleans and numbers come in their text form (True, 42), and empty text, which
// a directory cannot store, is null. The error is an [*EvalError].
func (p *Program) Evaluate(env Env) (directory.Value, error) {
	c := context{attributes: env.Attributes, now: env.Now, reads: p.reads}
	v, err := p.root.eval(&c)
	if err != nil {
		return directory.Value{}, err
	}
	if v.kind == list {
		return directory.ListOf(v.members...), nil
	}
	s, _, _ := v.scalar()
	return directory.TextOf(s), nil
}

// Result is the outcome of an expression as the language itself knows it: other
// than a [directory.Value] it tells empty text from null.
type Result struct {
	// Null says that there is no value.
	Null bool
	// Ignored says that the target attribute is not to be written at all.
	Ignored bool
	// IsList says that Members is the result, else it is Text.
	IsList  bool
	Text    string
	Members []string
}

// Any returns nil, a string or a []string, as JSON output wants it.
func (r Result) Any() any {
	switch {
	case r.Null || r.Ignored:
		return nil
	case r.IsList:
		return r.Members
	}
	return r.Text
}

// Result evaluates like [Program.Evaluate] and keeps empty text and null apart,
// for whoever shows the outcome of an expression to a person.
func (p *Program) Result(env Env) (Result, error) {
	c := context{attributes: env.Attributes, now: env.Now, reads: p.reads}
	v, err := p.root.eval(&c)
	switch {
	case err != nil:
		return Result{}, err
	case v.kind == null:
		return Result{Null: true}, nil
	case v.kind == list:
		return Result{IsList: true, Members: append([]string{}, v.members...)}, nil
	}
	s, _, _ := v.scalar()
	return Result{Text: s}, nil
}
