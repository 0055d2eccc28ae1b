package engine

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// CredentialEnd says when the credential for a tenant expires, where that is known.
type CredentialEnd struct {
	Tenant   string // name in the configuration
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
	day := e.NotAfter.Format(time.DateOnly)
	switch step := expiryStep(e.NotAfter, at); {
	case step < 0:
		return ""
	case !e.NotAfter.After(at):
		return "the certificate for " + e.Tenant + " expired on " + day
	default:
		return fmt.Sprintf("the certificate for %s expires on %s, in %s", e.Tenant, day, countOf(int(e.NotAfter.Sub(at).Hours()/24), "day"))
	}
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
		if text := expiryText(e, c.began); text != "" {
			c.log.Warn("credential expires", zap.String("tenant", e.Tenant), zap.Time("not_after", e.NotAfter), zap.String("reason", text))
		}
	}
	return nil
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
