package e2e_test

import (
	"slices"
	"strings"
	"testing"
)

// A pattern that would try for years stops at its time limit and fails the one
// user it was applied to, whom the log names with mapping, function and value.
func TestMappingTimeLimit(t *testing.T) {
	t.Parallel()
	endless := strings.Repeat("a", 40) + "!"
	l := newLab(t, users(staff("ann", obj{"jobTitle": endless}), staff("bea", obj{"jobTitle": "aab"})), obj{})
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"},
		obj{"target": "jobTitle", "expression": `Replace([jobTitle], , "^(?=(a+)+$)a", , "x", , )`}}}))
	c := l.sync(3, "partial")
	expectEqual(t, "created and failed", [2]int{c.Summary.Create, c.Summary.Failed}, [2]int{1, 1})
	reason := l.says(id("ann"), "failure", "AttributeValidationFailed").reason()
	for _, part := range []string{"mapping of jobTitle", "Replace", "takes too long", endless} {
		if !strings.Contains(reason, part) {
			t.Errorf("reason %q, want %q in it", reason, part)
		}
	}
	expectEqual(t, "the other user's title", l.copyOf("bea").text("jobTitle"), "aab")
}

// Values that must be unique are chosen before anybody is invited: by a plan, by a
// cycle and on demand in the same way.
func TestMappingUniqueValues(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann", obj{"givenName": "Ann"}), staff("bea", obj{"givenName": "ann"}), staff("cyd", obj{"givenName": "Ann"})),
		users(native("old", obj{"employeeId": "ANN"})))
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"},
		obj{"target": "employeeId", "flowType": "ObjectAddOnly",
			"expression": `SelectUniqueValue(ToLower([givenName]), Append(ToLower([givenName]), "2"), Append(ToLower([givenName]), "3"))`}}}))
	var dry struct {
		ModifiedProperties []struct{ DisplayName, NewValue string }
	}
	l.json(0, &dry, "provision", "ann@contoso.example", "--dry-run")
	planned := ""
	for _, m := range dry.ModifiedProperties {
		if m.DisplayName == "employeeId" {
			planned = m.NewValue
		}
	}
	expectEqual(t, "planned on demand", planned, "ann2")
	c := l.sync(3, "partial")
	expectEqual(t, "created and failed", [2]int{c.Summary.Create, c.Summary.Failed}, [2]int{2, 1})
	var values []string
	for _, name := range []string{"ann", "bea", "cyd"} { // whoever comes last finds nothing left
		if l.logOf(id(name))[0].status() == "success" {
			values = append(values, l.copyOf(name).text("employeeId"))
			continue
		}
		reason := l.says(id(name), "failure", "NoUniqueValue").reason()
		if !strings.Contains(reason, `"ann"`) || !strings.Contains(reason, `"ann3"`) {
			t.Errorf("reason %q, want the candidates that were tried", reason)
		}
	}
	slices.Sort(values)
	expectEqual(t, "values", strings.Join(values, " "), "ann2 ann3")
}
