package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// fileAdvice says what to do about a file that could not be read or written, "" for
// any other error.
func fileAdvice(err error) string {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return ""
	}
	folder := filepath.Dir(at.Path)
	switch {
	case errors.Is(at, fs.ErrNotExist) && !isFolder(folder):
		return "make the folder " + folder + ", or name a file in another one"
	case errors.Is(at, fs.ErrNotExist):
		return "correct the name of the file: there is no " + at.Path
	case errors.Is(at, fs.ErrPermission):
		return "let this user use " + at.Path + ", or name a file in another folder"
	case errors.Is(at, syscall.EISDIR):
		return "name a file: " + at.Path + " is a folder"
	case errors.Is(at, syscall.ENOSPC):
		return "make room in " + folder + ", or name a file in another one"
	}
	return ""
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
