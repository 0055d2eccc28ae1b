package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// mappingCase is one case of a file.
type mappingCase struct {
	ID         string         `json:"id"`
	Expression string         `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expect     caseValue      `json:"expect"`
	Error      bool           `json:"error"`
	Now        string         `json:"now"`
	Ignored    bool           `json:"ignored"`
}

// caseValue is a value that a case may leave out, which is not the same as null.
type caseValue struct {
	given bool
	value any
}

// UnmarshalJSON is called for null as well.
func (v *caseValue) UnmarshalJSON(b []byte) error {
	v.given = true
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	return decoder.Decode(&v.value)
}

// caseResult is the outcome of one case.
type caseResult struct {
	ID    string  `json:"id"`
	Value any     `json:"value"`
	Error *string `json:"error"`
	OK    bool    `json:"ok"`

	expected string
}

func runMappingCases(env *environment, path string) error {
	cases, err := readCases(env, path)
	if err != nil {
		return err
	}
	summary := struct {
		Passed int          `json:"passed"`
		Failed int          `json:"failed"`
		Cases  []caseResult `json:"cases"`
	}{Cases: make([]caseResult, 0, len(cases))}
	for _, c := range cases {
		r := c.run(env.now())
		if r.OK {
			summary.Passed++
		} else {
			summary.Failed++
		}
		summary.Cases = append(summary.Cases, r)
	}
	err = env.printer().Print(result{
		Document: summary, Items: items(summary.Cases),
		Table: func() *table { return caseTable(summary.Cases) },
		Text: func(w io.Writer, p *printer) error {
			return writeCases(w, p, summary.Cases, summary.Passed, summary.Failed, env.options.Verbose)
		},
	})
	if err == nil && summary.Failed > 0 {
		return exitWith(exitFailed)
	}
	return err
}

func caseTable(cases []caseResult) *table {
	t := &table{Columns: []column{{Key: "id", Title: "CASE"}, {Key: "ok", Title: "OK"}, {Key: "value", Title: "VALUE", Flex: true},
		{Key: "error", Title: "ERROR", Flex: true}, {Key: "expected", Title: "EXPECTED", Flex: true}}}
	for _, c := range cases {
		t.Rows = append(t.Rows, []string{c.ID, strconv.FormatBool(c.OK), jsonText(c.Value), textOr(c.Error, ""), c.expected})
	}
	return t
}

// writeCases tells the cases that failed, all with -v, and the totals.
func writeCases(w io.Writer, p *printer, cases []caseResult, passed, failed int, all bool) error {
	var b strings.Builder
	for _, c := range cases {
		got := jsonText(c.Value)
		if c.Error != nil {
			got = "error: " + *c.Error
		}
		switch {
		case !c.OK:
			fmt.Fprintf(&b, "%s  %s\n  got       %s\n  expected  %s\n", p.paint(actionColour("failure"), "failed"), escape(c.ID), escape(got), escape(c.expected))
		case all:
			fmt.Fprintf(&b, "%s  %s  %s\n", p.paint(actionColour("success"), "passed"), escape(c.ID), escape(got))
		}
	}
	fmt.Fprintf(&b, "%d passed, %d failed.\n", passed, failed)
	_, err := io.WriteString(w, b.String())
	return err
}

// readCases reads a file of cases, JSON or YAML.
func readCases(env *environment, path string) ([]mappingCase, error) {
	var (
		b   []byte
		err error
	)
	if path == "-" {
		b, err = io.ReadAll(env.stdin)
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	if !json.Valid(b) {
		if b, err = yaml.YAMLToJSON(b); err != nil {
			return nil, usagef("correct the file; it is a JSON or YAML list of cases", "%s is neither JSON nor YAML: %s", path, err)
		}
	}
	var cases []mappingCase
	if err := json.Unmarshal(b, &cases); err != nil {
		return nil, usagef("see: tenantsync mapping test --help", "%s is not a list of cases: %s.", path, err)
	}
	for i, c := range cases {
		if !c.Expect.given && !c.Error {
			return nil, usagef("give expect or error: true", "%s: case %d (%q) expects nothing.", path, i+1, c.ID)
		}
	}
	return cases, nil
}

// run evaluates a case. An error is expected whether the expression cannot be
// compiled or has no value for this user.
func (c *mappingCase) run(now time.Time) caseResult {
	r := caseResult{ID: c.ID}
	fail := func(err error) caseResult {
		text := err.Error()
		r.Error, r.OK = &text, c.Error
		return r
	}
	r.expected = jsonText(textForm(c.Expect.value))
	switch {
	case c.Error:
		r.expected = "an error"
	case c.Ignored:
		r.expected = "the attribute is ignored"
	}
	attributes, err := attributesOf(c.Attributes)
	if err != nil {
		c.Error = false // the case itself is wrong, whatever it expects
		return fail(err)
	}
	if c.Now != "" {
		if now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			c.Error = false
			return fail(fmt.Errorf("now: %w", err))
		}
	}
	value, err := evaluate(c.Expression, attributes, now)
	if err != nil {
		return fail(err)
	}
	r.Value = value.Any()
	r.OK = !c.Error && value.Ignored == c.Ignored && jsonText(r.Value) == jsonText(textForm(c.Expect.value))
	return r
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
