package importer_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"tenantsync/internal/config/importer"
)

// linesAfter returns the lines of the job's YAML below a key, without indentation.
func linesAfter(t *testing.T, j *importer.Job, key string) []string {
	t.Helper()
	var b bytes.Buffer
	if err := j.WriteYAML(&b); err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(b.String(), "\n"+key+":\n")
	if !found {
		return nil
	}
	depth := strings.Repeat(" ", len(key)-len(strings.TrimLeft(key, " "))+2)
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, depth) {
			break
		}
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, depth), "\n"))
	}
	return lines
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// Each attribute mapping alone, as it is written and what is said of it.
func TestAttributeMappings(t *testing.T) {
	const extension = "extension_0123456789abcdef0123456789abcdef_level"
	for _, tt := range []struct {
		name, mapping string
		want          []string // the YAML
		notes         []string
	}{
		{"direct", `{"targetAttributeName":"city","source":{"expression":"[city]","name":"city","type":"Attribute","parameters":[]}}`,
			[]string{"- {target: city, source: city}"}, nil},
		{"as short as Graph's samples", `{"source":{"name":"city","type":"Attribute"},"targetAttributeName":"city"}`,
			[]string{"- {target: city, source: city}"}, nil},
		{"enumerations as numbers, names in Pascal case", `{"TargetAttributeName":"city","Source":{"Name":"Oslo","Type":1},"FlowType":4,"FlowBehavior":0,"MatchingPriority":"0"}`,
			[]string{"- {target: city, constant: Oslo, flowType: AttributeAddOnly}"}, nil},
		{"constant", `{"targetAttributeName":"userType","source":{"expression":"\"Member\"","name":"Member","type":"Constant"},"flowType":"ObjectAddOnly"}`,
			[]string{"- {target: userType, constant: Member, flowType: ObjectAddOnly}"}, nil},
		{"Boolean constant", `{"targetAttributeName":"showInAddressList","source":{"expression":"\"true\"","name":"true","type":"Constant"}}`,
			[]string{"- {target: showInAddressList, constant: true}"}, nil},
		{"text that looks like something else", `{"targetAttributeName":"employeeId","source":{"name":"007","type":"Constant"},"defaultValue":"no"}`,
			[]string{"- {target: employeeId, constant: '007', defaultValue: 'no'}"}, nil},
		{"text that looks like a reference", `{"targetAttributeName":"city","source":{"name":"${HOME} it's","type":"Constant"}}`,
			[]string{"- {target: city, constant: '$${HOME} it''s'}"}, nil},
		{"text of several lines", `{"targetAttributeName":"city","source":{"name":"a\nb\t\u0007\u2028\"\\","type":"Constant"}}`,
			[]string{`- {target: city, constant: "a\nb\u0009\u0007\u2028\"\\"}`}, nil},
		{"an AD macro", `{"targetAttributeName":"city","source":{"expression":null,"name":"%DomainFQDN%","type":"Constant"}}`,
			[]string{"- {target: city, constant: '%DomainFQDN%'}"}, nil},
		{"expression", `{"targetAttributeName":"displayName","source":{"expression":"Append([displayName], \" (X)\")","name":"Append","type":"Function","parameters":[
{"key":"source","value":{"expression":"[displayName]","name":"displayName","type":"Attribute"}},{"key":"suffix","value":{"expression":"\" (X)\"","name":" (X)","type":"Constant"}}]},"defaultValue":"nobody"}`,
			[]string{`- {target: displayName, expression: 'Append([displayName], " (X)")', defaultValue: nobody}`}, nil},
		{"a long expression", `{"targetAttributeName":"displayName","source":{"expression":"Join(\" \", [givenName], [surname], [department], [companyName], [city], [country], \"and quite some more of it\")","type":"Function"},"flowType":"Always"}`,
			[]string{`- target: displayName`, `  expression: 'Join(" ", [givenName], [surname], [department], [companyName], [city], [country], "and quite some more of it")'`}, nil},
		{"an expression that is an attribute", `{"targetAttributeName":"city","source":{"expression":"[state]","type":"Function"}}`,
			[]string{"- {target: city, source: state}"}, nil},
		{"none", `{"targetAttributeName":"city","source":null,"defaultValue":"Oslo"}`,
			[]string{`- {target: city, constant: null, defaultValue: Oslo} # type "None": the default value is for users who are created`}, nil},
		{"reference", `{"targetAttributeName":"manager","source":{"name":"manager"}}`,
			[]string{"- {target: manager, source: manager, flowNull: false} # as in Entra: a manager who is removed in the source stays in the target"}, nil},
		{"old names", `{"targetAttributeName":"telephoneNumber","source":{"name":"mobile"}},{"targetAttributeName":"mobile","source":{"name":"mobile"}}`,
			[]string{"- {target: telephoneNumber, source: mobile} # in Graph: the first of businessPhones", "- {target: mobile, source: mobile} # in Graph: mobilePhone"}, nil},
		{"directory extension", `{"targetAttributeName":"` + extension + `","source":{"name":"extensionAttribute1"}}`,
			[]string{"- {target: " + extension + ", source: extensionAttribute1}"}, nil},
		{"always", `{"targetAttributeName":"city","source":{"name":"city"},"flowBehavior":"FlowAlways"}`,
			[]string{"- {target: city, source: city}"}, []string{"changed: city: flowBehavior FlowAlways: only what differs is written, on every comparison"}},
		{"matching", `{"targetAttributeName":"employeeId","source":{"name":"employeeId"},"matchingPriority":1}`,
			[]string{"- {target: employeeId, source: employeeId, matchingPriority: 1}"},
			[]string{"check: employeeId: matchingPriority 1: it replaces the built-in matching by addresses; remove matchingPriority unless target users hold the very same value"}},
		{"the fixed match row", `{"targetAttributeName":"alternativeSecurityIds","matchingPriority":1,"source":{"expression":"AltSecIdFromNetId([netId])","type":"Function"}},{"targetAttributeName":"city","source":{"name":"city"}}`,
			[]string{"# left out: alternativeSecurityIds: it is the fixed match row, which public Graph does not show: users are",
				"#   matched by their addresses and their home tenant instead", "- {target: city, source: city}"},
			[]string{"left out: alternativeSecurityIds: it is the fixed match row, which public Graph does not show: users are matched by their addresses and their home tenant instead"}},
		{"refused", `{"targetAttributeName":"proxyAddresses","source":{"name":"proxyAddresses"}},{"targetAttributeName":"city","source":{"name":"city"}}`,
			[]string{"# left out: proxyAddresses: it is read-only in Graph and follows mail: map mail instead", "- {target: city, source: city}"},
			[]string{"left out: proxyAddresses: it is read-only in Graph and follows mail: map mail instead"}},
		{"unknown function", `{"targetAttributeName":"city","source":{"expression":"ToUper([city])","type":"Function"}},{"targetAttributeName":"state","source":{"name":"state"}}`,
			[]string{"# left out: city: column 1: unknown function ToUper", "#   {target: city, expression: 'ToUper([city])'}", "- {target: state, source: state}"},
			[]string{"left out: city: {expression: 'ToUper([city])'}: column 1: unknown function ToUper; did you mean ToUpper?"}},
		{"unknown flow type", `{"targetAttributeName":"city","source":{"name":"city"},"flowType":"Sometimes"},{"targetAttributeName":"state","source":{"name":"state"}}`,
			[]string{"# left out: city: unknown flow type", "- {target: state, source: state}"},
			[]string{"left out: city: flowType Sometimes: unknown flow type; add the mapping by hand with the flow type that is meant"}},
		{"twice, by two names", `{"targetAttributeName":"mobile","source":{"name":"mobile"}},{"targetAttributeName":"mobilePhone","source":{"name":"faxNumber"}}`,
			[]string{"- {target: mobile, source: mobile} # in Graph: mobilePhone", "# left out: mobilePhone: there is a mapping to mobile already", "#   {target: mobilePhone, source: faxNumber}"},
			[]string{"left out: mobilePhone: {source: faxNumber}: there is a mapping to mobile already; keep the one that is meant"}},
		{"a default value that cannot be", `{"targetAttributeName":"manager","source":{"name":"manager"},"defaultValue":"x"},{"targetAttributeName":"accountEnabled","source":{"name":"accountEnabled"},"defaultValue":"perhaps"}`,
			[]string{"- {target: manager, source: manager, flowNull: false} # as in Entra: a manager who is removed in the source stays in the target", "- {target: accountEnabled, source: accountEnabled}"},
			[]string{"left out: manager: defaultValue x: manager is a reference to a user: it cannot have a default value",
				"left out: accountEnabled: defaultValue perhaps: accountEnabled is Boolean: only True and False can flow to it"}},
		{"a matching priority that cannot be", `{"targetAttributeName":"accountEnabled","source":{"name":"accountEnabled"},"matchingPriority":1}`,
			[]string{"- {target: accountEnabled, source: accountEnabled}"},
			[]string{"left out: accountEnabled: matchingPriority 1: users cannot be matched by accountEnabled: it does not tell one from another"}},
		{"without a target", `{"source":{"name":"city"}},{"targetAttributeName":"state","source":{"name":"state"}}`,
			[]string{`# left out: a mapping of object mapping "Users": it has no target attribute`, "- {target: state, source: state}"},
			[]string{`left out: a mapping of object mapping "Users": it has no target attribute`}},
		{"without a source", `{"targetAttributeName":"city","source":{"type":"Function"}},{"targetAttributeName":"state","source":{"name":"state"}}`,
			[]string{`# left out: city: its source is empty`, "- {target: state, source: state}"},
			[]string{`left out: city: its source is empty; add the mapping by hand`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := imported(t, of(tt.mapping))
			same(t, "mappings", linesAfter(t, j, "  mappings"), tt.want)
			same(t, "notes", notes(j), tt.notes)
			load(t, j)
			if !j.Enabled {
				t.Error("the job is not enabled")
			}
		})
	}
}

// The schema's directories say what a directory extension of the target holds.
func TestExtensions(t *testing.T) {
	const name = "extension_0123456789abcdef0123456789abcdef_"
	schema := `{"synchronizationRules":[{"targetDirectoryName":"T","objectMappings":[{"sourceObjectName":"User","targetObjectName":"User","attributeMappings":[
{"targetAttributeName":"` + name + `level","source":{"name":"extensionAttribute1"}},
{"targetAttributeName":"` + name + `roles","source":{"name":"otherMails"}},
{"targetAttributeName":"` + name + `vip","source":{"name":"true","type":"Constant"}}]}]}],
"directories":[{"name":"S","objects":[{"name":"User","attributes":[{"name":"` + name + `level","type":"Boolean"}]}]},
{"name":"T","objects":[{"name":"User","attributes":[{"name":"` + name + `level","type":"Integer"},{"name":"` + name + `roles","type":0,"multivalued":true},{"name":"` + name + `vip","type":"String"}]}]}]}`
	j, err := importer.Schema([]byte(schema), importer.Settings{Extensions: map[string]importer.Extension{name + "vip": {Type: "Boolean"}}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mappings", linesAfter(t, j, "  mappings"), []string{
		"- {target: " + name + "level, source: extensionAttribute1, type: Integer}",
		"- target: " + name + "roles", "  source: otherMails", "  type: String", "  multivalued: true",
		"- {target: " + name + "vip, constant: true, type: Boolean}"})
	same(t, "notes", notes(j), nil)
	load(t, j)
}

// App roles come from the assignments of an application, or not at all.
func TestAppRoles(t *testing.T) {
	mappings := of(`{"targetAttributeName":"jobTitle","source":{"expression":"SingleAppRoleAssignment([appRoleAssignments])","type":"Function"}},` + city)
	j := imported(t, mappings)
	same(t, "notes", notes(j), []string{"left out: jobTitle: {expression: 'SingleAppRoleAssignment([appRoleAssignments])'}: app roles are known only of users whom an application assigns; import again with --service-principal ID, the configuration in the source tenant"})
	load(t, j)
	j, err := importer.Schema([]byte(mappings), importer.Settings{ServicePrincipalID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes with a service principal", notes(j), nil)
	if job, _ := load(t, j); len(job.Mappings) != 2 {
		t.Errorf("got %d mappings, want 2", len(job.Mappings))
	}
}

// A job that kept no mapping must not fall back on the default ones unseen.
func TestNoMappingLeft(t *testing.T) {
	for _, mappings := range []string{``, `{"targetAttributeName":"IsSoftDeleted","source":{"name":"IsSoftDeleted"}}`} {
		j := imported(t, of(mappings))
		if j.Enabled {
			t.Errorf("%s: the job is enabled", mappings)
		}
		if len(j.Notes) != 1 {
			t.Errorf("%s: got notes %q, want one", mappings, notes(j))
		}
		job, _ := load(t, j)
		if job.Enabled {
			t.Errorf("%s: what is written is enabled", mappings)
		}
	}
}
