package config

import (
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// validator judges the values of a configuration, alone and against each
// other. It reports and changes nothing.
type validator struct {
	*report
	config *Config
	opts   Options
	nodes  map[string]*node // what the file says, by path
}

func (v *validator) validate() {
	c := v.config
	if c.Version != 1 && v.written("version") {
		v.fatal("version", InvalidValue, fmt.Sprintf("version %d of the format is not known; this release reads version 1", c.Version),
			"write version: 1, or use the release that the file was written for")
	}
	if len(c.Tenants) == 0 && v.written("tenants") {
		v.fatal("tenants", MissingKey, "tenants names no tenant", "add the tenants to read from and to write to")
	}
	for _, name := range c.tenantNames {
		v.validateTenant(join("tenants", name), c.Tenants[name])
	}
	seen := map[string]int{}
	for i, j := range c.Jobs {
		path := fmt.Sprintf("jobs[%d]", i)
		if first, taken := seen[strings.ToLower(j.Name)]; taken && j.Name != "" {
			v.fatal(path+".name", Conflict, fmt.Sprintf("%s.name: jobs[%d] is already called %q", path, first, j.Name), "give one of them another name")
		} else {
			seen[strings.ToLower(j.Name)] = i
		}
		v.validateJob(path, j)
	}
	v.validateStore()
	v.validateControl()
	v.validateTokens()
	if c.Logs.Retention <= 0 {
		v.fatal("logs.retention", InvalidValue, "logs.retention must be longer than 0", "")
	}
}

// fatal reports a problem that refuses the file, at the place of a path.
func (v *validator) fatal(path string, code Code, message, action string) {
	v.add(finding{path: path, code: code, message: message, action: action})
}

// warn reports what is probably not meant.
func (v *validator) warn(path string, code Code, message, action string) {
	v.add(finding{path: path, severity: warning, code: code, message: message, action: action})
}

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)

// checkGUID reports a value that is not a GUID; an empty one only when the key
// was written.
func (v *validator) checkGUID(path, value string) {
	switch {
	case guid.MatchString(value), value == "" && !v.written(path):
	case value == "":
		v.fatal(path, InvalidValue, path+" is empty", "write the id, a GUID such as 11111111-1111-1111-1111-111111111111")
	default:
		// As it is written: what a reference brings in may be a secret gone astray.
		if n := v.nodes[path]; n != nil {
			value = n.text
		}
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must be a GUID such as 11111111-1111-1111-1111-111111111111, not %q", path, value), "")
	}
}

// checkName reports a name that could not be typed, shown or stored safely.
func (v *validator) checkName(path, name string) {
	switch {
	case name == "":
		if v.written(path) {
			v.fatal(path, InvalidValue, path+" is empty", "give it a name")
		}
	case !ValidName(name):
		v.fatal(path, InvalidValue, fmt.Sprintf("%q cannot be a name", name), NameRule)
	}
}

// NameRule is what to do about a name that [ValidName] refuses.
const NameRule = "use at most 100 letters, digits, blanks, dots and dashes, without / and \\"

// ValidName reports whether something can be called name: whether it can be typed,
// shown and stored safely.
func ValidName(name string) bool {
	return name != "" && len(name) <= 100 && name == strings.TrimSpace(name) && !strings.ContainsAny(name, "/\\") &&
		!strings.ContainsFunc(name, unicode.IsControl) && !strings.ContainsRune(name, unicode.ReplacementChar)
}

func (v *validator) validateStore() {
	switch path := v.config.Store.Path; {
	case path == "":
		v.fatal("store.path", InvalidValue, "store.path is empty", "name the state file, or remove the key to get state.db")
	case path == v.config.Dir:
		v.fatal("store.path", InvalidValue, "store.path is a folder", "name a file in it, e.g. state.db")
	}
	b := v.config.Store.Backups
	if b.Every != 0 && b.Every.Std() < time.Minute {
		v.fatal("store.backups.every", InvalidValue, fmt.Sprintf("store.backups.every must be at least 1m, not %s", b.Every), "write 24h, or 0 for no backups")
	}
	if b.Keep < 1 || b.Keep > 1000 {
		v.fatal("store.backups.keep", InvalidValue, fmt.Sprintf("store.backups.keep must be between 1 and 1000, not %d", b.Keep), "write every: 0 for no backups")
	}
}

// maxSocketPath is what every supported system takes as the path of a socket.
const maxSocketPath = 103

func (v *validator) validateControl() {
	const path = "control.listen"
	listen := v.config.Control.Listen
	if socket, isSocket := strings.CutPrefix(listen, "unix:"); isSocket {
		switch {
		case socket == "":
			v.fatal(path, InvalidValue, path+" names no socket", "write unix:PATH, 127.0.0.1:PORT or \"\"")
		case len(socket) > maxSocketPath:
			v.warn(path, InvalidValue, fmt.Sprintf("the path of the control socket, %s, is longer than %d characters: the system may refuse it", socket, maxSocketPath), "choose a shorter path in control.listen, e.g. unix:/run/tenantsync/control.sock")
		}
		return
	}
	if listen == "" {
		return
	}
	host, port, err := net.SplitHostPort(listen)
	number, portErr := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || portErr != nil || number == 0:
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must be unix:PATH, 127.0.0.1:PORT or \"\", not %q", path, listen), "")
	case !isLoopback(host):
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must be a loopback address, %q is not one", path, host), "write unix:PATH or 127.0.0.1:PORT; reach it from elsewhere through SSH")
	default:
		// Whoever reads the token that the daemon keeps there is an approver.
		v.private(path, v.config.Store.Path+".token")
	}
}

// isLoopback reports a host that only this machine can reach.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// readable reports a file that cannot be read, and returns its content.
func (v *validator) readable(path, file string) []byte {
	content, err := v.opts.ReadFile(file)
	if err != nil {
		v.fatal(path, UnreadableFile, fmt.Sprintf("cannot read file %s: %s", v.shown(file), plainError(err)), "create the file, or correct its path; it is relative to the configuration file")
	}
	return content
}

// private warns of a file with a secret that others may read or replace. A group
// may read it: that is how platforms hand secrets to a service.
func (v *validator) private(path, file string) {
	if v.opts.Stat == nil {
		return
	}
	if info, err := v.opts.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o027 != 0 {
		v.warn(path, InvalidValue, fmt.Sprintf("file %s holds a secret, and others than its owner may %s it", v.shown(file), may(info.Mode())), "chmod 600 "+v.shown(file))
	}
}

// may says what a file's mode lets others do.
func may(mode fs.FileMode) string {
	switch {
	case mode.Perm()&0o022 == 0:
		return "read"
	case mode.Perm()&0o005 == 0:
		return "write"
	}
	return "read or write"
}

// shown is a file's path as the configuration would write it.
func (v *validator) shown(file string) string {
	if rel, err := filepath.Rel(v.config.Dir, file); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return file
}

// checkTwice reports what a list names more than once.
func checkTwice[T comparable](v *validator, path string, list []T) {
	for i, x := range list {
		if first := slices.Index(list, x); first < i {
			v.fatal(fmt.Sprintf("%s[%d]", path, i), Conflict, fmt.Sprintf("%s names %v twice", path, x), "remove one of the two")
		}
	}
}
