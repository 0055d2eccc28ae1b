package expr

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
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
	// Random is where Guid and RandomString take their randomness from; nil is
	// crypto/rand.
	Random io.Reader
	// Taken reports whether the target has a value already, for SelectUniqueValue;
	// nil means that it has none. It is called by the goroutine that evaluates.
	Taken func(value string) bool
}

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program struct {
	root  *node
	refs  []Reference
	reads []read // by the slot of an attribute

	random, redacted bool
	// contexts keeps one evaluation from allocating what the next one can use again.
	contexts sync.Pool
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
	p.random = root.calls(func(f *function) bool { return f.random })
	p.redacted = root.calls(func(f *function) bool { return f.redacts })
	return p, nil
}

// calls reports whether any function that is called satisfies is.
func (n *node) calls(is func(*function) bool) bool {
	return n.op == opCall && is(n.function) || slices.ContainsFunc(n.args, func(arg *node) bool { return arg.calls(is) })
}

// Renamed returns the same program reading other attributes: resolve gets a name
// as it is written and answers the name to look up, and whether the first value
// of that attribute alone is meant.
func (p *Program) Renamed(resolve func(name string) (lookUp string, first bool)) *Program {
	q := &Program{root: p.root, refs: p.refs, reads: make([]read, len(p.refs)), random: p.random, redacted: p.redacted}
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
	p.root.print(&b, nil)
	return b.String()
}

// Canonical returns the expression in canonical form with the names that attributes
// are looked up by (see [Program.Renamed]): what two spellings of one expression
// have in common.
func (p *Program) Canonical() string {
	var b strings.Builder
	p.root.print(&b, p.reads)
	return b.String()
}

// Random reports whether the expression gives another value each time it is
// evaluated, because it calls Guid or RandomString.
func (p *Program) Random() bool { return p.random }

// Redacted reports whether the expression calls Redact, so that its value is not
// to be shown.
func (p *Program) Redacted() bool { return p.redacted }

// Rules returns the number of rules when the expression is a SelectUniqueValue,
// else 0.
func (p *Program) Rules() int {
	if p.root.op != opCall || !p.root.function.outermost {
		return 0
	}
	return len(p.root.args)
}

// Rule returns the value that one rule of a SelectUniqueValue offers, "" when it
// offers none. No other rule is evaluated, and nothing is asked about the target.
// The first rule has the index 0. The error is an [*EvalError].
func (p *Program) Rule(i int, env Env) (string, error) {
	if i < 0 || i >= p.Rules() {
		return "", nil
	}
	c := context{env: env, program: p}
	candidate, _, err := call{p.root, &c}.text(i)
	return candidate, p.redact(err)
}

// RedactedText stands in every output for a value that the function Redact keeps
// out of it.
const RedactedText = "[Redact]"

// redact takes the value out of the error of an expression that calls Redact.
func (p *Program) redact(err error) error {
	var e *EvalError
	if p.redacted && errors.As(err, &e) && e.Value != "" {
		hidden := *e
		hidden.Value = RedactedText
		return &hidden
	}
	return err
}

func (p *Program) evaluate(env Env) (value, error) {
	c, ok := p.contexts.Get().(*context)
	if !ok {
		c = new(context)
	}
	*c = context{env: env, program: p}
	v, err := p.root.eval(c)
	*c = context{} // no user outlives the evaluation
	p.contexts.Put(c)
	if err != nil {
		return value{}, p.redact(err)
	}
	return v, nil
}

// Evaluate returns the value for one user: text, a list of texts, or null, and an
// absent value when the target attribute is not to be written at all. Booleans,
// numbers and dates come in their text form (True, 42, 1/31/2026 2:30:00 PM), and
// empty text, which a directory cannot store, is null. The error is an
// [*EvalError]; one that wraps [ErrObjectIgnored] leaves the user out.
func (p *Program) Evaluate(env Env) (directory.Value, error) {
	v, err := p.evaluate(env)
	switch {
	case err != nil || v.kind == ignore:
		return directory.Value{}, err
	case v.kind == list:
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
	v, err := p.evaluate(env)
	switch {
	case err != nil:
		return Result{}, err
	case v.kind == ignore:
		return Result{Ignored: true}, nil
	case v.kind == null:
		return Result{Null: true}, nil
	case v.kind == list:
		return Result{IsList: true, Members: append([]string{}, v.members...)}, nil
	}
	s, _, _ := v.scalar()
	return Result{Text: s}, nil
}
