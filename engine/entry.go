package engine

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tenantsync/directory"
	"tenantsync/store"
)

// Provisioning actions of log entries.
const (
	logOther        = "other"
	logCreate       = "create"
	logUpdate       = "update"
	logDisable      = "disable"
	logDelete       = "delete"
	logStagedDelete = "stagedDelete"
)

// Results of steps and entries.
const (
	statusSuccess = "success"
	statusFailure = "failure"
	statusSkipped = "skipped"
	statusWarning = "warning"
)

// Step types, in the order in which they happen.
const (
	stepImport     = "import"
	stepScoping    = "scoping"
	stepMatching   = "matching"
	stepProcessing = "processing"
	stepReference  = "referenceResolution"
	stepExport     = "export"
)

// record is a log entry in the making: what happened to one object.
type record struct {
	entry store.Entry
	began time.Time
}

// newID returns the id of a cycle: it sorts by the time it was made. Entries and
// changes have random ids, because people shorten those to their first digits.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// newRecord begins the entry for one source user.
func (c *cycle) newRecord(o directory.Object, link *store.Link, now time.Time) *record {
	r := &record{began: now}
	r.entry = store.Entry{
		ID: uuid.NewString(), ChangeID: uuid.NewString(), TenantID: c.job.Pair.Source, JobID: c.job.Name, CycleID: c.cyc.ID,
		Action: logOther, InitiatedBy: c.initiator,
		ServicePrincipal: store.Named{DisplayName: c.job.Name},
		SourceSystem:     store.System{ID: c.job.Pair.Source, DisplayName: c.job.SourceName, Details: map[string]string{}},
		TargetSystem:     store.System{ID: c.job.Pair.Target, DisplayName: c.job.TargetName, Details: map[string]string{}},
		SourceIdentity:   userIdentity(o, link),
		TargetIdentity:   store.Identity{Type: "User", Details: map[string]string{}},
		StatusInfo:       store.StatusInfo{Status: statusSuccess},
		Steps:            []store.Step{}, Modified: []store.Property{},
	}
	if link != nil {
		r.entry.TargetIdentity.ID = link.TargetID
	}
	return r
}

// userIdentity names a source user; what a tombstone does not say comes from the link.
func userIdentity(o directory.Object, link *store.Link) store.Identity {
	upn, name := o.UPN(), o.DisplayName()
	if link != nil {
		if upn == "" {
			upn = link.UPN
		}
		if name == "" {
			name = link.DisplayName
		}
	}
	return store.Identity{ID: o.ID, DisplayName: name, Type: "User",
		Details: map[string]string{"id": o.ID, "odatatype": "User", "DisplayName": name, "UserPrincipalName": upn}}
}

// step appends a provisioning step; details come as pairs.
func (r *record) step(name, kind, status, description string, details ...string) *record {
	d := map[string]string{}
	for i := 0; i+1 < len(details); i += 2 {
		d[details[i]] = details[i+1]
	}
	r.entry.Steps = append(r.entry.Steps, store.Step{Name: name, Type: kind, Status: status, Description: description, Details: d})
	return r
}

// result sets the outcome; code and reason are kept for everything but success.
func (r *record) result(status string, code Code, reason string) *record {
	r.entry.StatusInfo.Status = status
	if code == "" {
		r.entry.StatusInfo.Error = nil
		return r
	}
	category := "failure"
	if status == statusSkipped || status == statusWarning {
		category = "nonServiceFailure"
	}
	r.entry.StatusInfo.Error = &store.ErrorInfo{Code: string(code), Reason: reason, Category: category, RecommendedAction: advice[code]}
	return r
}

// modified appends what changed, by attribute.
func (r *record) modified(c *cycle, diff []directory.Modified) *record {
	for _, m := range diff {
		r.entry.Modified = append(r.entry.Modified, store.Property{
			DisplayName: m.Name, OldValue: c.shown(m.Name, m.Old), NewValue: c.shown(m.Name, m.New)})
	}
	return r
}

// shown is a value as logs and plans show it: nil for none, masked when hidden.
func (c *cycle) shown(name string, v directory.Value) *string {
	if v.IsEmpty() {
		return nil
	}
	s := v.String()
	if hidden := c.job.Mapping.Hidden(name); hidden != "" {
		s = hidden
	}
	return &s
}

// hideValues takes the values that are not to be shown out of a sentence of the
// service: a refusal may repeat the value that it refuses.
func (c *cycle) hideValues(sentence string, diff []directory.Modified) string {
	for _, m := range diff {
		hidden := c.job.Mapping.Hidden(m.Name)
		if hidden == "" {
			continue
		}
		for _, v := range []directory.Value{m.Old, m.New} {
			for _, text := range append([]string{v.String()}, v.List()...) {
				if !v.IsEmpty() && text != "" {
					sentence = strings.ReplaceAll(sentence, text, hidden)
				}
			}
		}
	}
	return sentence
}

// done closes the entry at the given time.
func (r *record) done(now time.Time) store.Entry {
	r.entry.ActivityDateTime = now.UTC()
	r.entry.DurationMS = int(now.Sub(r.began).Milliseconds())
	return r.entry
}

// importStep is the first step of most entries.
func (r *record) importStep(o directory.Object, linked bool) *record {
	name, what := "EntryImportAdd", "Received user '"+o.UPN()+"' from the source tenant"
	if linked {
		name, what = "EntryImportUpdate", "Received a change of user '"+o.UPN()+"' from the source tenant"
	}
	if o.Removed != directory.NotRemoved {
		name, what = "EntryImportUpdate", "Received the deletion of user '"+r.entry.SourceIdentity.Details["UserPrincipalName"]+"' from the source tenant"
	}
	return r.step(name, stepImport, statusSuccess, what, "attributes", strconv.Itoa(len(o.Attributes)))
}

// scopingStep tells how scope was judged.
func (r *record) scopingStep(v verdict, enabled bool) *record {
	status, text := statusSuccess, "The user is in scope"
	if !v.inScope() {
		status, text = statusSkipped, "The user is not in scope: "+v.reason
	}
	if v.err != nil {
		status, text = statusFailure, v.reason
	}
	assigned := v.state >= sourceDisabled || v.through != ""
	details := []string{
		"Active in the source system", title(v.state != sourceGone && enabled),
		"Assigned to the application", title(assigned),
		"Scoping filter evaluation passed", title(v.inScope()),
	}
	if v.through != "" {
		details = append(details, "AssignedThrough", v.through)
	}
	return r.step("EntrySynchronizationScoping", stepScoping, status, text, details...)
}

func title(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
