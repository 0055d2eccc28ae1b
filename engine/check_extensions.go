package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/suggest"
)

// ExtensionReader tells which directory extensions are registered in a tenant. A
// [Source] or [Target] may have it; without it the check is skipped. No cycle
// asks.
type ExtensionReader interface {
	Extensions(ctx context.Context) ([]directory.Extension, error)
}

// extensionFacts is what one side said of its directory extensions.
type extensionFacts struct {
	asked bool
	known map[string]directory.Extension
	err   error
}

// writtenExtensions are the mappings of a job to directory extensions.
func writtenExtensions(job *Job) []mapping.ExtensionUse {
	if job.Mapping == nil {
		return nil
	}
	return job.Mapping.Extensions()
}

// gatherExtensions asks a side for its directory extensions if the job uses any
// there.
func gatherExtensions(ctx context.Context, org Organization, used bool) extensionFacts {
	reader, able := org.(ExtensionReader)
	if !used || !able {
		return extensionFacts{}
	}
	f := extensionFacts{asked: true, known: map[string]directory.Extension{}}
	var list []directory.Extension
	list, f.err = reader.Extensions(ctx)
	for _, e := range list {
		f.known[e.Name] = e
	}
	return f
}

// readExtensions are the directory extensions that a job reads at the source.
func readExtensions(job *Job) []string {
	var names []string
	if job.Mapping != nil {
		names = job.Mapping.SourceAttributes()
	}
	if job.Scope.Filter != nil {
		names = append(names, job.Scope.Filter.Attributes()...)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !mapping.IsExtension(name) })
	slices.Sort(names)
	return slices.Compact(names)
}

const directoryExtensions = "directory extensions"

// extensions judges the directory extensions that mappings and filters name.
func (j *judgement) extensions() {
	source, target := j.s.Job.SourceName, j.s.Job.TargetName
	if f := &j.f.sourceExtensions; j.listed(source, f) {
		names := readExtensions(&j.s.Job)
		failed := 0
		for _, name := range names {
			if !j.registered(source, f, name, "it never has a value") {
				failed++
			}
		}
		j.allRegistered(source, len(names), failed)
	}
	if f := &j.f.targetExtensions; j.listed(target, f) {
		uses := writtenExtensions(&j.s.Job)
		failed := 0
		for _, use := range uses {
			if !j.registered(target, f, use.Target, "Graph refuses every user that has a value for it") || !j.fitting(target, f.known[use.Target], use) {
				failed++
			}
		}
		j.allRegistered(target, len(uses), failed)
	}
}

// listed reports whether a tenant told its directory extensions.
func (j *judgement) listed(tenant string, f *extensionFacts) bool {
	if !f.asked {
		return false
	}
	if f.err != nil {
		j.addJob(tenant, directoryExtensions, CheckSkipped, "the directory extensions of "+tenant+" could not be read: "+f.err.Error(),
			"to let check compare them with the mappings, grant Application.Read.All in "+tenant+" for the time of the check")
		return false
	}
	return true
}

func (j *judgement) allRegistered(tenant string, used, failed int) {
	if used > 0 && failed == 0 {
		j.addJob(tenant, directoryExtensions, CheckSuccess, countOf(used, "directory extension")+" of the job, registered in "+tenant, "")
	}
}

// registered judges whether a name is registered for users.
func (j *judgement) registered(tenant string, f *extensionFacts, name, otherwise string) bool {
	e, known := f.known[name]
	switch {
	case !known:
		action := "correct the name, or register the extension on an application of " + tenant
		if near := nearestExtension(name, f.known); near != "" {
			action = "did you mean " + near + "?"
		}
		j.addJob(tenant, directoryExtensions, CheckFailure, name+" is not registered in "+tenant+": "+otherwise, action)
		return false
	case !e.Users:
		j.addJob(tenant, directoryExtensions, CheckFailure, name+" is not registered for users in "+tenant+": "+otherwise,
			"add User to targetObjects of the extension, or use another one")
		return false
	}
	return true
}

// fitting judges whether what flows is what the extension holds.
func (j *judgement) fitting(tenant string, e directory.Extension, use mapping.ExtensionUse) bool {
	place := fmt.Sprintf("the mapping of %s (number %d)", use.Target, use.Mapping+1)
	fail := func(detail, action string) bool {
		j.addJob(tenant, directoryExtensions, CheckFailure, detail, action)
		return false
	}
	holds := e.Type
	if e.Multivalued {
		holds = "several values of " + e.Type
	}
	switch {
	case e.Multivalued && !use.Multivalued:
		return fail(use.Target+" holds "+holds+" in "+tenant+": one value is refused", "add multivalued: true to "+place)
	case !e.Multivalued && use.Multivalued:
		return fail(use.Target+" holds one value in "+tenant+": a list is refused", "remove multivalued: true from "+place)
	case string(use.Type) == e.Type, use.Type == "" && j.flowsAs(e, use):
		return true
	case use.Type == "":
		return fail(use.Target+" holds "+holds+" in "+tenant+": what flows to it need not be that", "add type: "+e.Type+" to "+place)
	}
	return fail(use.Target+" holds "+holds+" in "+tenant+", not "+string(use.Type), "write type: "+e.Type+" in "+place)
}

// flowsAs reports whether the values of a mapping that gives no type are certain
// to have the type of the extension.
func (j *judgement) flowsAs(e directory.Extension, use mapping.ExtensionUse) bool {
	if mapping.IsExtension(use.Source.Name) {
		from, known := j.f.sourceExtensions.known[use.Source.Name]
		return !known || from.Type == e.Type && from.Multivalued == e.Multivalued // an unknown source is told apart
	}
	switch attribute.Type(e.Type) {
	case attribute.String:
		return use.Kind == directory.Text || use.Kind == directory.List
	case attribute.Boolean:
		return use.Kind == directory.Bool
	case attribute.Integer, attribute.LargeInteger:
		return use.Kind == directory.Int
	case attribute.DateTime:
		return use.Source.Date
	}
	return false
}

// nearestExtension returns the registered extension that a name probably means:
// the same name under another application, else a similar one under the same.
func nearestExtension(name string, known map[string]directory.Extension) string {
	const prefix = len("extension_") + 32 // the application, and what follows is _name
	var similar []string
	for _, other := range slices.Sorted(maps.Keys(known)) {
		switch {
		case len(other) <= prefix:
		case strings.EqualFold(other[prefix:], name[prefix:]):
			return other
		case strings.EqualFold(other[:prefix], name[:prefix]):
			similar = append(similar, other[prefix:])
		}
	}
	if near := suggest.Nearest(name[prefix:], slices.Values(similar)); near != "" {
		return name[:prefix] + near
	}
	return ""
}
