package expr

import (
	"errors"
	"strings"

	"tenantsync/mapping/pattern"
)

// The places of Replace.
const (
	slotSource = iota
	slotOldValue
	slotPattern
	slotGroup
	slotReplacement
	slotAttribute
	slotTemplate
)

// replaceRule is what Replace does; the places that are filled select it.
type replaceRule uint8

const (
	replaceLiteral   replaceRule = iota // oldValue in source → replacementValue
	replaceTemplate                     // oldValue in template → source
	replacePattern                      // every match in source → replacementValue
	replaceGroup                        // the group of every match in source → replacementValue
	replaceAttribute                    // source, else the group of a match in another attribute
)

// prepared is what a call of Replace knows before it sees a user: its rule, and
// the pattern and the replacement where they are constant.
type prepared struct {
	rule        replaceRule
	pattern     *pattern.Pattern
	replacement *pattern.Replacement
}

const replaceRules = `Replace: fill oldValue and replacementValue, oldValue and template, regexPattern and replacementValue, ` +
	`these two and regexGroupName, or regexPattern, regexGroupName and replacementAttributeName; leave the other places empty`

func prepareReplace(n *node) *Error {
	filled := 0
	for i := slotOldValue; i <= slotTemplate; i++ {
		if n.args[i].op != opOmitted {
			filled |= 1 << i
		}
	}
	p := &prepared{}
	switch filled {
	case 1<<slotOldValue | 1<<slotReplacement:
		p.rule = replaceLiteral
	case 1<<slotOldValue | 1<<slotTemplate:
		p.rule = replaceTemplate
	case 1<<slotPattern | 1<<slotReplacement:
		p.rule = replacePattern
	case 1<<slotPattern | 1<<slotGroup | 1<<slotReplacement:
		p.rule = replaceGroup
	case 1<<slotPattern | 1<<slotGroup | 1<<slotAttribute:
		p.rule = replaceAttribute
	default:
		return n.mistake(replaceRules)
	}
	n.prepared = p
	wrong := func(slot int, message string) *Error {
		arg := n.args[slot]
		return &Error{Offset: arg.at, Length: arg.end - arg.at, Message: "Replace: " + message}
	}
	if old := n.args[slotOldValue]; old.op == opConstant && old.constant.empty() {
		return wrong(slotOldValue, "argument 2 (oldValue) is empty: there is nothing to look for")
	}
	return p.compilePattern(n, wrong)
}

// compilePattern compiles a constant pattern and what belongs to it.
func (p *prepared) compilePattern(n *node, wrong func(int, string) *Error) *Error {
	if n.args[slotPattern].op != opConstant {
		return nil
	}
	compiled, err := pattern.Compile(n.args[slotPattern].constant.String())
	if err != nil {
		return wrong(slotPattern, err.Error())
	}
	p.pattern = compiled
	if group := n.args[slotGroup]; group.op == opConstant && !compiled.HasGroup(group.constant.String()) {
		return wrong(slotGroup, "the regular expression has no group of that name")
	}
	if with := n.args[slotReplacement]; with.op == opConstant {
		p.replacement = compiled.Replacement(with.constant.String())
	}
	return nil
}

func replace(c call) (value, error) {
	source, some, err := c.text(slotSource)
	if err != nil {
		return value{}, err
	}
	p := c.node.prepared.(*prepared)
	switch p.rule {
	case replaceTemplate:
		return replaceLiterally(c, slotTemplate, source)
	case replaceAttribute:
		if source != "" {
			return textValue(source), nil
		}
		return replaceFromAttribute(c, p)
	}
	if !some {
		return value{}, nil
	}
	with, _, err := c.text(slotReplacement)
	if err != nil {
		return value{}, err
	}
	if p.rule == replaceLiteral {
		return replaceLiterally(c, slotSource, with)
	}
	compiled, err := p.compiled(c)
	if err != nil {
		return value{}, err
	}
	var result string
	if p.rule == replaceGroup {
		group, _, groupErr := c.text(slotGroup)
		if groupErr != nil {
			return value{}, groupErr
		}
		err = c.c.patterns.Spend(func() (err error) {
			result, err = compiled.ReplaceGroup(source, group, with, maxText)
			return err
		})
	} else {
		replacement := p.replacement
		if replacement == nil {
			replacement = compiled.Replacement(with)
		}
		err = c.c.patterns.Spend(func() (err error) {
			result, err = compiled.Replace(source, replacement, maxText)
			return err
		})
	}
	if err != nil {
		return value{}, p.failed(c, source, err)
	}
	return textValue(result), nil
}

// replaceLiterally replaces oldValue in the text of a place. Nothing to look for
// leaves the text as it is.
func replaceLiterally(c call, in int, with string) (value, error) {
	text, some, err := c.text(in)
	if err != nil {
		return value{}, err
	}
	old, _, err := c.text(slotOldValue)
	if err != nil || !some {
		return value{}, err
	}
	if old == "" {
		return textValue(text), nil
	}
	if n := strings.Count(text, old); n > 0 && len(text)+n*(len(with)-len(old)) > maxText {
		return value{}, c.fail("", tooLong)
	}
	return textValue(strings.ReplaceAll(text, old, with)), nil
}

// replaceFromAttribute takes the place of a source without a value: the named
// group of the first match in another attribute, null without a match.
func replaceFromAttribute(c call, p *prepared) (value, error) {
	other, some, err := c.text(slotAttribute)
	if err != nil || !some {
		return value{}, err
	}
	compiled, err := p.compiled(c)
	if err != nil {
		return value{}, err
	}
	group, _, err := c.text(slotGroup)
	if err != nil {
		return value{}, err
	}
	var captured string
	var ok bool
	err = c.c.patterns.Spend(func() (err error) {
		captured, ok, err = compiled.Group(other, group)
		return err
	})
	switch {
	case err != nil:
		return value{}, p.failed(c, other, err)
	case !ok:
		return value{}, nil
	}
	return textValue(captured), nil
}

// compiled returns the pattern, compiling one that is not constant.
func (p *prepared) compiled(c call) (*pattern.Pattern, error) {
	if p.pattern != nil {
		return p.pattern, nil
	}
	text, _, err := c.text(slotPattern)
	if err != nil {
		return nil, err
	}
	compiled, err := pattern.Compile(text)
	if err != nil {
		return nil, c.fail(text, err.Error())
	}
	return compiled, nil
}

func (p *prepared) failed(c call, on string, err error) error {
	message := err.Error()
	if errors.Is(err, pattern.ErrTooLong) {
		message = tooLong
	}
	return &EvalError{Function: c.node.function.Name, Offset: c.node.at, Value: on, Message: message, Err: err}
}
