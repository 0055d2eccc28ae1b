package expr_test

import (
	"strings"
	"testing"

	"tenantsync/mapping/expr"
)

func TestWhatAnExpressionIsMadeOf(t *testing.T) {
	tests := []struct{ text, carried, functions, texts string }{
		{`[city]`, "city", "", ""},
		{`Append([displayName], " (Contoso)")`, "displayName", "Append", " (Contoso)"},
		{`[surname] & ", " & ToUpper([givenName])`, "givenName|surname", "ToUpper", ", "},
		{`IIF([employeeType]="Contractor", [companyName], "INT")`, "companyName", "IIF", "Contractor|INT"},
		{`IIF(IsPresent([mail]), "yes", "no")`, "", "IIF|IsPresent", "yes|no"},
		{`IIF(Left([department], 1)="S", [city], [state])`, "city|state", "IIF|Left", "S"},
		{`Not([accountEnabled])`, "", "Not", ""},
		{`CBool([accountEnabled]="True")`, "", "CBool", "True"},
		{`Switch([department], [city], "SLS", [state], [country], "Land")`, "city|state", "Switch", "SLS|Land"},
		{`Switch([department], , "SLS", Switch([jobTitle], [city], "x", "y"))`, "city", "Switch", "SLS|x|y"},
		{`SelectUniqueValue(Join(".", [givenName], [surname]), Append([mail], 2))`, "givenName|mail|surname", "Append|Join|SelectUniqueValue", "."},
		{`FormatDateTime([employeeHireDate], , "yyyy", "yy")`, "employeeHireDate", "FormatDateTime", "yyyy|yy"},
	}
	for _, tt := range tests {
		p, err := expr.Compile(tt.text, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got := [3]string{strings.Join(p.Carried(), "|"), strings.Join(p.Functions(), "|"), strings.Join(p.Texts(), "|")}
		if want := [3]string{tt.carried, tt.functions, tt.texts}; got != want {
			t.Errorf("%s: carried, functions, texts are %q, want %q", tt.text, got, want)
		}
	}
}
