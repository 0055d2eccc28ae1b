package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
)

// Options are the ways by which Load reaches the world. The zero value uses
// the process's environment and file system.
type Options struct {
	// Env looks an environment variable up.
	Env func(name string) (value string, set bool)
	// ReadFile reads the configuration and the files it refers to.
	ReadFile func(path string) ([]byte, error)
	// Stat is asked for the mode of files that hold secrets. Nil asks the file
	// system, or nobody when ReadFile is set.
	Stat func(path string) (fs.FileInfo, error)
}

func (o Options) complete() Options {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Stat == nil && o.ReadFile == nil && runtime.GOOS != "windows" { // which has no such modes
		o.Stat = os.Stat
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	return o
}

// Load reads, completes, judges and compiles a configuration file. The error
// is an *Invalid that holds every problem of the file, or says that the file
// cannot be read.
func Load(path string, opts Options) (*Config, error) {
	opts = opts.complete()
	text, err := opts.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text, opts)
}

// quoteIt is what to do about an expression that YAML takes for something else.
const quoteIt = "put the expression in single quotes"

// unquoted returns what to do when the text of a line has an expression that does
// not stand in single quotes, "" when it has none: its brackets, commas and double
// quotes mean something in YAML.
func unquoted(text []byte, line int) string {
	lines := strings.SplitN(string(text), "\n", line+1)
	if line < 1 || line > len(lines) {
		return ""
	}
	_, value, found := strings.Cut(lines[line-1], "expression:")
	if value = strings.TrimSpace(value); !found || value == "" || strings.ContainsAny(value[:1], "'|>") {
		return ""
	}
	return quoteIt
}

// Parse is Load for a text that is at hand already. Path names it in problems,
// and the paths inside it are relative to path's folder.
func Parse(path string, text []byte, opts Options) (*Config, error) {
	opts = opts.complete()
	sum := sha256.Sum256(text)
	text = []byte(strings.TrimPrefix(string(text), "\ufeff"))
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the configuration's folder: %w", err)
	}
	r := newReport(path, newSource(text))
	root, err := parse(text)
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		r.add(finding{at: syntax.place, code: Syntax, message: syntax.message, action: cmp.Or(unquoted(text, syntax.line), syntax.action)})
		return nil, &Invalid{r.problems(fatal)}
	}
	if root == nil || root.isNull() {
		r.add(finding{at: place{1, 1}, code: MissingKey, message: "the file is empty", action: "begin with: tenantsync init"})
		return nil, &Invalid{r.problems(fatal)}
	}

	c := &Config{File: path, Dir: filepath.Dir(full), Hash: hex.EncodeToString(sum[:])}
	c.setDefaults()
	d := &decoder{
		report:   r,
		resolver: resolver{dir: c.Dir, env: opts.Env, readFile: opts.ReadFile},
		nodes:    map[string]*node{},
		left:     maxNodes,
	}
	d.decode("", root, reflect.ValueOf(c).Elem())
	if d.left < 0 {
		return nil, &Invalid{r.problems(fatal)}
	}
	for _, p := range root.get("tenants").entries() {
		if c.Tenants[p.key] != nil {
			c.tenantNames = append(c.tenantNames, p.key)
		}
	}
	c.complete(opts.Env)
	v := &validator{report: r, config: c, opts: opts, nodes: d.nodes}
	v.validate()
	(&compiler{report: r, config: c, nodes: d.nodes}).compile()
	r.excuseUnused(c)

	if problems := r.problems(fatal); len(problems) > 0 {
		return nil, &Invalid{problems}
	}
	c.Warnings = r.problems(warning)
	return c, nil
}
