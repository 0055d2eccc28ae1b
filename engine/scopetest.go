package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"tenantsync/directory"
	"tenantsync/scope"
)

// ScopeTest shows each condition of scope for one user.
func (e *Engine) ScopeTest(ctx context.Context, user, job string) (*ScopeTest, error) {
	r, err := e.runner(job)
	if err != nil {
		return nil, err
	}
	s, _, _, err := e.scopeOf(ctx, user, r)
	return s, err
}

// scopeOf reads a user and its membership now, and judges it.
func (e *Engine) scopeOf(ctx context.Context, user string, r *runner) (*ScopeTest, directory.Object, verdict, error) {
	fail := func(err error) (*ScopeTest, directory.Object, verdict, error) {
		return nil, directory.Object{}, verdict{}, e.jobError(r.job, err)
	}
	c, err := e.onDemand(ctx, r)
	if err != nil {
		return fail(err)
	}
	o, err := e.findOrRemember(ctx, c, user)
	if err != nil {
		return fail(err)
	}
	as, err := c.present(ctx, []string{o.ID})
	if err != nil {
		return fail(err)
	}
	a := as.of(o.ID)
	v := judge(o, *c.source, a, r.job, c.began)
	out := &ScopeTest{Job: r.job.Name, User: ChangeSource{ID: o.ID, UPN: o.UPN()}, InScope: v.inScope() && v.state == sourceActive, Reason: v.reason}
	_, guest := notInternalMember(o, *c.source)
	userType := o.Attributes.Get(attrUserType).String()
	if userType == "" {
		userType = "(none)"
	}
	out.Checks = append(out.Checks,
		ScopeCheck{Name: "Active in source system", Value: title(o.Enabled()), Passed: v.state != sourceGone && o.Enabled()},
		ScopeCheck{Name: "Internal member", Value: "userType " + userType, Passed: !guest},
		ScopeCheck{Name: "Assigned to application", Value: a.through, Passed: a.assigned})
	if a.filters != nil && len(a.filters.gone) > 0 {
		out.Checks = append(out.Checks, ScopeCheck{Name: "Groups of filters exist", Value: "gone: " + strings.Join(a.filters.gone, ", ")})
	}
	for i, g := range c.explain(o, a) {
		out.Checks = append(out.Checks, c.filterChecks(i, g)...)
	}
	return out, o, v, nil
}

// explain judges every clause of the job's filters.
func (c *cycle) explain(o directory.Object, as assignment) []scope.GroupResult {
	attributes := o.Attributes
	if as.filters != nil {
		attributes = withGroups(attributes, as.filters.existing(as.groups))
	}
	return c.job.Scope.Filter.Explain(attributes, c.began)
}

// filterChecks shows a filter: its own verdict, then those of its clauses.
func (c *cycle) filterChecks(i int, g scope.GroupResult) []ScopeCheck {
	name, label := g.Title, "filter "+strconv.Quote(g.Title)
	if name == "" {
		name = "filter " + strconv.Itoa(i+1)
		label = name
	}
	wrong := 0
	checks := []ScopeCheck{{Name: label, Passed: g.Passed, Filter: name}}
	for n, cl := range g.Clauses {
		check := ScopeCheck{Filter: name, Clause: n + 1, Text: c.clauseText(cl), Value: c.clauseValue(cl), Passed: cl.Passed, Resolved: cl.Resolved}
		check.Name = name + ": " + check.Text
		if cl.Err != nil {
			check.Error = cl.Err.Error()
		}
		if !cl.Passed {
			wrong++
		}
		checks = append(checks, check)
	}
	switch {
	case wrong == 0:
		checks[0].Value = "every clause is true"
	case wrong == 1:
		checks[0].Value = fmt.Sprintf("1 of %s is not true", countOf(len(g.Clauses), "clause"))
	default:
		checks[0].Value = fmt.Sprintf("%d of %d clauses are not true", wrong, len(g.Clauses))
	}
	return checks
}

// clauseText is a clause as people see it, without its constants when the
// attribute is sensitive.
func (c *cycle) clauseText(cl scope.ClauseResult) string {
	if cl.Attribute != scope.MemberOf && c.job.Mapping.SensitiveSource(cl.Attribute) {
		return cl.Masked
	}
	return cl.Text
}

// clauseValue is what a clause saw: of groups those it names that the user is in.
func (c *cycle) clauseValue(cl scope.ClauseResult) string {
	if cl.Attribute == scope.MemberOf && cl.Value.IsEmpty() {
		return "(none of them)"
	}
	return c.shownSource(cl.Attribute, cl.Value)
}
