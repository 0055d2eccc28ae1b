package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tenantsync/engine"
	"tenantsync/internal/config"
)

// planValid is how long a saved plan may be applied unless --valid says otherwise,
// and planValidMost the longest it can say: what is older has to be looked at again.
const planValid, planValidMost = 24 * time.Hour, 7 * 24 * time.Hour

// checkOut judges the flags that go with --out, before anything is read.
func (o *planOptions) checkOut() error {
	switch {
	case o.Out == "" && o.Force:
		return usagef("name a file with --out, or leave --force out", "--force goes with --out.")
	case o.Out == "" && o.Valid != planValid:
		return usagef("name a file with --out, or leave --valid out", "--valid goes with --out.")
	case o.Out == "":
		return nil
	case o.User != "":
		return usagef("for one user: tenantsync provision "+o.User, "a plan of one user cannot be saved: a cycle is of everybody.")
	case o.Valid <= 0 || o.Valid > planValidMost:
		return usagef("give a time such as --valid 8h", "--valid must be more than 0 and at most %s.", config.Duration(planValidMost))
	}
	if _, err := os.Lstat(o.Out); err == nil && !o.Force {
		return planExists(o.Out)
	}
	if folder := filepath.Dir(o.Out); !isFolder(folder) { // told before minutes of reading, not after
		return fmt.Errorf("save plan: %w", &fs.PathError{Op: "open", Path: o.Out, Err: fs.ErrNotExist})
	}
	return nil
}

func planExists(path string) error {
	return usagef("give another name, or --force to overwrite it", "%s exists already.", path)
}

// save is for how long the plan is to be saved, 0 = not at all.
func (o *planOptions) save() time.Duration {
	if o.Out == "" {
		return 0
	}
	return o.Valid
}

// write saves the plan in a file that only its owner can read.
func (o *planOptions) write(p *engine.SavedPlan) error {
	if p == nil {
		return nil
	}
	content, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	content = append(content, '\n')
	if o.Force {
		err = writeBytes(o.Out, content)
	} else if err = createFile(o.Out, bytesTo(content)); errors.Is(err, fs.ErrExist) {
		return planExists(o.Out)
	}
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	return nil
}
