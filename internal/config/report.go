package config

import "strings"

// severity tells a problem that refuses the file from one that does not.
type severity uint8

const (
	fatal severity = iota
	warning
)

// finding is a problem on its way: placed by path until its position is known.
type finding struct {
	path       string
	at         place // the zero place: wherever path lies
	severity   severity
	code       Code
	message    string
	suggestion string
	action     string
}

// report collects what is wrong with one file.
type report struct {
	file     string
	source   *source
	places   map[string]place // of every value that was decoded, by its path
	findings []finding
	refused  map[string]bool // paths with a fatal finding
}

func newReport(file string, src *source) *report {
	return &report{file: file, source: src, places: map[string]place{"": {1, 1}}, refused: map[string]bool{}}
}

// add takes a finding. A value that was refused already gets no second one:
// the first explains it.
func (r *report) add(f finding) {
	if f.severity == fatal {
		if r.refused[f.path] && f.at == (place{}) {
			return
		}
		r.refused[f.path] = true
	}
	r.findings = append(r.findings, f)
}

// sound reports whether nothing was found at a path or above it.
func (r *report) sound(path string) bool {
	for {
		if r.refused[path] {
			return false
		}
		if path == "" {
			return true
		}
		path = parent(path)
	}
}

// written reports whether the file has a value at the path.
func (r *report) written(path string) bool {
	_, ok := r.places[path]
	return ok
}

// place returns where a path lies, or the nearest path above it that the file
// mentions.
func (r *report) place(path string) place {
	for {
		if at, ok := r.places[path]; ok || path == "" {
			return at
		}
		path = parent(path)
	}
}

// parent returns the path one level up, "" at the top.
func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return ""
}

// problems returns the findings of a severity, placed, sorted, with excerpts.
func (r *report) problems(s severity) []Problem {
	var list []Problem
	for _, f := range r.findings {
		if f.severity != s {
			continue
		}
		at := f.at
		if at == (place{}) {
			at = r.place(f.path)
		}
		list = append(list, Problem{
			File: r.file, Line: at.line, Column: at.column, Path: f.path,
			Code: f.code, Message: f.message, Suggestion: f.suggestion, Action: f.action,
			excerpt: r.source.excerpt(at.line, at.column),
		})
	}
	sortProblems(list)
	return list
}

// join puts a key below a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// within names a path in a message: nothing at the top of the file.
func within(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}
