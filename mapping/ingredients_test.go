package mapping_test

import (
	"fmt"
	"slices"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
)

func TestIngredients(t *testing.T) {
	s, problems := mapping.Compile([]mapping.Mapping{
		{Target: "telephoneNumber", Source: "mobile"},
		{Target: "companyName", Constant: directory.TextOf("Contoso AS")},
		{Target: "city", Expression: `IIF([state]="X", [telephoneNumber], "None")`, Default: directory.TextOf("Oslo")},
		{Target: "proxyAddresses", Source: "mail"}, // refused by Graph: not in effect
		{Target: "userPrincipalName", Source: "mail", MatchingPriority: 1},
	})
	if s == nil {
		t.Fatalf("problems: %v", problems)
	}
	var got []string
	for _, in := range s.Ingredients() {
		got = append(got, fmt.Sprint(in.Mapping, in.Target, in.Reads, in.Carried, in.Functions, in.Texts))
	}
	want := []string{
		"0businessPhones[mobilePhone] [mobilePhone] [] []",
		"2city[businessPhones state] [businessPhones] [IIF] [X None Oslo]",
		"1companyName[] [] [] [Contoso AS]",
		"4userPrincipalName[mail] [mail] [] []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("ingredients:\n%q\nwant\n%q", got, want)
	}
}
