package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Nothing is linked that serves the inside of the process, loads code or
// needs a C library.
func TestNothingUnwantedIsLinked(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", ".")
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "net/http") {
		t.Fatalf("got %d packages without net/http: the list cannot be right", len(deps))
	}
	for _, unwanted := range []string{"net/http/pprof", "expvar", "net/rpc", "plugin", "runtime/cgo"} {
		if slices.Contains(deps, unwanted) {
			t.Errorf("%s is linked, want it not to be", unwanted)
		}
	}
}
