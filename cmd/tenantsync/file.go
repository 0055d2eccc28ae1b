package main

import (
	"io"
	"os"
	"path/filepath"
)

// writeFile writes a file of mode 0600 under a temporary name and renames it, so
// that a reader never sees half of it.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tenantsync-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the error that counts is the one returned
		}
	}()
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeBytes writes a file of mode 0600.
func writeBytes(path string, content []byte) error {
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}
