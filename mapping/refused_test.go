package mapping_test

import (
	"slices"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// A mapping to whatever Graph refuses for external users is warned of, with the
// reason, and left out; the others work.
func TestWhatGraphRefusesIsAWarning(t *testing.T) {
	refused := 0
	for name := range attribute.Names() {
		info, _ := attribute.Lookup(name)
		if info.Refused == "" {
			continue
		}
		refused++
		m := mapping.Mapping{Target: name, Source: name}
		if info.Unreadable != "" {
			m = mapping.Mapping{Target: name, Constant: directory.TextOf("x")}
		}
		s, problems := mapping.Compile([]mapping.Mapping{{Target: "department", Source: "department"}, m})
		if s == nil || len(problems) != 1 {
			t.Errorf("%s: problems %+v, want one warning", name, problems)
			continue
		}
		p := problems[0]
		if p.Severity != mapping.Warning || p.Mapping != 1 || p.Field != "target" || p.Message != name+" is not written: "+info.Refused {
			t.Errorf("%s: %+v, want a warning with the reason %q", name, p, info.Refused)
		}
		if got := s.TargetAttributes(); !slices.Equal(got, []string{"department"}) {
			t.Errorf("%s: written are %v, want department alone", name, got)
		}
		result, err := s.Apply(mapping.Input{Source: attributes("department", text("Sales"), info.Name, text("x"))})
		if err != nil || len(result.Desired) != 1 {
			t.Errorf("%s: %v, %v; want department alone", name, show(result.Desired), err)
		}
	}
	if refused < 40 {
		t.Errorf("%d attributes are refused: the table is not complete", refused)
	}
}

// The refused attributes people map most often come with what to use instead.
func TestARefusalSaysWhatToUseInstead(t *testing.T) {
	for name, instead := range map[string]string{
		"proxyAddresses": "map mail instead", "otherMails": "map mail instead", "userPrincipalName": "derived from the invited address",
		"onPremisesSamAccountName": "map it to an extensionAttribute", "createdDateTime": "map it to an extensionAttribute",
		"mailNickname": "derives it from the user principal name",
	} {
		_, problems := mapping.Compile([]mapping.Mapping{{Target: name, Source: name}})
		if len(problems) != 1 || !strings.Contains(problems[0].Message, instead) {
			t.Errorf("%s: %+v, want it to say %q", name, problems, instead)
		}
	}
}

// What Microsoft's service maps and Graph has not is an error that says so.
func TestWhatGraphHasNotIsExplained(t *testing.T) {
	for name, want := range map[string]string{
		"netId": "internal to Microsoft's own service", "alternativeSecurityIds": "users are matched by their addresses",
		"IsSoftDeleted": "deprovision", "HiddenFromAddressListsEnabled": "use showInAddressList", "targetAddress": "belongs to Exchange",
		"msExchRecipientTypeDetails": "belongs to Exchange",
	} {
		for field, m := range map[string]mapping.Mapping{
			"target": {Target: name, Source: "city"}, "source": {Target: "city", Source: name}, "expression": {Target: "city", Expression: "[" + name + "]"},
		} {
			s, problems := mapping.Compile([]mapping.Mapping{m})
			if s != nil || len(problems) != 1 || problems[0].Field != field || !strings.Contains(problems[0].Message, "Graph v1.0 has no attribute "+name) ||
				!strings.Contains(problems[0].Message, want) {
				t.Errorf("%s as %s: %+v, want an error that says %q", name, field, problems, want)
			}
		}
	}
}
