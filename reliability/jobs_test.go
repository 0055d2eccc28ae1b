package reliability_test

import (
	"fmt"
	"sync"
	"time"

	"tenantsync/engine"
	"tenantsync/entra"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// schemas are the mappings that scripts choose among, compiled once.
var schemas = sync.OnceValue(func() map[string]*mapping.Schema {
	out := map[string]*mapping.Schema{}
	for name, over := range map[string]mapping.Mapping{
		"":        {Target: "city", Source: "city"},
		"suffix":  {Target: "displayName", Expression: `Append([displayName], " (Contoso)")`},
		"addOnly": {Target: "jobTitle", Source: "jobTitle", FlowType: mapping.AttributeAddOnly},
	} {
		ms := mapping.Default()
		for i := range ms {
			if ms[i].Target == over.Target {
				ms[i] = over
			}
		}
		schema, problems := mapping.Compile(ms)
		if schema == nil {
			panic(problems)
		}
		out[name] = schema
	}
	return out
})

// filterOf compiles a scoping filter: "" lets everybody in, else a department.
func filterOf(department string) *scope.Filter {
	if department == "" {
		return &scope.Filter{}
	}
	f, problems := scope.Compile([]scope.Group{{Title: "who", Clauses: []scope.Clause{
		{Attribute: "department", Operator: scope.Equals, Values: []string{department}}}}})
	if f == nil {
		panic(problems)
	}
	return f
}

// scopeOf is the scope a setting names.
func (s *Settings) scopeOf() engine.Scope {
	out := engine.Scope{Filter: filterOf(s.Filter)}
	switch s.Scope {
	case "group":
		out.Groups = []string{groupID(1)}
	case "groups":
		out.Groups = []string{groupID(1), groupID(2)}
	case "nested":
		out.Groups, out.Nested = []string{groupID(1)}, true
	default:
		out.All = true
	}
	return out
}

// rules identifies everything whose change needs an initial cycle.
func (s *Settings) rules() string {
	return fmt.Sprint(s.Scope, "/", s.Filter, "/", s.Rules, s.NoCreate, s.NoUpdate, s.NoDelete, s.Deprovision, s.Yield)
}

func (s *Settings) threshold() int {
	if s.Threshold > 0 {
		return s.Threshold
	}
	return 500
}

func (s *Settings) percent() float64 {
	switch {
	case s.Percent < 0:
		return 0
	case s.Percent > 0:
		return s.Percent
	}
	return 10
}

// jobs are the jobs as a configuration of the present settings has them.
func (p *process) jobs() []engine.Job {
	w := p.w
	var out []engine.Job
	for _, name := range w.jobs {
		switch name {
		case firstJob:
			out = append(out, p.job(name, w.source, w.target, p.sourceC, p.targetC, p.there, w.job))
		case secondJob:
			out = append(out, p.job(name, w.source, w.target, p.sourceC, p.targetC, p.there, w.secondSettings()))
		case reverseJob:
			out = append(out, p.job(name, w.target, w.source, p.targetC, p.sourceC, p.back, Settings{}))
		}
	}
	return out
}

// secondSettings are those of the second job: the first's mapping, over group 2.
func (w *world) secondSettings() Settings {
	s := w.job
	s.Scope, s.Filter = "second", ""
	return s
}

func (p *process) job(name string, source, target *entrasim.Tenant, from, to *entra.Client, budget *entra.Budget, s Settings) engine.Job {
	m := entra.NewMeter()
	j := engine.Job{Name: name, Enabled: true, SourceName: source.Name, TargetName: target.Name,
		Pair:   store.Pair{Source: source.ID, Target: target.ID},
		Source: from.Source(m), Target: to.Target(m, budget), Meter: m,
		Schedule: "@every 40m", Scope: s.scopeOf(), Mapping: schemas()[s.Rules], Rules: s.rules(),
		Actions:    engine.Actions{Create: !s.NoCreate, Update: !s.NoUpdate, Delete: !s.NoDelete},
		Invitation: engine.Invitation{RedirectURL: "https://myapplications.microsoft.com/?tenantid=" + target.ID},
		YieldBlock: s.Yield, DeleteAfter: time.Duration(s.DeleteAfter),
		Prevent: true, Threshold: s.threshold(), Percent: s.percent(), ScopeShrink: 50, Changes: 10}
	if n := p.w.script.Setup.Window; n > 0 && name == firstJob {
		j.Window, j.WindowThreshold = window, n
	}
	if s.Shrink != 0 {
		j.ScopeShrink = max(s.Shrink, 0)
	}
	if s.Scope == "second" {
		j.Scope = engine.Scope{Groups: []string{groupID(2)}, Filter: filterOf("")}
	}
	switch s.Deprovision {
	case "disable":
		j.Deprovision = engine.DeprovisionDisable
	case "none":
		j.Deprovision = engine.DeprovisionNone
	}
	return j
}

// configure loads changed settings into the running process.
func (w *world) configure(s Settings) error {
	w.job = s
	w.truth.mu.Lock()
	w.truth.settings = append(w.truth.settings, time.Now())
	w.truth.mu.Unlock()
	return w.p.engine.Reload(w.p.jobs())
}
