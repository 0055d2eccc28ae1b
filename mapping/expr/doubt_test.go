package expr_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/mapping/expr"
)

func TestDoubts(t *testing.T) {
	const (
		asText = " beside a date is compared as text, not by time: put CDate around it"
		empty  = " is never true: an attribute without a value is null, not empty text; IsNullOrEmpty(%s) asks for both"
	)
	for _, tt := range []struct {
		text string
		want map[string]string // by the place
	}{
		{`IIF([employeeHireDate] > Now(), "a", "b")`, map[string]string{"[employeeHireDate]": "[employeeHireDate]" + asText}},
		{`IIF(DateAdd("d", 1, [a]) <= "2026-03-01", "a", "b")`, map[string]string{`"2026-03-01"`: "what stands" + asText}},
		{`IIF(Now() > Left([a], 10), "a", "b")`, map[string]string{"Left([a], 10)": "what stands" + asText}},
		{`Not(CDate([a]) = [b] & "Z")`, map[string]string{`[b] & "Z"`: "what stands" + asText}},
		{`IIF(CDate([employeeHireDate]) > Now(), "a", "b")`, nil},
		{`IIF([a] > [b], "a", "b")`, nil},
		{`IIF(Now() > Coalesce(CDate([a]), Now()), "a", "b")`, nil},
		{`IIF([city]="", "none", IIF(""=[state], "x", "y"))`, map[string]string{
			"[city]":  `[city]=""` + fmt.Sprintf(empty, "[city]"),
			"[state]": `[state]=""` + fmt.Sprintf(empty, "[state]")}},
		{`IIF([city]<>"", [city], "none")`, nil},
		{`IIF(Trim([city])="", "none", [city])`, nil},
	} {
		program, err := expr.Compile(tt.text, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var got map[string]string
		for _, e := range program.Doubts() {
			if got == nil {
				got = map[string]string{}
			}
			got[tt.text[e.Offset:e.Offset+e.Length]] = e.Message
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}
