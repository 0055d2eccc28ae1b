package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxInput is the most that is read of a file given to a command, far more than
// such files have.
const maxInput = 16 << 20

// readInput reads a file given to a command, or standard input for "-".
func readInput(env *environment, path string) ([]byte, error) {
	in := env.stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(content) > maxInput {
		err = fmt.Errorf("%s is larger than %d MiB", path, maxInput>>20)
	}
	return content, err
}

// createConfig writes a new configuration of mode 0600. One that is there is never
// overwritten.
func createConfig(path string, write func(io.Writer) error) error {
	err := createFile(path, write)
	switch {
	case errors.Is(err, fs.ErrExist):
		return usagef("give another name with --out, or edit it: tenantsync config validate -c "+path, "%s exists already and is not overwritten.", path)
	case err != nil:
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}

// createFile writes a new file of mode 0600, whole or not at all. For one that is
// there the error is [fs.ErrExist].
func createFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// writeFile writes a file of mode 0600 under a temporary name and renames it, so
// that a reader never sees half of it.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".tenantsync-*")
	if err != nil {
		return asPath(err, path)
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

// asPath tells the error of a temporary file as one of the file it stands for.
func asPath(err error, path string) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return &fs.PathError{Op: at.Op, Path: path, Err: at.Err}
	}
	return err
}

// writeBytes writes a file of mode 0600.
func writeBytes(path string, content []byte) error { return writeFile(path, bytesTo(content)) }

// bytesTo writes what is known already.
func bytesTo(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}
