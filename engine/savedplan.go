package engine

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

// planFormat names the form of a saved plan; another form has another name.
const planFormat = "tenantsync-plan/1"

// SavedPlan is a plan as it is kept in a file: what a cycle would do, for whom it
// was shown, and until when it may be applied. Values of sensitive mappings are not
// in it, but Digest covers them.
type SavedPlan struct {
	Format string `json:"format"`
	Job    string `json:"job"`
	// Source and Target are the ids of the job's tenants.
	Source string `json:"source"`
	Target string `json:"target"`
	// Configuration stands for everything of the job's configuration that decides
	// what a cycle writes.
	Configuration string        `json:"configuration"`
	Cycle         string        `json:"cycle"` // initial, incremental
	Created       time.Time     `json:"created"`
	Expires       time.Time     `json:"expires"`
	Summary       store.Summary `json:"summary"`
	// Changes are what would be written, and the deletions that would be held.
	Changes []Change `json:"changes"`
	// Digest stands for these changes with every value.
	Digest string `json:"digest"`
	// Checksum stands for all of the above, as it is written here.
	Checksum string `json:"checksum"`
}

// PlanApproval is what apply asks an engine for: to do what was shown, or nothing.
type PlanApproval struct {
	Pair          store.Pair `json:"pair"`
	Configuration string     `json:"configuration"`
	Digest        string     `json:"digest"`
	Expires       time.Time  `json:"expires"`
	Count         int        `json:"count"` // of the changes
	// Changes are the changes in short, so that a refusal can tell what differs; none
	// of a plan with very many.
	Changes []PlannedChange `json:"changes,omitempty"`
}

// PlannedChange is one change of a plan in short: Sum stands for all that is shown of it.
type PlannedChange struct {
	Action string `json:"action"`
	ID     string `json:"id"`
	UPN    string `json:"upn"`
	Sum    string `json:"sum"`
}

// maxPlanned is up to how many changes a refusal can name those that differ: they
// have to fit in one request to the daemon.
const maxPlanned = 4000

// ParseSavedPlan reads a saved plan. One that was changed by hand is refused: it
// would show something else than it stands for.
func ParseSavedPlan(content []byte) (*SavedPlan, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	var p SavedPlan
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("not a saved plan: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("not a saved plan: something follows it")
	}
	switch sum, err := p.checksum(); {
	case p.Format != planFormat:
		return nil, fmt.Errorf("not a saved plan of the form %s: its format is %q", planFormat, p.Format)
	case err != nil:
		return nil, err
	case sum != p.Checksum:
		return nil, fmt.Errorf("the plan was changed since it was saved")
	}
	return &p, nil
}

func (p *SavedPlan) checksum() (string, error) {
	copied := *p
	copied.Checksum = ""
	b, err := json.Marshal(copied)
	if err != nil {
		return "", fmt.Errorf("encode plan: %w", err)
	}
	return hexSum(b), nil
}

// Request is the request that applies the plan.
func (p *SavedPlan) Request() SyncRequest {
	a := &PlanApproval{Pair: store.Pair{Source: p.Source, Target: p.Target}, Configuration: p.Configuration, Digest: p.Digest,
		Expires: p.Expires, Count: len(p.Changes)}
	if len(p.Changes) <= maxPlanned {
		a.Changes = briefly(p.Changes)
	}
	return SyncRequest{Job: p.Job, Initial: p.Cycle == cycleName(true), Plan: a, Trigger: "command"}
}

// save makes a saved plan of a plan that ran through.
func (c *cycle) save(summary store.Summary, valid time.Duration) (*SavedPlan, error) {
	p := &SavedPlan{Format: planFormat, Job: c.job.Name, Source: c.job.Pair.Source, Target: c.job.Pair.Target,
		Configuration: c.job.configuration(), Cycle: cycleName(c.initial), Created: c.began.UTC().Truncate(time.Second),
		Summary: summary, Changes: c.preview.writing(), Digest: c.preview.digest()}
	p.Expires = p.Created.Add(valid)
	var err error
	p.Checksum, err = p.checksum()
	return p, err
}

// configuration stands for what of a job's configuration decides what a cycle
// writes or holds.
func (j *Job) configuration() string {
	return hexSum(fmt.Appendf(nil, "%q %v %+v %t %d %s %t %d %g %g %g %s %d %g %g %d %g %g %v %q", j.Rules, j.Actions, j.Invitation,
		j.YieldBlock, j.Deprovision, j.DeleteAfter, j.Prevent, j.Threshold, j.Percent, j.ScopeShrink, j.Changes,
		j.Window, j.WindowThreshold, j.WindowPercent, j.Creates, j.CreatesPerDay, j.Updates, j.Members, j.Protection, j.AllowedDomains))
}

// writing returns the changes that write something, or hold a deletion, in the
// order of a plan.
func (p *preview) writing() []Change {
	out := []Change{}
	for _, ch := range p.changes {
		if ch.Action != "none" && ch.Action != "fail" {
			out = append(out, ch)
		}
	}
	sortChanges(out)
	return out
}

// digest stands for the changes of a plan with all their values.
func (p *preview) digest() string {
	seals := slices.Clone(p.seals)
	slices.Sort(seals)
	b, _ := json.Marshal(seals) // of texts: cannot fail
	return hexSum(b)
}

// seal remembers what one change would write, its hidden values included.
func (p *preview) seal(ch Change, diff []directory.Modified, managers ...string) {
	if p == nil || ch.Action == "none" || ch.Action == "fail" {
		return
	}
	b, _ := json.Marshal(append(ch.ids(), managers...)) // of texts: cannot fail
	for _, m := range diff {
		b = directory.AppendAttributes(b, directory.Attributes{{Name: m.Name, Value: m.Old}, {Name: m.Name + " ", Value: m.New}})
	}
	p.seals = append(p.seals, hexSum(b))
}

// ids are what a change is done to.
func (ch *Change) ids() []string {
	target := ""
	if ch.Target != nil {
		target = ch.Target.ID
	}
	return []string{ch.Action, ch.Code, ch.Source.ID, target}
}

// briefly returns changes in short.
func briefly(list []Change) []PlannedChange {
	out := make([]PlannedChange, len(list))
	for i := range list {
		ch := &list[i]
		parts := ch.ids()
		for _, m := range ch.Modified {
			parts = append(parts, m.Name, textOf(m.Old), textOf(m.New))
		}
		b, _ := json.Marshal(parts) // of texts: cannot fail
		out[i] = PlannedChange{Action: ch.Action, ID: ch.Source.ID, UPN: cmp.Or(ch.Source.UPN, ch.Source.ID), Sum: hexSum(b)[:16]}
	}
	return out
}

func textOf(v *string) string {
	if v == nil {
		return "-"
	}
	return "=" + *v
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
