package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
)

// CredentialEnd says when the credential for a tenant expires, where that is known.
type CredentialEnd struct {
	Tenant   string // name in the configuration
	Kind     string // what expires: "secret" or "certificate"
	NotAfter time.Time
}

// expirySteps are how many days ahead an operator is warned, the last one first.
var expirySteps = [...]int{0, 1, 7, 14, 30}

// expiryStep returns the step that has been reached, -1 for none yet.
func expiryStep(notAfter, at time.Time) int {
	for i, days := range expirySteps {
		if notAfter.Sub(at) <= time.Duration(days)*24*time.Hour {
			return len(expirySteps) - 1 - i
		}
	}
	return -1
}

// expiryText says when a credential expires, "" while that is far away.
func expiryText(e CredentialEnd, at time.Time) string {
	day := e.NotAfter.UTC().Format(time.DateOnly)
	switch step := expiryStep(e.NotAfter, at); {
	case step < 0:
		return ""
	case !e.NotAfter.After(at):
		return fmt.Sprintf("the %s for %s expired on %s", e.Kind, e.Tenant, day)
	default:
		return fmt.Sprintf("the %s for %s expires on %s, in %s", e.Kind, e.Tenant, day, leftText(e.NotAfter.Sub(at)))
	}
}

// leftText says how long a credential is still good for.
func leftText(left time.Duration) string {
	if days := int(left.Hours() / 24); days > 0 {
		return countOf(days, "day")
	}
	if hours := int(left.Hours()); hours > 0 {
		return countOf(hours, "hour")
	}
	return "less than an hour"
}

// renewal says what to do about a credential that expires.
func renewal(e CredentialEnd) string {
	if e.Kind == "secret" {
		return "create a new client secret in the app registration, put it where the configuration reads it from, and its end into expires"
	}
	return "upload a new certificate to the app registration and put it where the configuration reads it from"
}

// warnOfExpiry logs what expires, once a step: 30, 14, 7 and 1 days ahead.
func (c *cycle) warnOfExpiry(ctx context.Context) error {
	if c.dry || c.onDemand || len(c.job.Credentials) == 0 {
		return nil
	}
	last, err := c.engine.lastEnded(ctx, c.job.Name)
	if err != nil {
		return err
	}
	for _, e := range c.job.Credentials {
		if last != nil && expiryStep(e.NotAfter, last.EndedAt) == expiryStep(e.NotAfter, c.began) {
			continue
		}
		sayExpiry(c.log, e, c.began)
	}
	return nil
}

// sayExpiry logs that a credential expires, unless that is far away.
func sayExpiry(log *zap.Logger, e CredentialEnd, at time.Time) {
	if text := expiryText(e, at); text != "" {
		log.Warn("credential expires", zap.String("tenant", e.Tenant), zap.Time("not_after", e.NotAfter), zap.String("reason", text))
	}
}

// sayExpiries logs what expires of enabled jobs, but for what the jobs before
// knew. The cycles tell the steps that are reached while they go on: what is
// reached already when the daemon begins or learns of it is told here, and of jobs
// that wait for a start nobody else tells.
func (e *Engine) sayExpiries(runners, before map[string]*runner) {
	at := now()
	for _, name := range slices.Sorted(maps.Keys(runners)) {
		j := runners[name].job
		var known []CredentialEnd
		if old := before[name]; old != nil && old.job.Enabled {
			known = old.job.Credentials
		}
		for _, end := range j.Credentials {
			if j.Enabled && !slices.Contains(known, end) {
				sayExpiry(e.log.With(zap.String("job", name)), end, at)
			}
		}
	}
}

// expiryWarnings are what status says of the credentials of a job.
func expiryWarnings(j *Job, at time.Time) []string {
	var out []string
	for _, e := range j.Credentials {
		if text := expiryText(e, at); text != "" {
			out = append(out, text)
		}
	}
	return out
}
