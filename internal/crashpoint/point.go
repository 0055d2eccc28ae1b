package crashpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The variables that a process with crash points reads.
const (
	// At names the point to end at and its count: "before-commit:intent:2" ends the
	// process before it commits intents for the second time.
	At = "TENANTSYNC_CRASH_AT"
	// Trace names a file to which each point is appended when it is passed, one a line.
	Trace = "TENANTSYNC_CRASH_TRACE"
)

// Sides of a step.
const (
	Before = "before"
	After  = "after"
)

// Points returns the names of all points without their side, in the order of a
// cycle: commits as OfBatch names them, requests as OfRequest does.
func Points() []string {
	var all []string
	for _, n := range commits {
		all = append(all, "commit:"+n)
	}
	for _, n := range requests {
		all = append(all, "request:"+n)
	}
	return all
}

// target is the point a process is to end at.
type target struct {
	point string // with its side
	nth   int    // from 1
}

// parse reads the value of At. The empty text is no point.
func parse(text string) (target, error) {
	if text == "" {
		return target{}, nil
	}
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return target{}, fmt.Errorf("crash point %q: want SIDE-STEP:NAME:COUNT", text)
	}
	n, err := strconv.Atoi(text[at+1:])
	if err != nil || n < 1 {
		return target{}, fmt.Errorf("crash point %q: want a count from 1 at its end", text)
	}
	side, point, _ := strings.Cut(text[:at], "-")
	if side != Before && side != After || !slices.Contains(Points(), point) {
		return target{}, fmt.Errorf("crash point %q unknown: want before- or after- and one of %s", text, strings.Join(Points(), ", "))
	}
	return target{text[:at], n}, nil
}
