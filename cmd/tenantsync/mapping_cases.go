package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// caseResult is the outcome of one case.
type caseResult struct {
	ID    string  `json:"id"`
	Value any     `json:"value"`
	Error *string `json:"error"`
	OK    bool    `json:"ok"`
	// Ignored says that the target attribute is left alone; the value is null then.
	Ignored bool `json:"ignored,omitempty"`
	// Expected says, of a case that failed, what it expected, in words or as JSON.
	Expected string `json:"expected,omitempty"`

	expression, place string
	// excerpt shows where in the expression an error is, hints what may be misspelt.
	excerpt, hints []string
}

// caseSummary is the outcome of a file of cases.
type caseSummary struct {
	Passed int          `json:"passed"`
	Failed int          `json:"failed"`
	Cases  []caseResult `json:"cases"`
}

func runMappingCases(env *environment, path string) error {
	cases, err := readCases(env, path)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		env.warn(path+" has no cases.", "")
	}
	s := caseSummary{Cases: make([]caseResult, 0, len(cases))}
	for i := range cases {
		r := cases[i].run(env.now())
		r.place = cases[i].at.in(path)
		if r.OK {
			s.Passed++
		} else {
			s.Failed++
		}
		s.Cases = append(s.Cases, r)
	}
	err = env.printer().Print(result{
		Document: s, Items: items(s.Cases),
		Table: func() *table { return caseTable(s.Cases) },
		Text:  func(w io.Writer, p *printer) error { return s.write(w, p, env.options.Verbose) },
	})
	if err == nil && s.Failed > 0 {
		return exitWith(exitFailed)
	}
	return err
}

func caseTable(cases []caseResult) *table {
	t := &table{Columns: []column{{Key: "id", Title: "CASE"}, {Key: "ok", Title: "OK"}, {Key: "value", Title: "VALUE", Flex: true},
		{Key: "error", Title: "ERROR", Flex: true}, {Key: "expected", Title: "EXPECTED", Flex: true}}}
	for _, c := range cases {
		t.Rows = append(t.Rows, []string{c.ID, strconv.FormatBool(c.OK), jsonText(c.Value), textOr(c.Error, ""), c.Expected})
	}
	return t
}

// got is what a case gave, for a person.
func (r *caseResult) got() string {
	switch {
	case r.Error != nil:
		return "error: " + *r.Error
	case r.Ignored:
		return wordIgnored
	}
	return jsonText(r.Value)
}

// write tells the cases that failed, all with verbose, and the totals.
func (s *caseSummary) write(w io.Writer, p *printer, verbose bool) error {
	var b strings.Builder
	for i := range s.Cases {
		c := &s.Cases[i]
		switch {
		case !c.OK:
			fmt.Fprintf(&b, "%s  %s   %s\n", p.paint(actionColour("failure"), "failed"), escape(c.ID), escape(c.place))
			fmt.Fprintf(&b, "  expression  %s\n", escape(strings.Join(strings.Fields(c.expression), " ")))
			fmt.Fprintf(&b, "  expected    %s\n", escape(c.Expected))
			fmt.Fprintf(&b, "  got         %s\n", escape(c.got()))
			for _, line := range c.excerpt {
				fmt.Fprintf(&b, "              %s\n", escape(line))
			}
			for _, hint := range c.hints {
				fmt.Fprintf(&b, "  hint        %s\n", escape(hint))
			}
		case verbose:
			fmt.Fprintf(&b, "%s  %s   %s\n", p.paint(actionColour("success"), "passed"), escape(c.ID), escape(c.got()))
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed.\n", s.Passed, s.Failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// wordIgnored says that the target attribute is left alone.
const wordIgnored = "the attribute is ignored"

// expected says what a case expects.
func (c *mappingCase) expected() string {
	switch {
	case c.Error.words != "":
		return "an error that says " + strconv.Quote(c.Error.words)
	case c.Error.expected:
		return "an error"
	case c.Ignored:
		return wordIgnored
	}
	return jsonText(textForm(c.Expect.value))
}

// run evaluates a case. An error is expected whether the expression cannot be
// compiled or has no value for this user.
func (c *mappingCase) run(now time.Time) caseResult {
	r := caseResult{ID: c.ID, expression: *c.Expression}
	value, err := c.try(now)
	switch {
	case err != nil:
		text := err.Error()
		r.Error = &text
		failed, typed := err.(*expressionError) // another error is one of the case itself, whatever it expects
		if typed {
			r.excerpt = failed.caret()
		}
		r.OK = typed && c.Error.expected && strings.Contains(text, c.Error.words)
	default:
		r.Value, r.Ignored = value.Any(), value.Ignored
		r.OK = !c.Error.expected && value.Ignored == c.Ignored && jsonText(r.Value) == jsonText(textForm(c.Expect.value))
	}
	if !r.OK {
		r.Expected = c.expected()
		if attributes, err := attributesOf(c.Attributes); err == nil && c.Target == "" {
			r.hints = notGiven(*c.Expression, attributes)
		}
		r.hints = append(r.hints, doubts(*c.Expression)...)
	}
	return r
}

func (c *mappingCase) try(now time.Time) (trialResult, error) {
	attributes, err := attributesOf(c.Attributes)
	if err != nil {
		return trialResult{}, err
	}
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			return trialResult{}, fmt.Errorf("now: %q is not a time; write e.g. 2026-11-22T08:20:00Z", c.Now)
		}
	}
	t := &trial{Expression: *c.Expression, Attributes: attributes, Now: now, Target: c.Target,
		Taken: func(value string) bool { return c.Taken.has(c.Target, value) }}
	return t.run()
}

// textForm gives an expected value the text form in which results are compared:
// True and False, decimal numbers, lists of text.
func textForm(x any) any {
	switch x := x.(type) {
	case bool:
		if x {
			return "True"
		}
		return "False"
	case json.Number:
		return x.String()
	case []any:
		list := make([]any, len(x))
		for i, m := range x {
			list[i] = textForm(m)
		}
		return list
	}
	return x
}
