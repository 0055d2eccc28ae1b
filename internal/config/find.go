package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Variable is the environment variable that names the configuration file.
const Variable = "TENANTSYNC_CONFIG"

// NotFoundError says that no configuration file was found, and where it was
// looked for.
type NotFoundError struct {
	// Tried are the paths that were looked at, in their order.
	Tried []string
	// Named says who asked for the only path of Tried: the flag or the
	// variable; "" when the usual places were searched.
	Named string
}

// Error says what was tried.
func (e *NotFoundError) Error() string {
	if e.Named != "" {
		return fmt.Sprintf("no configuration file %s (named by %s)", strings.Join(e.Tried, ", "), e.Named)
	}
	return "no configuration file; tried " + strings.Join(e.Tried, ", ")
}

// Action says what to do about it, a phrase in lower case.
func (e *NotFoundError) Action() string {
	if e.Named != "" {
		return "correct the path, or write a file there: tenantsync init --out " + e.Tried[0]
	}
	return "name one with -c FILE or " + Variable + ", or begin with: tenantsync init"
}

// Find returns the path of the configuration file: the flag's value, else that
// of TENANTSYNC_CONFIG, else ./config.yaml, else /etc/tenantsync/config.yaml.
// A file that is named must exist; the error is then, as when no file is found
// at all, a *NotFoundError. A nil env is the process's environment.
func Find(flag string, env func(string) (string, bool)) (path string, err error) {
	if env == nil {
		env = os.LookupEnv
	}
	e := &NotFoundError{}
	if flag != "" {
		e.Tried, e.Named = []string{flag}, "-c"
	} else if named, _ := env(Variable); named != "" {
		e.Tried, e.Named = []string{named}, Variable
	} else {
		e.Tried = []string{"config.yaml", "/etc/tenantsync/config.yaml"}
	}
	for _, path := range e.Tried {
		// Whatever else is wrong with a file than its absence is for Load to say.
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", e
}
