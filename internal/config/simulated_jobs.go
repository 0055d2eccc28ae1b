package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// JobsBetween returns the jobs of a configuration between the named tenants, for
// the configuration that Simulated writes: a list in YAML, as the file at path has
// them, with references to variables and files, but without its comments and
// anchors. Paths of referenced files become absolute. It also returns the names of
// the jobs left out. Nothing else of the file is looked at, its credentials least of
// all. The error is an *Invalid when the text is no YAML, or its jobs no list.
func JobsBetween(path string, text []byte, tenants []string) (jobs []byte, left []string, err error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	r := newReport(path, newSource(text))
	root, err := parse(text)
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		r.add(finding{at: syntax.place, code: Syntax, message: syntax.message, action: unquoted(text, syntax.line)})
		return nil, nil, &Invalid{r.problems(fatal)}
	}
	list := root.get("jobs")
	if list == nil || list.shape != valueList {
		r.add(finding{path: "jobs", at: place{1, 1}, code: MissingKey, message: "there is no list of jobs", action: "name a configuration that has jobs"})
		return nil, nil, &Invalid{r.problems(fatal)}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, nil, fmt.Errorf("find the configuration's folder: %w", err)
	}
	known := map[string]bool{}
	for _, name := range tenants {
		known[name] = true
	}
	w := yamlWriter{dir: dir, left: maxNodes}
	for _, job := range list.items {
		if !known[scalar(job, "source")] || !known[scalar(job, "target")] {
			left = append(left, scalar(job, "name"))
			continue
		}
		w.out.WriteString("  - ")
		w.value(job, 4, true)
	}
	if w.left < 0 {
		r.add(finding{at: place{1, 1}, code: Syntax, message: "the file expands to too many values"})
		return nil, nil, &Invalid{r.problems(fatal)}
	}
	return w.out.Bytes(), left, nil
}

// scalar is the text of a key of a group, "" when it has none.
func scalar(n *node, key string) string {
	if v := n.get(key); v != nil {
		return v.text
	}
	return ""
}

// yamlWriter writes a tree in block style.
type yamlWriter struct {
	out  bytes.Buffer
	dir  string // of the file that the tree was read from
	left int    // values that may still be written: aliases of aliases grow fast
}

// value writes a node with its line feed. Its lines are indented; inline says that
// the first one has begun.
func (w *yamlWriter) value(n *node, indent int, inline bool) {
	if w.left--; w.left < 0 {
		return
	}
	switch {
	case n.shape == keyGroup && len(n.keys) > 0:
		for i, p := range n.entries() {
			w.begin(indent, inline && i == 0)
			w.out.WriteString(quoted(p.key) + ":")
			w.below(p.value, indent)
		}
	case n.shape == valueList && len(n.items) > 0:
		for i, item := range n.items {
			w.begin(indent, inline && i == 0)
			w.out.WriteString("- ")
			w.value(item, indent+2, true)
		}
	default:
		w.begin(indent, inline)
		w.out.WriteString(w.scalar(n) + "\n")
	}
}

func (w *yamlWriter) begin(indent int, inline bool) {
	if !inline {
		w.out.WriteString(strings.Repeat(" ", indent))
	}
}

// below writes the value of a key: on its line, or on lines of its own.
func (w *yamlWriter) below(n *node, indent int) {
	if n.shape == keyGroup && len(n.keys) > 0 || n.shape == valueList && len(n.items) > 0 {
		w.out.WriteByte('\n')
		w.value(n, indent+2, false)
		return
	}
	w.out.WriteString(" " + w.scalar(n) + "\n")
}

// scalar writes what stands on one line. What was written without quotes means
// something else with them.
func (w *yamlWriter) scalar(n *node) string {
	switch {
	case n.shape == keyGroup:
		return "{}"
	case n.shape == valueList:
		return "[]"
	}
	text := fileReference.ReplaceAllStringFunc(n.text, func(ref string) string {
		m := fileReference.FindStringSubmatch(ref)
		if strings.HasPrefix(m[1], "$") || filepath.IsAbs(m[2]) || strings.HasPrefix(m[2], "$") {
			return ref
		}
		return m[1] + "${file:" + filepath.Join(w.dir, m[2])
	})
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 }):
		return jsonText(text)
	case n.style == plain && !n.isText && n.text == "":
		return "null"
	case n.style == plain && !n.isText && text == n.text:
		return text
	}
	return quoted(text)
}

// fileReference finds references to files; a $ before one makes it none.
var fileReference = regexp.MustCompile(`(^|.)\$\{file:([^}]*)`)

// jsonText writes a text in double quotes, as YAML has it in common with JSON.
func jsonText(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // of a text it never fails
	return strings.TrimSuffix(b.String(), "\n")
}
