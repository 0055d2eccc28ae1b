package expr_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
	"tenantsync/mapping/pattern"
)

func compile(t testing.TB, text string) *expr.Program {
	t.Helper()
	p, err := expr.Compile(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return p
}

func TestEvaluateGivesDirectoryValues(t *testing.T) {
	env := expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{
		"on": directory.BoolOf(true), "n": directory.IntOf(9_007_199_254_740_993), "list": directory.ListOf("a", "b"),
		"ref": directory.RefOf("id-1"), "text": directory.TextOf("x"), "nothing": directory.NullValue(),
	})}
	tests := []struct {
		name, text string
		want       directory.Value
	}{
		{"text", `[text]`, directory.TextOf("x")},
		{"boolean in text form", `[on]`, directory.TextOf("True")},
		{"integer beyond a float", `[n]`, directory.TextOf("9007199254740993")},
		{"list", `[list]`, directory.ListOf("a", "b")},
		{"reference as its id", `[ref]`, directory.TextOf("id-1")},
		{"null", `[nothing]`, directory.NullValue()},
		{"absent is null", `[absent]`, directory.NullValue()},
		{"empty text is null", `Left("x", 0)`, directory.NullValue()},
		{"test in text form", `IsNull([text])`, directory.TextOf("False")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := compile(t, tt.text).Evaluate(env)
			if err != nil {
				t.Fatal(err)
			}
			if got.Compare(tt.want) != 0 {
				t.Errorf("%s gives %s %q, want %s %q", tt.text, got.Kind(), got, tt.want.Kind(), tt.want)
			}
		})
	}
}

func TestEvalErrors(t *testing.T) {
	env := expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{
		"list": directory.ListOf("a", "b"), "text": directory.TextOf("secret"),
	})}
	tests := []struct {
		name, text string
		want       expr.EvalError
	}{
		{"several values where one is needed", `ToLower([list])`,
			expr.EvalError{Function: "ToLower", Value: "a, b", Message: "one value is needed, the list has 2"}},
		{"several values joined", `"x" & [list]`,
			expr.EvalError{Function: "&", Value: "a, b", Offset: 6, Message: "one value is needed, the list has 2"}},
		{"several values compared", `IIF([text]=[list], "a", "b")`,
			expr.EvalError{Function: "=", Value: "a, b", Offset: 11, Message: "one value is needed, the list has 2"}},
		{"number that is none", `Append("", Left("abc", [text]))`,
			expr.EvalError{Function: "Left", Value: "secret", Offset: 11, Message: "argument 2 must be a whole number"}},
		{"condition that is none", `IIF([text], "a", "b")`,
			expr.EvalError{Function: "IIF", Value: "secret", Message: "the condition must be True or False"}},
		{"item that is not there", `Item([list], 3)`,
			expr.EvalError{Function: "Item", Value: "a, b", Message: "there is no item 3, the list has 2"}},
		{"start before the text", `Mid([text], 0, 1)`,
			expr.EvalError{Function: "Mid", Value: "secret", Message: "the start must be 1 or more"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := compile(t, tt.text).Evaluate(env)
			var e *expr.EvalError
			if !errors.As(err, &e) {
				t.Fatalf("error is %v (%T), want an *expr.EvalError", err, err)
			}
			if diff := cmp.Diff(tt.want, *e); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(e.Message, "secret") {
				t.Errorf("the message %q carries the value", e.Message)
			}
		})
	}
}

func TestEvalErrorText(t *testing.T) {
	e := &expr.EvalError{Function: "Item", Value: strings.Repeat("x", 100), Message: "there is no item 3"}
	want := `Item: there is no item 3 (value "` + strings.Repeat("x", 79) + `…")`
	if e.Error() != want {
		t.Errorf("got %s, want %s", e, want)
	}
}

func TestResultsAreBounded(t *testing.T) {
	grow := `"aaaaaaaaaaaaaaaa"`
	for range 12 {
		grow = `Replace(` + grow + `, "a", , , "aaaaaaaaaaaaaaaa", , )`
	}
	long := directory.AttributesOf(map[string]directory.Value{
		"a": directory.TextOf(strings.Repeat("a", 40_000)), "marks": directory.TextOf(strings.Repeat("x", 1_000)),
		"roles": directory.ListOf(strings.Repeat("r", 20_000), strings.Repeat("s", 20_000)),
	})
	for _, text := range []string{grow, `Append([a], [a])`, `[a] & [a]`, `Join("", [a], [a])`,
		`Replace("xx", , "x", , [a], , )`, `Replace("xx", , "(?<g>x)", "g", [a], , )`,
		`Replace([marks], , "x", , "$_", , )`, `Replace([a], "x", , , , , "xx")`,
		`ConvertToBase64([a])`, `ConvertToUTF8Hex([a])`, `AppRoleAssignmentsComplex([roles])`} {
		_, err := compile(t, text).Evaluate(expr.Env{Attributes: long})
		if err == nil || !strings.Contains(err.Error(), "more than 65536 bytes") {
			t.Errorf("%.60s: error %v, want one about the size", text, err)
		}
	}
}

func TestPatternsEndInTime(t *testing.T) {
	env := expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{"a": directory.TextOf(strings.Repeat("a", 40) + "!")})}
	for _, text := range []string{`Replace([a], , "(a+)+$", , "x", , )`, `Replace([a], , "(?<g>(a+)+)$", "g", "x", , )`,
		`Replace("", , "(?<g>(a+)+)$", "g", , [a], )`} {
		began := time.Now()
		_, err := compile(t, text).Evaluate(env)
		if !errors.Is(err, pattern.ErrTimeout) {
			t.Errorf("%s: error %v, want %v", text, err, pattern.ErrTimeout)
		}
		if took := time.Since(began); took > 10*time.Second { // a busy machine may take several times the limit
			t.Errorf("%s: took %v, want it to end in time", text, took)
		}
	}
}

func TestAttributesAndReferences(t *testing.T) {
	p := compile(t, `IIF([b]="x", Join(" ", [a], [b]), [c])`)
	if diff := cmp.Diff([]string{"a", "b", "c"}, p.Attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	want := []expr.Reference{{"b", 4, 3}, {"a", 23, 3}, {"b", 28, 3}, {"c", 34, 3}}
	if diff := cmp.Diff(want, p.References()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestRenamed(t *testing.T) {
	p := compile(t, `Join(" ", [telephoneNumber], [mobile])`)
	q := p.Renamed(func(name string) (string, bool) {
		if name == "telephoneNumber" {
			return "businessPhones", true
		}
		return "mobilePhone", false
	})
	env := expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{
		"businessPhones": directory.ListOf("1", "2"), "mobilePhone": directory.TextOf("3"),
	})}
	got, err := q.Evaluate(env)
	if err != nil || got.Text() != "1 3" {
		t.Errorf("renamed program gives %q, error %v; want the first phone and the mobile", got, err)
	}
	if got, err := p.Evaluate(env); err != nil || !got.IsEmpty() {
		t.Errorf("the program it came from gives %q, error %v; want nothing", got, err)
	}
	if diff := cmp.Diff([]string{"businessPhones", "mobilePhone"}, q.Attributes()); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if q.String() != p.String() {
		t.Errorf("text %s, want it as written: %s", q, p)
	}
}

func TestProgramsAreSafeForConcurrentUse(t *testing.T) {
	p := compile(t, `Replace(Join(" ", [givenName], [surname]), , "(\\w+) (\\w+)", , "$2, $1", , )`)
	env := expr.Env{Attributes: directory.AttributesOf(map[string]directory.Value{
		"givenName": directory.TextOf("Kari"), "surname": directory.TextOf("Nordmann"),
	})}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if v, err := p.Evaluate(env); err != nil || v.Text() != "Nordmann, Kari" {
					t.Errorf("got %q, error %v", v, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestAllocations(t *testing.T) {
	env := expr.Env{Attributes: person()}
	for text, most := range map[string]float64{`Join(" ", [givenName], [surname])`: 3, `[surname]`: 1, `IIF([country]="NO", "a", "b")`: 1} {
		p := compile(t, text)
		got := testing.AllocsPerRun(200, func() {
			if _, err := p.Evaluate(env); err != nil {
				t.Fatal(err)
			}
		})
		if got > most {
			t.Errorf("%s takes %v allocations, want at most %v", text, got, most)
		}
	}
}

func person() directory.Attributes {
	return directory.AttributesOf(map[string]directory.Value{
		"accountEnabled": directory.BoolOf(true), "city": directory.TextOf("Oslo"), "country": directory.TextOf("NO"),
		"department": directory.TextOf("Finance"), "displayName": directory.TextOf("Kari Nordmann"), "employeeId": directory.TextOf("10482"),
		"givenName": directory.TextOf("Kari"), "jobTitle": directory.TextOf("Controller"), "mail": directory.TextOf("kari@contoso.no"),
		"officeLocation": directory.TextOf("3rd floor"), "postalCode": directory.TextOf("0150"), "surname": directory.TextOf("Nordmann"),
	})
}

// BenchmarkJoin compares an expression with the function one would write by hand.
func BenchmarkJoin(b *testing.B) {
	attributes := person()
	b.Run("expression", func(b *testing.B) {
		p := compile(b, `Join(" ", [givenName], [surname])`)
		env := expr.Env{Attributes: attributes}
		b.ReportAllocs()
		for b.Loop() {
			if v, err := p.Evaluate(env); err != nil || v.Text() != "Kari Nordmann" {
				b.Fatal(v, err)
			}
		}
	})
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if v := byHand(attributes); v.Text() != "Kari Nordmann" {
				b.Fatal(v)
			}
		}
	})
}

//go:noinline
func byHand(a directory.Attributes) directory.Value {
	given, surname := a.Get("givenName").Text(), a.Get("surname").Text()
	if given == "" || surname == "" {
		return directory.TextOf(given + surname)
	}
	return directory.TextOf(given + " " + surname)
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compile(b, `IIF(IsPresent([mail]), ToLower([mail]), Join("@", Replace([userPrincipalName], "@contoso.com", , , "", , ), "fabrikam.com"))`)
	}
}
