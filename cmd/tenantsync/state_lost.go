package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// lostFile is a state file that is gone, and what to do about it.
type lostFile struct{ message, action string }

// lostState tells of a state file that is not there though there was one: its
// backups lie beside it, or what is noted of how far it had come. nil: there is
// one, or there never was. The first start with the empty state that takes its place
// would take everybody for new.
func lostState(path string) *lostFile {
	if present(path) {
		return nil
	}
	action := "if it was lost: tenantsync state rebuild; a backup would know more"
	found, err := backupsOf(path)
	switch {
	case err == nil && len(found) > 0:
		action = "if it was lost: tenantsync state restore " + found[0].Path + ", or tenantsync state rebuild"
	case !present(highFile(path)):
		return nil
	}
	return &lostFile{fmt.Sprintf("there is no state file at %s, but there was one: an empty state knows nobody", path), action}
}

// present reports whether something bears the name; what cannot be looked at does.
func present(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
