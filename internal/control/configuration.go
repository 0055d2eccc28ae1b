package control

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"tenantsync/store"
)

// Configuration is what the record of administrative acts says of a configuration.
type Configuration struct {
	// Hash is the SHA-256 of the file's text, in hexadecimal digits.
	Hash string
	// Jobs are the jobs by name: what may be compared of them.
	Jobs map[string]JobHashes
	// Tokens are the named tokens, each with its role and what tells its hashes from
	// others.
	Tokens map[string]string
}

// JobHashes tell whether a job has changed, and whether who is in its scope has.
type JobHashes struct {
	All   string `json:"all"`
	Scope string `json:"scope"`
}

// The details of a configuration's record.
const (
	detailJobs         = "jobs"   // JobHashes by name, as JSON: what the next record compares with
	detailTokens       = "tokens" // likewise
	detailAdded        = "jobsAdded"
	detailRemoved      = "jobsRemoved"
	detailChanged      = "jobsChanged"
	detailScope        = "scopesChanged"
	detailTokenChanges = "tokensChanged"
)

// SetConfiguration replaces the configuration under which acts are carried out. The
// next act, or Configured, records it.
func (a *Auditor) SetConfiguration(c Configuration, requireReason bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.configuration, a.requireReason, a.noted = c, requireReason, false
}

// Configured records the present configuration if it is another than the one
// recorded last, or was changed since; always says to record it anyway.
func (a *Auditor) Configured(ctx context.Context, actor, via string, always bool) error {
	a.mu.Lock()
	c := a.configuration
	a.mu.Unlock()
	last, err := a.trail.Audit(ctx, store.AuditQuery{Act: ActConfiguration, Outcome: outcomeDone, Limit: 1})
	if err != nil {
		return err
	}
	record := store.Audit{At: time.Now(), Actor: actor, Via: via, Act: ActConfiguration, Outcome: outcomeDone, NewHash: c.Hash,
		Details: map[string]string{detailJobs: encode(c.Jobs), detailTokens: encode(c.Tokens)}}
	if len(last) == 1 {
		record.OldHash = last[0].NewHash
		compare(record.Details, last[0].Details, c)
		same := record.OldHash == record.NewHash && record.Details[detailJobs] == last[0].Details[detailJobs] &&
			record.Details[detailTokens] == last[0].Details[detailTokens]
		if same && !always {
			a.note()
			return nil
		}
	}
	if err := a.Record(ctx, record); err != nil {
		return err
	}
	a.note()
	return nil
}

func (a *Auditor) note() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noted = true
}

// noteConfiguration records under which configuration an act is carried out,
// unless the record says so already.
func (a *Auditor) noteConfiguration(ctx context.Context, actor, via string) error {
	a.mu.Lock()
	noted := a.noted
	a.mu.Unlock()
	if noted {
		return nil
	}
	return a.Configured(ctx, actor, via, false)
}

// compare adds what has changed since the last record.
func compare(details, before map[string]string, c Configuration) {
	var jobs map[string]JobHashes
	var tokens map[string]string
	// What an earlier version wrote in another form counts as nothing to compare with.
	_ = json.Unmarshal([]byte(before[detailJobs]), &jobs)
	_ = json.Unmarshal([]byte(before[detailTokens]), &tokens)
	say := func(key string, names []string) {
		if len(names) > 0 {
			slices.Sort(names)
			details[key] = strings.Join(names, ", ")
		}
	}
	say(detailAdded, missing(c.Jobs, jobs))
	say(detailRemoved, missing(jobs, c.Jobs))
	say(detailChanged, differing(c.Jobs, jobs, func(x, y JobHashes) bool { return x.All != y.All }))
	say(detailScope, differing(c.Jobs, jobs, func(x, y JobHashes) bool { return x.Scope != y.Scope }))
	changed := append(missing(c.Tokens, tokens), missing(tokens, c.Tokens)...)
	say(detailTokenChanges, append(changed, differing(c.Tokens, tokens, func(x, y string) bool { return x != y })...))
}

// missing returns the names of a that b lacks.
func missing[V any](a, b map[string]V) []string {
	var names []string
	for name := range a {
		if _, ok := b[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

// differing returns the names that both have, with values that differ.
func differing[V any](a, b map[string]V, differ func(V, V) bool) []string {
	var names []string
	for name := range maps.Keys(a) {
		if other, ok := b[name]; ok && differ(a[name], other) {
			names = append(names, name)
		}
	}
	return names
}

// encode writes a map in one form; "" when it is empty.
func encode[V any](m map[string]V) string {
	if len(m) == 0 {
		return ""
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "" // texts always encode
	}
	return string(text)
}
