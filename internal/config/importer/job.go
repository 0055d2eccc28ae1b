package importer

import (
	"fmt"
	"strconv"
	"time"

	"tenantsync/mapping"
	"tenantsync/scope"
)

// Settings are what a schema does not say. The zero value is allowed.
type Settings struct {
	// Name is the job's name; "" makes one of Source and Target.
	Name string
	// Source and Target are the names of the two tenants in the configuration;
	// "" stands for "source" and "target".
	Source, Target string
	// ServicePrincipalID is the service principal of the source tenant whose
	// app-role assignments decide who is in scope, "" when it is not known.
	ServicePrincipalID string
	// SyncAll says whether the job synchronizes everybody, or only who is assigned;
	// nil when that is not known, and then nobody is assigned yet.
	SyncAll *bool
	// Interval is the time from one cycle to the next; 0 leaves the default.
	Interval time.Duration
	// PreventDeletions and DeletionThreshold are the accidental-deletion settings;
	// nil leaves the default.
	PreventDeletions  *bool
	DeletionThreshold *int
	// Extensions say what directory extensions hold, by name, where the tenant was
	// asked. They count more than what the schema says.
	Extensions map[string]Extension
}

// Extension is the type of a directory extension.
type Extension struct {
	// Type is String, Integer, Boolean, DateTime or Binary, as the synchronization
	// schema calls it; "" when it is not known.
	Type string
	// Multivalued says that the extension holds several values.
	Multivalued bool
}

// Job is a synchronization job made of a schema. Its methods write it; it is not
// changed after [Schema] returned it.
type Job struct {
	Name, Source, Target string
	// Origin says in one line what the job was made of.
	Origin string
	// Enabled is false when the job lost a restriction of its scope, or when its
	// object mapping was not enabled: it must be looked at before it runs.
	Enabled bool
	// Mappings and Filters are what was taken over, in the order of the schema.
	Mappings []mapping.Mapping
	Filters  []scope.Group
	// Notes say what was not, in the order of the schema.
	Notes []Note
	// MappingCount and FilterCount are how many of each the schema has.
	MappingCount, FilterCount int

	settings Settings
	actions  []string // targetObjectActions; nil for all
	mappings []item   // with the comments of those left out
	filters  []item
	warning  []string // above enabled: false
}

// Assigned reports whether the settings said who is in scope before the filters.
// If not, nobody is until somebody completes the job.
func (j *Job) Assigned() bool {
	return j.settings.SyncAll != nil && *j.settings.SyncAll || j.settings.ServicePrincipalID != ""
}

// note adds a note.
func (j *Job) note(n Note) { j.Notes = append(j.Notes, n) }

// lessRestricted records that the job would reach more users, or other ones, than
// the schema did: it does not run by itself.
func (j *Job) lessRestricted(why string) {
	j.Enabled = false
	j.warning = append(j.warning, why)
}

// document returns the job's keys in the order they are written.
func (j *Job) document() []key {
	keys := []key{
		{name: "name", value: j.Name},
		{name: "source", value: j.Source, comment: "nothing is ever written to it"},
		{name: "target", value: j.Target},
	}
	if !j.Enabled {
		above := append([]string{"Look at this before the job runs, then remove the next line:"}, j.warning...)
		keys = append(keys, key{name: "enabled", value: false, above: above})
	}
	if j.settings.Interval > 0 {
		keys = append(keys, key{name: "schedule", value: "@every " + interval(j.settings.Interval)})
	}
	keys = append(keys, key{name: "scope", value: j.scopeKeys()})
	if len(j.actions) > 0 {
		keys = append(keys, key{name: "targetObjectActions", value: j.actions})
	}
	if d := j.deletionKeys(); len(d) > 0 {
		keys = append(keys, key{name: "deletions", value: d})
	}
	return append(keys, key{name: "mappings", value: j.mappings})
}

func (j *Job) scopeKeys() []key {
	s := j.settings
	all := s.SyncAll != nil && *s.SyncAll
	mode := key{name: "mode", value: "assigned"}
	var keys []key
	switch {
	case all:
		mode.value = "all"
		keys = []key{mode}
	case s.ServicePrincipalID != "":
		keys = []key{mode, {name: "servicePrincipalId", value: s.ServicePrincipalID, comment: "its assignments decide, as before"}}
	default:
		mode.above = []string{"A schema does not say who is assigned, so nobody is yet: write mode: all, or name",
			"groups, users or the servicePrincipalId of the configuration in the source tenant."}
		keys = []key{mode}
	}
	if len(j.filters) > 0 {
		keys = append(keys, key{name: "filters", value: j.filters})
	}
	return keys
}

// mostDeletions is far more than a tenant has users: a greater threshold never fires.
const mostDeletions = 1_000_000_000

// judgeSettings tells of settings that cannot be what was meant.
func (j *Job) judgeSettings() {
	if t := j.settings.DeletionThreshold; t != nil && (*t < 0 || *t > mostDeletions) {
		j.note(Note{Kind: LeftOut, Where: "accidental-deletion prevention", What: fmt.Sprintf("threshold %d", *t), Why: "no such number of deletions can be meant: the default counts",
			Do: "compare deletions with the admin centre"})
	}
}

func (j *Job) deletionKeys() []key {
	var keys []key
	prevent := j.settings.PreventDeletions
	if prevent != nil {
		keys = append(keys, key{name: "prevent", value: *prevent})
	}
	if t := j.settings.DeletionThreshold; t != nil && *t >= 0 && *t <= mostDeletions && (prevent == nil || *prevent) {
		keys = append(keys, key{name: "threshold", value: *t, comment: "more than 10 percent are held as well: percent: 0 turns that off"})
	}
	return keys
}

// interval writes a duration as the configuration reads it, without parts that
// are zero.
func interval(d time.Duration) string {
	d = d.Round(time.Second)
	text := ""
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.size; n > 0 {
			text += strconv.Itoa(int(n)) + unit.name
			d -= n * unit.size
		}
	}
	if text == "" {
		return "40m"
	}
	return text
}

// key is one key of what is written, with its comments.
type key struct {
	name string
	// value is nil for null, a string, bool or int, a []string written on one line,
	// a []key or a []item.
	value any
	// above are comment lines before the key, comment stands behind its value.
	above   []string
	comment string
}

// item is a member of a list. One without keys is a comment alone: something
// that was left out where it would stand.
type item struct {
	above   []string
	keys    []key
	comment string
}

// written reports whether a list has a member besides comments.
func written(list []item) bool {
	for _, i := range list {
		if len(i.keys) > 0 {
			return true
		}
	}
	return false
}
