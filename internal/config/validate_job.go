package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

func (v *validator) validateJob(path string, j *Job) {
	v.checkName(path+".name", j.Name)
	v.validatePair(path, j)
	if err := CheckSchedule(j.Schedule); err != nil {
		v.fatal(path+".schedule", InvalidValue, fmt.Sprintf("%s.schedule: %s", path, err), `write "@every 40m" or five cron fields, e.g. "0 */2 * * *"`)
	}
	if j.TimeZone != "" {
		if _, err := time.LoadLocation(j.TimeZone); err != nil || j.TimeZone == "Local" {
			v.fatal(path+".timeZone", InvalidValue, fmt.Sprintf("%s.timeZone: time zone %q is not known", path, j.TimeZone), "write a name of the IANA time zone database, e.g. Europe/Berlin")
		}
	} else if v.written(path + ".timeZone") {
		v.fatal(path+".timeZone", InvalidValue, path+".timeZone is empty", "write a name such as Europe/Berlin, or remove the key")
	}
	v.validateScope(path+".scope", &j.Scope)
	v.validateActions(path, j)
	v.validateProtection(path, j)
	v.validateNumbers(path, j)
	if u, err := url.Parse(j.Invitation.RedirectURL); v.written(path+".invitation.redirectUrl") && (err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http")) {
		v.fatal(path+".invitation.redirectUrl", InvalidValue, path+".invitation.redirectUrl must be an address such as https://myapplications.microsoft.com", "")
	}
}

// validatePair judges the two tenants of a job.
func (v *validator) validatePair(path string, j *Job) {
	known := true
	for _, end := range []struct{ key, name string }{{"source", j.Source}, {"target", j.Target}} {
		sub := join(path, end.key)
		if !v.written(sub) || v.config.Tenants[end.name] != nil {
			continue
		}
		known = false
		v.add(finding{
			path: sub, code: UnknownWord,
			message:    fmt.Sprintf("%s: there is no tenant %q", sub, end.name),
			suggestion: nearest(end.name, v.config.tenantNames),
			action:     "the tenants of this file are " + strings.Join(v.config.tenantNames, ", "),
		})
	}
	source, target := v.config.Tenants[j.Source], v.config.Tenants[j.Target]
	if !known || source == nil || target == nil {
		return
	}
	if source == target {
		v.fatal(path+".target", Conflict, fmt.Sprintf("%s: source and target are both %q", path, j.Source), "a job goes from one tenant to another")
	} else if strings.EqualFold(source.TenantID, target.TenantID) && source.TenantID != "" {
		v.fatal(path+".target", Conflict, fmt.Sprintf("%s: source %q and target %q are the same tenant %s", path, j.Source, j.Target, source.TenantID), "correct one of the two tenantId")
	}
}

func (v *validator) validateScope(path string, s *Scope) {
	for i, id := range s.Groups {
		if sub := fmt.Sprintf("%s.groups[%d]", path, i); id == "" {
			v.fatal(sub, InvalidValue, sub+" is empty", "write a group's object id")
		} else if !guid.MatchString(id) {
			v.warn(sub, InvalidValue, fmt.Sprintf("%s: %q does not look like an object id", sub, id), "groups are named by object id, a GUID, not by name")
		}
	}
	checkTwice(v, path+".groups", s.Groups)
	for i, id := range s.Users {
		if sub := fmt.Sprintf("%s.users[%d]", path, i); id == "" {
			v.fatal(sub, InvalidValue, sub+" is empty", "write a user's object id or user principal name")
		} else if !guid.MatchString(id) && !strings.Contains(id, "@") {
			v.warn(sub, InvalidValue, fmt.Sprintf("%s: %q does not look like an object id or a user principal name", sub, id), "write the user's object id or user principal name")
		}
	}
	checkTwice(v, path+".users", s.Users)
	v.checkGUID(path+".servicePrincipalId", s.ServicePrincipalID)
	assigned := len(s.Groups)+len(s.Users) > 0 || s.ServicePrincipalID != ""
	switch {
	case s.Mode == Assigned && !assigned:
		v.warn(path, WithoutEffect, path+" assigns nobody: no user is in scope", "add groups, users or servicePrincipalId, or write mode: all")
	case s.Mode == All && assigned:
		v.warn(path+".mode", WithoutEffect, path+".mode is all: groups, users and servicePrincipalId do not narrow the scope", "write mode: assigned, or remove them")
	}
	for i, f := range s.Filters {
		for k, c := range f.Clauses {
			sub := fmt.Sprintf("%s.filters[%d].clauses[%d]", path, i, k)
			if c.Value != nil && c.Values != nil {
				v.fatal(sub+".values", Conflict, sub+" has value and values", "write one of the two")
			}
		}
	}
}

func (v *validator) validateActions(path string, j *Job) {
	sub := path + ".targetObjectActions"
	if len(j.TargetObjectActions) == 0 {
		v.fatal(sub, InvalidValue, sub+" is empty: the job would do nothing", "list create, update or delete, or write enabled: false")
	}
	checkTwice(v, sub, j.TargetObjectActions)
	if j.DeleteAfter > 0 && j.Deprovision != Disable {
		v.warn(path+".deleteAfter", WithoutEffect, fmt.Sprintf("%s.deleteAfter has no effect with deprovision: %s", path, j.Deprovision), "write deprovision: disable")
	}
	if j.Deprovision == Delete && !j.Allows(DeleteObjects) {
		v.warn(sub, WithoutEffect, sub+" lacks delete: users who leave scope stay in the target", "add delete, or write deprovision: none to say so")
	}
	if !j.Deletions.Prevent && v.written(path+".deletions.threshold") {
		v.warn(path+".deletions.threshold", WithoutEffect, path+".deletions.threshold has no effect with prevent: false", "write prevent: true")
	}
}

func (v *validator) validateNumbers(path string, j *Job) {
	if n := j.Deletions.Threshold; n < 0 {
		sub := path + ".deletions.threshold"
		v.fatal(sub, InvalidValue, fmt.Sprintf("%s must be 0 or more, not %d", sub, n), "write prevent: false to turn the threshold off")
	}
	v.between(path+".deletions.percent", j.Deletions.Percent, 0, 100)
	v.validateWindow(path+".deletions", &j.Deletions)
	if every := j.CompareEvery.Std(); every > 0 && every < time.Hour {
		sub := path + ".compareEvery"
		v.fatal(sub, InvalidValue, fmt.Sprintf("%s must be at least 1h, not %s", sub, j.CompareEvery), "every comparison reads the whole target: write 7d, or 0 for none")
	}
	v.between(path+".guards.creates", j.Guards.Creates, 0, 100)
	v.between(path+".guards.updates", j.Guards.Updates, 0, 100)
	v.between(path+".guards.members", j.Guards.Members, 0, 100)
	v.notNegative(path+".guards.createsPerDay", j.Guards.CreatesPerDay)
	v.between(path+".guards.scopeShrink", j.Guards.ScopeShrink, 0, 100)
	v.between(path+".guards.changes", j.Guards.Changes, 0, 100)
	v.between(path+".limits.parallelReads", float64(j.Limits.ParallelReads), 1, 64)
	if w := j.Limits.WritesPerSecond; w <= 0 || w > 1000 {
		sub := path + ".limits.writesPerSecond"
		v.fatal(sub, InvalidValue, fmt.Sprintf("%s must be more than 0 and at most 1000, not %v", sub, w), "")
	}
}

// validateProtection judges whom the job leaves alone, and what it invites.
func (v *validator) validateProtection(path string, j *Job) {
	for i, u := range j.ProtectedUsers {
		if sub := fmt.Sprintf("%s.protectedUsers[%d]", path, i); !guid.MatchString(u) && !strings.Contains(u, "@") {
			v.fatal(sub, InvalidValue, fmt.Sprintf("%s: %q would protect nobody", sub, u), "write the target user's object id, user principal name or mail")
		}
	}
	checkTwice(v, path+".protectedUsers", j.ProtectedUsers)
	for i, d := range j.AllowedDomains {
		if sub := fmt.Sprintf("%s.allowedDomains[%d]", path, i); !domainName.MatchString(d) {
			v.fatal(sub, InvalidValue, fmt.Sprintf("%s: %q is not a domain", sub, d), "write what follows the @ of an address, e.g. contoso.com")
		}
	}
	checkTwice(v, path+".allowedDomains", j.AllowedDomains)
	if v.written(path+".allowedDomains") && len(j.AllowedDomains) == 0 {
		v.fatal(path+".allowedDomains", InvalidValue, path+".allowedDomains is empty", "list a domain, or remove the key to allow every domain of the source")
	}
	for i, m := range j.Mappings {
		sub := fmt.Sprintf("%s.mappings[%d].allowedValues", path, i)
		if v.written(sub) && len(m.AllowedValues) == 0 {
			v.fatal(sub, InvalidValue, sub+" is empty: no value could be written", "list the values, or remove the key")
		}
		checkTwice(v, sub, m.AllowedValues)
	}
}

// domainName is a name as it follows the @ of an address.
var domainName = regexp.MustCompile(`^[\pL\pN]([\pL\pN-]*[\pL\pN])?(\.[\pL\pN]([\pL\pN-]*[\pL\pN])?)+$`)

// validateWindow judges the moving window of deletions. It cannot reach farther
// back than the cycles do that are kept.
func (v *validator) validateWindow(path string, d *Deletions) {
	v.between(path+".windowPercent", d.WindowPercent, 0, 100)
	v.notNegative(path+".windowThreshold", d.WindowThreshold)
	sub := path + ".window"
	if kept := v.config.Logs.Retention; kept > 0 && d.Window > kept && v.written(sub) {
		v.warn(sub, WithoutEffect, sub+" is longer than logs.retention: the window reaches back no farther than that", "lengthen logs.retention, or shorten the window")
	}
	if !d.Prevent && v.written(sub) {
		v.warn(sub, WithoutEffect, sub+" has no effect with prevent: false", "write prevent: true")
	}
}

// notNegative reports a number below zero.
func (v *validator) notNegative(path string, n int) {
	if n < 0 {
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must be 0 or more, not %d", path, n), "")
	}
}

// between reports a number outside its bounds.
func (v *validator) between(path string, number, least, most float64) {
	if number < least || number > most {
		v.fatal(path, InvalidValue, fmt.Sprintf("%s must be between %v and %v, not %v", path, least, most, number), "")
	}
}
