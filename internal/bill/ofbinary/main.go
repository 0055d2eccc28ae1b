// Command ofbinary prints the bill of materials of a binary, whatever platform it
// is for: what the binary itself would say with version --sbom.
//
//	go run ./internal/bill/ofbinary FILE VERSION
package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"os"

	"tenantsync/internal/bill"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ofbinary:", err)
		os.Exit(1)
	}
}

// run prints the bill of the binary that args name first. The version stands second,
// because a linker that is told to set it leaves no trace of that in the build info.
func run(args []string, stdout io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("got %d arguments, want FILE VERSION", len(args))
	}
	build, err := buildinfo.ReadFile(args[0])
	if err != nil {
		return err
	}
	b := bill.Of(build, args[1])
	return b.Write(stdout)
}
