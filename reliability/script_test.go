package reliability_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tenantsync/entra/entrasim"
)

// Script is one run as plain data: what it begins with, and what happens then.
// Leaving steps out gives another valid script, which is how a failing one shrinks.
type Script struct {
	Seed  uint64 `json:"seed"`
	Setup Setup  `json:"setup"`
	Steps []Step `json:"steps"`
}

// Setup is what a run begins with.
type Setup struct {
	Users   int      `json:"users"`  // of the source, numbered from 1
	Groups  int      `json:"groups"` // of the source, numbered from 1
	Job     Settings `json:"job"`
	Second  bool     `json:"second,omitempty"`  // another job on the same pair, over group 2
	Reverse bool     `json:"reverse,omitempty"` // another job from the target to the source

	PageSize    int               `json:"pageSize,omitempty"`
	AutoRedeem  bool              `json:"autoRedeem,omitempty"`
	Replication entrasim.Duration `json:"replication,omitempty"`
	Replicas    int               `json:"replicas,omitempty"`
	Stale       entrasim.Duration `json:"stale,omitempty"`
	DeltaLag    entrasim.Duration `json:"deltaLag,omitempty"`
	TokenLife   entrasim.Duration `json:"tokenLife,omitempty"`
	Quota       bool              `json:"quota,omitempty"`
	Writes      float64           `json:"writesPerSecond,omitempty"`
	MemberPage  int               `json:"memberPageSize,omitempty"`  // 0: every member on one page
	Window      int               `json:"windowThreshold,omitempty"` // of deletions within the window, 0: off
	Patient     bool              `json:"patient,omitempty"`         // nobody asks for retries after the faults
}

// Settings are the settings of the first job that scripts change. Every field is
// as in a configuration; the zero value is its default.
type Settings struct {
	Scope       string            `json:"scope,omitempty"` // all (""), group 1, groups, nested
	Filter      string            `json:"filter,omitempty"`
	Rules       string            `json:"rules,omitempty"` // mapping: "", suffix, addOnly
	NoCreate    bool              `json:"noCreate,omitempty"`
	NoUpdate    bool              `json:"noUpdate,omitempty"`
	NoDelete    bool              `json:"noDelete,omitempty"`
	Deprovision string            `json:"deprovision,omitempty"` // delete (""), disable, none
	DeleteAfter entrasim.Duration `json:"deleteAfter,omitempty"`
	Threshold   int               `json:"threshold,omitempty"` // 0: 500
	Percent     float64           `json:"percent,omitempty"`   // 0: 10, negative: off
	Shrink      float64           `json:"scopeShrink,omitempty"`
	Yield       bool              `json:"yield,omitempty"`
}

// Step is one thing that happens. Who and Whom are numbers of source users or
// groups; a step about somebody who is not there does nothing.
type Step struct {
	Do    string            `json:"do"`
	Who   int               `json:"who,omitempty"`
	Whom  int               `json:"whom,omitempty"`
	Text  string            `json:"text,omitempty"`
	For   entrasim.Duration `json:"for,omitempty"`
	Job   *Settings         `json:"job,omitempty"`
	Fault *entrasim.Fault   `json:"fault,omitempty"`
	// At defers the step into the next cycle: it happens just before the At-th
	// request (or, for the disk, commit) of that cycle.
	At int `json:"at,omitempty"`
}

// String is the step as a story tells it.
func (s Step) String() string {
	b, _ := json.Marshal(s) // plain data: cannot fail
	words := strings.NewReplacer(`"`, "", "{", "", "}", "", ",", " ", "do:", "").Replace(string(b))
	return words
}

func (s Script) String() string {
	b, _ := json.Marshal(s) // plain data: cannot fail
	return string(b)
}

// span writes virtual time since the beginning: 2d 03:04:05.678.
func span(d time.Duration) string {
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	return fmt.Sprintf("%2dd %02d:%02d:%02d.%03d", days, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60, d.Milliseconds()%1000)
}
