//go:build !linux

package e2e_test

import "os/exec"

// namespaced finds no namespaces here: the command fails, as it does without rights.
func namespaced(cmd *exec.Cmd) *exec.Cmd { return cmd }
