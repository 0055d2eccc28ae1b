// Package bill writes the bill of materials of a Go binary: the modules that are
// linked, with their versions and sums, in the format CycloneDX that scanners read.
//
// The program gives its own with version --sbom. The command ofbinary below reads
// it from a binary of any platform, which is how a release has the bill of each.
// Nothing is looked up: a bill holds what the linker wrote into the binary.
package bill
