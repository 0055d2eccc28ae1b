package importer_test

import (
	"strings"
	"testing"
)

const city = `{"targetAttributeName":"city","source":{"name":"city"}}`

// clause is a clause of a filter; values are JSON.
func clause(attribute, operator, values string) string {
	return `{"sourceOperandName":"` + attribute + `","operatorName":"` + operator + `","targetOperand":` + values + `}`
}

func group(name string, clauses ...string) string {
	return `{"name":"` + name + `","clauses":[` + strings.Join(clauses, ",") + `]}`
}

func scopeOf(groups ...string) string {
	return `"scope":{"groups":[` + strings.Join(groups, ",") + `],"inputFilterGroups":[],"categoryFilterGroups":null}`
}

func TestFilters(t *testing.T) {
	const builtIn = `"alternativeSecurityIds","operatorName":"EQUALS","targetOperand":{"values":["'None'"]}}`
	internal := `{"sourceOperandName":` + builtIn
	for _, tt := range []struct {
		name, scope string
		want        []string // below filters
		notes       []string
		enabled     bool
	}{
		{"none", `"scope":null`, nil, nil, true},
		{"no groups", scopeOf(), nil, nil, true},
		{"two groups", scopeOf(group("Sales", clause("department", "EQUALS", `{"values":["Sales"]}`), clause("accountEnabled", "IS TRUE", `null`)),
			group("", clause("employeeId", "Greater_Than_OR_EQUALS", `{"values":["100","200"]}`))),
			[]string{"- title: Sales", "  clauses:", "    - {attribute: department, operator: EQUALS, value: Sales}", "    - {attribute: accountEnabled, operator: 'IS TRUE'}",
				"- clauses:", "    - {attribute: employeeId, operator: GREATER_THAN_OR_EQUALS, values: ['100', '200']}"}, nil, true},
		{"pattern", scopeOf(group("P", clause("mail", "NOT REGEX MATCH", `{"values":["^SystemMailbox{|\\$${x}'"]}`))),
			[]string{"- title: P", "  clauses:", `    - {attribute: mail, operator: 'NOT REGEX MATCH', value: '^SystemMailbox{|\$$${x}'''}`}, nil, true},
		{"the built-in clause beside another", scopeOf(group("G", internal, clause("city", "IS NOT NULL", `{"values":[""]}`))),
			[]string{"- title: G", "  clauses:", "    - {attribute: city, operator: 'IS NOT NULL'}"},
			[]string{`changed: filter 1 (G): alternativeSecurityIds EQUALS "'None'": it is built in: only internal users of the source are read`}, true},
		{"the built-in filter alone", scopeOf(group("Filter external users", internal)), nil,
			[]string{`changed: filter 1 (Filter external users): alternativeSecurityIds EQUALS "'None'": it is built in: only internal users of the source are read`}, true},
		{"the built-in filter beside another", scopeOf(group("E", internal), group("C", clause("city", "IS NOT NULL", `null`))),
			[]string{"- title: C", "  clauses:", "    - {attribute: city, operator: 'IS NOT NULL'}"},
			[]string{`changed: filter 1 (E): alternativeSecurityIds EQUALS "'None'": it is built in: only internal users of the source are read`}, true},
		{"a filter without clauses", scopeOf(group("E")), nil, []string{"changed: filter 1 (E): it has no clause and holds for everybody"}, true},
		{"a filter without clauses beside another", scopeOf(group("E"), group("C", clause("city", "IS NOT NULL", `null`))),
			[]string{"- title: C", "  clauses:", "    - {attribute: city, operator: 'IS NOT NULL'}"},
			[]string{"changed: filter 1 (E): it has no clause and holds for everybody",
				"check: filters: one filter has no clause and holds for everybody, so that the others would narrow nothing; only the others are written; take the filters out of scope if everybody is meant, then remove enabled: false"}, false},
		{"a scope that is text", `"scope":"city EQUALS Oslo"`, nil, nil, false},
		{"groups that are text", `"scope":{"groups":"city EQUALS Oslo"}`, nil, nil, false},
		{"input groups that are a number", `"scope":{"inputFilterGroups":1}`, nil, nil, false},
		{"clauses that are text", scopeOf(`{"name":"G","clauses":"city EQUALS Oslo"}`), nil, nil, false},
		{"a group that is null", scopeOf(`null`, group("C", clause("city", "IS NOT NULL", `null`))),
			[]string{"# left out: filter 1:", "#   it is no object with clauses", "- title: C", "  clauses:", "    - {attribute: city, operator: 'IS NOT NULL'}"}, nil, false},
		{"a value that is an object", scopeOf(group("G", clause("city", "NOT EQUALS", `{"values":["Oslo",{"value":"Bergen"}]}`))), nil, nil, false},
		{"a value that is null", scopeOf(group("G", clause("city", "NOT EQUALS", `{"values":["Oslo",null]}`))),
			[]string{"- title: G", "  clauses:", "    - {attribute: city, operator: 'NOT EQUALS', value: Oslo}"}, nil, true},
		{"an attribute that Graph does not have", scopeOf(group("G", clause("city", "EQUALS", `{"values":["Oslo"]}`), clause("netId", "IS NOT NULL", `null`)),
			group("C", clause("city", "EQUALS", `{"values":["Bergen"]}`))),
			[]string{`# left out: filter 1 (G): city EQUALS "Oslo" and netId IS NOT NULL`, `#   netId IS NOT NULL: Graph v1.0 has no attribute netId: it is internal to Microsoft's own service; users`,
				"#     are matched by their addresses",
				"- title: C", "  clauses:", "    - {attribute: city, operator: EQUALS, value: Bergen}"},
			[]string{`left out: filter 1 (G): netId IS NOT NULL: Graph v1.0 has no attribute netId: it is internal to Microsoft's own service; users are matched by their addresses; write the filter another way, then remove enabled: false`}, false},
		{"an unknown operator, nothing left", scopeOf(group("G", clause("city", "SOUNDS_LIKE", `{"values":["Oslo"]}`))),
			nil, nil, false},
		{"several wrong clauses", scopeOf(group("G", clause("city", "REGEX MATCH", `{"values":["("]}`), clause("", "EQUALS", `{}`))), nil, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := imported(t, of(city, tt.scope))
			if tt.want != nil || tt.enabled {
				same(t, "filters", linesAfter(t, j, "    filters"), tt.want)
			}
			if tt.notes != nil || tt.enabled {
				same(t, "notes", notes(j), tt.notes)
			} else if len(j.Notes) == 0 {
				t.Error("got no notes, want some")
			}
			job, fromJSON := load(t, j)
			if job.Enabled != tt.enabled {
				t.Errorf("enabled: got %v, want %v", job.Enabled, tt.enabled)
			}
			if len(job.Scope.Filters) != len(j.Filters) || len(fromJSON.Scope.Filters) != len(j.Filters) {
				t.Errorf("got %d filters from YAML, %d from JSON, want %d", len(job.Scope.Filters), len(fromJSON.Scope.Filters), len(j.Filters))
			}
		})
	}
}

// What keeps users out and cannot be taken over stops the job from running by
// itself; what kept nobody out does not.
func TestRestrictionsLost(t *testing.T) {
	for _, tt := range []struct {
		name, members string
		note          string
		enabled       bool
	}{
		{"inputFilterGroups", `"scope":{"inputFilterGroups":[` + group("I", clause("city", "EQUALS", `{"values":["Oslo"]}`)) + `]}`,
			`left out: inputFilterGroups 1: city EQUALS "Oslo": it drops objects while reading and never deprovisions them; there is no such filter here; write it as a scoping filter if users who stop passing it may be deprovisioned, then remove enabled: false`, false},
		{"categoryFilterGroups", `"scope":{"categoryFilterGroups":[` + group("", clause("city", "IS NULL", `null`)) + `]}`,
			`left out: categoryFilterGroups 1: city IS NULL: it decides whether the object mapping applies to an object; there is no such filter here; write it as a scoping filter if users who stop passing it may be deprovisioned, then remove enabled: false`, false},
		{"the built-in filter as an input filter", `"scope":{"inputFilterGroups":[` + group("Filter external users", clause("alternativeSecurityIds", "EQUALS", `{"values":["None"]}`)) + `]}`,
			`left out: inputFilterGroups 1: alternativeSecurityIds EQUALS "None": it is built in: only internal users of the source are read`, true},
		{"not enabled", `"enabled":false`, `check: object mapping "Users": it was not enabled; the job is written with enabled: false; remove the line to let it run`, false},
		{"not enabled, as a number", `"enabled":0`, `check: object mapping "Users": it was not enabled; the job is written with enabled: false; remove the line to let it run`, false},
		{"no action", `"flowTypes":"None"`, `check: flowTypes of object mapping "Users": None: the object mapping was allowed to do nothing; the job is written with enabled: false; write targetObjectActions before it runs`, false},
		{"an unknown action", `"flowTypes":"Add, Update, Delete, Merge"`, `left out: flowTypes of object mapping "Users": Merge: unknown target object action; compare targetObjectActions with the admin centre`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := imported(t, of(city, tt.members))
			same(t, "notes", notes(j), []string{tt.note})
			if job, _ := load(t, j); job.Enabled != tt.enabled {
				t.Errorf("enabled: got %v, want %v", job.Enabled, tt.enabled)
			}
		})
	}
	rule := `{"synchronizationRules":[{"name":"r","groupFilter":{"includedGroups":["g1","g2"]},"containerFilter":{"includedContainers":["OU=x"]},` + strings.TrimPrefix(of(city), `{"synchronizationRules":[{"name":"r",`)
	j := imported(t, rule)
	same(t, "notes", notes(j), []string{
		"left out: groupFilter of rule r: g1, g2: the rule took only members of these groups; name them in scope.groups if they are groups of the source tenant, then remove enabled: false",
		"left out: containerFilter of rule r: OU=x: users of Microsoft Entra lie in no containers; narrow scope by other means, then remove enabled: false"})
	if j.Enabled {
		t.Error("a job without its rule's group filter is enabled")
	}
}

func TestTargetObjectActions(t *testing.T) {
	for _, tt := range []struct{ flowTypes, want string }{
		{`"Add, Update, Delete"`, ""}, {`7`, ""}, {`null`, ""}, {`["Add","Update","Delete"]`, ""},
		{`"Add,Update"`, "create update"}, {`"update"`, "update"}, {`3`, "create update"}, {`4`, "delete"}, {`"5"`, "create delete"},
	} {
		j := imported(t, of(city, `"flowTypes":`+tt.flowTypes))
		job, _ := load(t, j)
		want := tt.want
		if want == "" {
			want = "create update delete"
		}
		var got []string
		for _, a := range job.TargetObjectActions {
			got = append(got, string(a))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("flowTypes %s: got %v, want %s", tt.flowTypes, got, want)
		}
	}
}
