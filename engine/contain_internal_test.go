package engine

import (
	"context"
	"errors"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/scope"
	"tenantsync/store"
)

// What panics over one user becomes that user's failure, wherever it happens.
func TestPanicIsThatUsersFailure(t *testing.T) {
	o := directory.Object{ID: "u", Attributes: directory.AttributesOf(map[string]directory.Value{
		attrUPN: directory.TextOf("u@contoso.example"), attrAccountEnabled: directory.BoolOf(true)})}
	j := &Job{Name: "job"} // without filter and mappings: looking at them panics
	var fault *directory.Fault

	v := judge(o, directory.Tenant{}, assignment{assigned: true}, j, noon)
	if !errors.As(v.err, &fault) || v.inScope() {
		t.Errorf("scoping: got %+v, want undecided by a fault", v)
	}
	c := &cycle{job: j, dry: true, preview: &preview{}}
	if _, err := c.planUpdate(o, &store.Link{}, noon); !errors.As(err, &fault) {
		t.Errorf("processing: got %v, want a fault", err)
	}

	// In judging: the engine that knows the link's owner is missing.
	c.st, c.runner, c.source = linksOnly{links: []store.Link{{SourceID: "u", Job: "another"}}}, newRunner(j), &directory.Tenant{}
	j.Scope.Filter, j.Mapping = &scope.Filter{}, &mapping.Schema{}
	c.pos = map[idKey]position{keyOf("u"): {1, 0}}
	page := &store.StagePage{Job: "job", Seq: 1, Objects: []directory.Object{o}}
	whole := &assigner{all: true}
	if err := c.judgePage(t.Context(), page, whole, &work{}); err != nil {
		t.Errorf("judging: got %v, want the cycle to go on", err)
	}
	if c.tally.Failed != 1 || len(c.preview.changes) != 1 || c.preview.changes[0].Code != string(CodeFault) {
		t.Errorf("judging: got %d failures, %+v, want one with %s", c.tally.Failed, c.preview.changes, CodeFault)
	}
}

// linksOnly answers queries for links and can do nothing else.
type linksOnly struct {
	store.Store
	links []store.Link
}

func (s linksOnly) Links(context.Context, store.LinkQuery) ([]store.Link, error) { return s.links, nil }
