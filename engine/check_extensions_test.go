package engine_test

import (
	"context"
	"strings"
	"testing"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/scope"
)

const (
	ext      = "extension_0123456789abcdef0123456789abcdef_"
	otherExt = "extension_fedcba9876543210fedcba9876543210_"
)

// extendedSource and extendedTarget tell their directory extensions.
type extendedSource struct {
	*checkSource
	extended
}

type extendedTarget struct {
	*checkTarget
	extended
}

type extended struct {
	list  []directory.Extension
	err   error
	asked *int
}

func (e extended) Extensions(context.Context) ([]directory.Extension, error) {
	*e.asked++
	return e.list, e.err
}

func TestCheckOfDirectoryExtensions(t *testing.T) {
	at := func(name, typ string) directory.Extension {
		return directory.Extension{Name: ext + name, Type: typ, Users: true}
	}
	tests := []struct {
		name           string
		mappings       []mapping.Mapping
		filter         string // an attribute
		source, target []directory.Extension
		want           string   // what is no success
		texts          []string // that must occur in details or actions
		asked          int
	}{
		{"no extension, nobody is asked", []mapping.Mapping{{Target: "city", Source: "city"}}, "", nil, nil, "", nil, 0},
		{"text to text", []mapping.Mapping{{Target: ext + "code", Source: "employeeId"}}, "", nil, []directory.Extension{at("code", "String")},
			"", []string{"1 directory extension of the job, registered in fabrikam"}, 1},
		{"from one to the other", []mapping.Mapping{{Target: ext + "code", Source: ext + "number"}}, "", []directory.Extension{at("number", "Integer")},
			[]directory.Extension{at("code", "Integer")}, "", []string{"registered in contoso", "registered in fabrikam"}, 2},
		{"unknown in the target", []mapping.Mapping{{Target: ext + "cod", Source: "employeeId"}}, "", nil, []directory.Extension{at("code", "String"), at("other", "String")},
			"failure fabrikam directory extensions\n", []string{ext + "cod is not registered in fabrikam", "did you mean " + ext + "code?"}, 1},
		{"registered by another application", []mapping.Mapping{{Target: otherExt + "code", Source: "employeeId"}}, "", nil, []directory.Extension{at("code", "String")},
			"failure fabrikam directory extensions\n", []string{"did you mean " + ext + "code?"}, 1},
		{"nothing near", []mapping.Mapping{{Target: ext + "code", Source: "employeeId"}}, "", nil, nil,
			"failure fabrikam directory extensions\n", []string{"register the extension on an application of fabrikam"}, 1},
		{"unknown in the source", []mapping.Mapping{{Target: "city", Source: ext + "code"}}, "", []directory.Extension{at("cod", "String")}, nil,
			"failure contoso directory extensions\n", []string{"it never has a value", "did you mean " + ext + "cod?"}, 1},
		{"unknown in a filter", []mapping.Mapping{{Target: "city", Source: "city"}}, ext + "code", nil, nil,
			"failure contoso directory extensions\n", []string{ext + "code is not registered in contoso"}, 1},
		{"not for users", []mapping.Mapping{{Target: ext + "code", Source: "employeeId"}}, "", nil, []directory.Extension{{Name: ext + "code", Type: "String"}},
			"failure fabrikam directory extensions\n", []string{"not registered for users"}, 1},
		{"no type where one is needed", []mapping.Mapping{{Target: ext + "number", Source: "employeeId"}}, "", nil, []directory.Extension{at("number", "Integer")},
			"failure fabrikam directory extensions\n", []string{"holds Integer in fabrikam", "add type: Integer to the mapping of " + ext + "number (number 1)"}, 1},
		{"another type", []mapping.Mapping{{Target: ext + "number", Source: "employeeId", Type: attribute.String}}, "", nil, []directory.Extension{at("number", "Integer")},
			"failure fabrikam directory extensions\n", []string{"holds Integer in fabrikam, not String", "write type: Integer"}, 1},
		{"the right type", []mapping.Mapping{{Target: ext + "number", Source: "employeeId", Type: attribute.Integer}}, "", nil, []directory.Extension{at("number", "Integer")}, "", nil, 1},
		{"boolean to text", []mapping.Mapping{{Target: ext + "code", Source: "accountEnabled"}}, "", nil, []directory.Extension{at("code", "String")},
			"failure fabrikam directory extensions\n", []string{"add type: String"}, 1},
		{"boolean to boolean", []mapping.Mapping{{Target: ext + "flag", Source: "accountEnabled"}}, "", nil, []directory.Extension{at("flag", "Boolean")}, "", nil, 1},
		{"date to date", []mapping.Mapping{{Target: ext + "day", Source: "employeeHireDate"}}, "", nil, []directory.Extension{at("day", "DateTime")}, "", nil, 1},
		{"expression to a date", []mapping.Mapping{{Target: ext + "day", Expression: `Append([city], "")`}}, "", nil, []directory.Extension{at("day", "DateTime")},
			"failure fabrikam directory extensions\n", []string{"add type: DateTime"}, 1},
		{"number to text", []mapping.Mapping{{Target: ext + "code", Source: ext + "number"}}, "", []directory.Extension{at("number", "Integer")}, []directory.Extension{at("code", "String")},
			"failure fabrikam directory extensions\n", []string{"add type: String"}, 2},
		{"several values", []mapping.Mapping{{Target: ext + "codes", Source: "employeeId"}}, "", nil,
			[]directory.Extension{{Name: ext + "codes", Type: "String", Multivalued: true, Users: true}},
			"failure fabrikam directory extensions\n", []string{"holds several values of String", "add multivalued: true"}, 1},
		{"one value", []mapping.Mapping{{Target: ext + "code", Source: "otherMails", Multivalued: true}}, "", nil, []directory.Extension{at("code", "String")},
			"failure fabrikam directory extensions\n", []string{"remove multivalued: true"}, 1},
		{"several to several", []mapping.Mapping{{Target: ext + "codes", Source: "otherMails", Multivalued: true}}, "", nil,
			[]directory.Extension{{Name: ext + "codes", Type: "String", Multivalued: true, Users: true}}, "", nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			checks := checkExtensions(t, tt.mappings, tt.filter, extended{tt.source, nil, &asked}, extended{tt.target, nil, &asked})
			if got := told(checks); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
			text := ""
			for _, c := range checks {
				text += c.Detail + "\n" + c.Action + "\n"
			}
			for _, want := range tt.texts {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in\n%s", want, text)
				}
			}
			if asked != tt.asked {
				t.Errorf("%d tenants were asked, want %d", asked, tt.asked)
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		asked := 0
		no := extended{nil, denied("read directory extensions", "Application.Read.All"), &asked}
		checks := checkExtensions(t, []mapping.Mapping{{Target: ext + "code", Source: ext + "code"}}, "", no, no)
		if got := told(checks); got != "skipped contoso directory extensions\nskipped fabrikam directory extensions\n" {
			t.Errorf("got\n%swant both skipped", got)
		}
	})
}

// checkExtensions runs the checks over a job with these mappings.
func checkExtensions(t *testing.T, mappings []mapping.Mapping, filtered string, source, target extended) []engine.Check {
	t.Helper()
	w := goodWorld()
	schema, problems := mapping.Compile(mappings)
	if schema == nil {
		t.Fatal(problems)
	}
	w.subject.Job.Mapping = schema
	if filtered != "" {
		filter, bad := scope.Compile([]scope.Group{{Clauses: []scope.Clause{{Attribute: filtered, Operator: scope.IsNotNull}}}})
		if filter == nil {
			t.Fatal(bad)
		}
		w.subject.Job.Scope.Filter = filter
	}
	w.subject.Job.Source, w.subject.Job.Target = extendedSource{w.source, source}, extendedTarget{w.target, target}
	checks, err := engine.RunChecks(t.Context(), []engine.CheckSubject{w.subject})
	if err != nil {
		t.Fatal(err)
	}
	return checks
}
