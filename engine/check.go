package engine

import (
	"context"
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
)

// CheckStatus is the verdict of one check.
type CheckStatus string

// The verdicts of a check. Only a failure means that a cycle cannot succeed.
const (
	CheckSuccess CheckStatus = "success"
	CheckFailure CheckStatus = "failure"
	CheckWarning CheckStatus = "warning"
	CheckSkipped CheckStatus = "skipped"
)

// Check is one finding about a tenant: what was looked at, what was found, and
// what to do about it.
type Check struct {
	Tenant string      `json:"tenant"` // name in the configuration
	Name   string      `json:"name"`   // what was looked at, e.g. "sign-in"
	Status CheckStatus `json:"status"`
	Detail string      `json:"detail"`
	Action string      `json:"action"` // "" when there is nothing to do
	// Job is set where the finding is about one job rather than about the tenant.
	Job string `json:"job,omitempty"`
	// Permission is the application permission that is missing, if one is.
	Permission string `json:"permission,omitempty"`
}

// App is the credential with which a job comes to a tenant.
type App struct {
	Kind     string // secret, certificate, managedIdentity, workloadIdentity, azureCLI
	ClientID string // "" where the platform chooses the identity
}

// CheckSubject is a job to be checked, with what the job itself does not know.
type CheckSubject struct {
	Job                  Job
	SourceApp, TargetApp App
	// SourceNeeds and TargetNeeds are the permissions that all jobs of the
	// configuration need of the same app: what goes beyond them is surplus.
	SourceNeeds, TargetNeeds []string
	// MemberByDefault says that new users become members of the target, and
	// MemberAlways that guests who are there do as well.
	MemberByDefault, MemberAlways bool
	// TypeFromSource says that the source's data decides who is a member.
	TypeFromSource bool
	// Others are the other enabled jobs of the configuration on the same pair.
	Others []string
}

// RunChecks gathers facts through the ports of every subject's job, reading
// only, and judges them. What several jobs have in common is told once.
func RunChecks(ctx context.Context, subjects []CheckSubject) ([]Check, error) {
	var all []Check
	seen := map[Check]bool{}
	for _, s := range subjects {
		facts := gatherFacts(ctx, &s.Job)
		if err := ctx.Err(); err != nil {
			return all, err
		}
		for _, c := range judgeChecks(&s, facts) {
			if !seen[c] {
				seen[c] = true
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// checkFacts is what the tenants of a job said of themselves.
type checkFacts struct {
	at             time.Time // when they were gathered
	source, target sideFacts
	groups         []groupFacts
	readsHidden    bool
	assignments    []directory.Assignment
	assignErr      error
	other          otherFacts

	sourceExtensions, targetExtensions extensionFacts
}

// sideFacts is what one tenant said. Nothing else is asked once signing in failed.
type sideFacts struct {
	tenant    directory.Tenant
	err       error
	policy    directory.Policy
	policyErr error
	roles     []string
	known     bool
	rolesErr  error
}

type groupFacts struct {
	id    string
	group directory.Group
	err   error
	asked bool // a filter asks for it, scope does not name it
}

// take is what the administrator takes the group out of.
func (g *groupFacts) take() string {
	if g.asked {
		return "take the clause out of scope.filters"
	}
	return "take the group out of scope.groups"
}

func gatherFacts(ctx context.Context, job *Job) *checkFacts {
	f := &checkFacts{
		at:     now(),
		source: gatherSide(ctx, job.Source, job.Pair.Target),
		target: gatherSide(ctx, job.Target, job.Pair.Source),
	}
	if f.target.err == nil {
		f.targetExtensions = gatherExtensions(ctx, job.Target, len(writtenExtensions(job)) > 0)
	}
	if f.source.err != nil {
		return f
	}
	f.sourceExtensions = gatherExtensions(ctx, job.Source, len(readExtensions(job)) > 0)
	var groups []string
	if !job.Scope.All {
		groups = slices.Clone(job.Scope.Groups)
	}
	if id := job.Scope.ServicePrincipal; id != "" && !job.Scope.All {
		f.assignments, f.assignErr = job.Source.Assignments(ctx, id)
		for _, a := range f.assignments {
			if a.IsGroup {
				groups = append(groups, a.PrincipalID)
			}
		}
	}
	f.gatherGroups(ctx, job, groups)
	f.other = gatherOther(ctx, job, f.target.policy.UserSyncInbound)
	return f
}

// gatherGroups reads the groups that decide who is in scope: those that assign,
// and those that filters ask for.
func (f *checkFacts) gatherGroups(ctx context.Context, job *Job, groups []string) {
	assigning := len(groups)
	for _, id := range filterGroupsOf(job) {
		if !slices.Contains(groups, id) {
			groups = append(groups, id)
		}
	}
	if len(groups) == 0 {
		return
	}
	f.readsHidden = job.Source.ReadsHidden(ctx)
	for i, id := range groups {
		g, err := job.Source.Group(ctx, id)
		f.groups = append(f.groups, groupFacts{id, g, err, i >= assigning})
	}
}

// filterGroupsOf are the groups that a job's filters ask for; a job that was not
// given to an engine may have no filter.
func filterGroupsOf(job *Job) []string {
	if job.Scope.Filter == nil {
		return nil
	}
	return job.Scope.Filter.Groups()
}

func gatherSide(ctx context.Context, org Organization, partner string) sideFacts {
	var f sideFacts
	if f.tenant, f.err = org.Tenant(ctx); f.err != nil && directory.KindOf(f.err) != directory.Denied {
		return f
	}
	f.roles, f.known, f.rolesErr = org.Permissions(ctx)
	f.policy, f.policyErr = org.Policy(ctx, partner)
	return f
}

// judgeChecks is pure: the same facts give the same checks in the same order.
func judgeChecks(s *CheckSubject, f *checkFacts) []Check {
	j := &judgement{s: s, f: f}
	sourceUp := j.side(s.Job.SourceName, "source", &f.source, s.SourceApp, SourcePermissions(&s.Job), s.SourceNeeds)
	targetUp := j.side(s.Job.TargetName, "target", &f.target, s.TargetApp, TargetPermissions(&s.Job), s.TargetNeeds)
	if sourceUp {
		j.scope()
		j.sourcePolicy()
	}
	if targetUp {
		j.targetPolicy()
	}
	j.extensions()
	j.apart()
	j.members()
	j.others(sourceUp && targetUp)
	return j.checks
}

type judgement struct {
	s      *CheckSubject
	f      *checkFacts
	checks []Check
}

func (j *judgement) add(tenant, name string, status CheckStatus, detail, action string) {
	j.checks = append(j.checks, Check{Tenant: tenant, Name: name, Status: status, Detail: detail, Action: action})
}

// addJob adds a finding that concerns this job only.
func (j *judgement) addJob(tenant, name string, status CheckStatus, detail, action string) {
	j.add(tenant, name, status, detail, action)
	j.checks[len(j.checks)-1].Job = j.s.Job.Name
}

// side judges signing in and the permissions of one side, and reports whether
// the tenant can be asked further.
func (j *judgement) side(name, side string, f *sideFacts, app App, needs []Permission, allNeeds []string) bool {
	if f.err != nil && directory.KindOf(f.err) != directory.Denied {
		e := SignInError(f.err, name, app)
		j.add(name, "sign-in", CheckFailure, e.Error(), e.Action)
		return false
	}
	detail := "signed in"
	if f.err == nil {
		detail = "signed in to " + quoteName(f.tenant.DisplayName) + ", tenant " + f.tenant.ID
	}
	j.add(name, "sign-in", CheckSuccess, detail, "")
	for _, e := range j.s.Job.Credentials {
		if text := expiryText(e, j.f.at); text != "" && e.Tenant == name {
			j.add(name, "credential", CheckWarning, text, renewal(e))
		}
	}
	j.permissions(name, side, f, app, needs, allNeeds)
	return true
}

func quoteName(s string) string {
	if s == "" {
		return "the tenant"
	}
	return `"` + s + `"`
}

// sourcePolicy judges what the source says about its users going to the target.
func (j *judgement) sourcePolicy() {
	source, target := j.s.Job.SourceName, j.s.Job.TargetName
	p, err := j.f.source.policy, j.f.source.policyErr
	if err != nil {
		j.policyUnread(source, &j.f.source, err)
		return
	}
	if p.OutboundBlocked {
		j.add(source, "B2B outbound", CheckFailure,
			"B2B collaboration from "+source+" to "+target+" is blocked for all users",
			"in "+source+": External Identities, Cross-tenant access settings, "+target+", Outbound access: allow B2B collaboration")
	} else {
		j.add(source, "B2B outbound", CheckSuccess, "B2B collaboration with "+target+" is allowed", "")
	}
	j.redemption(source, "outbound", target, p.AutoRedeemOutbound)
}

// targetPolicy judges what the target says about users coming from the source.
func (j *judgement) targetPolicy() {
	source, target := j.s.Job.SourceName, j.s.Job.TargetName
	p, err := j.f.target.policy, j.f.target.policyErr
	if err != nil {
		j.policyUnread(target, &j.f.target, err)
		return
	}
	if j.s.Job.Actions.Create {
		j.invitations(target, p.AllowInvitesFrom)
	}
	if p.InboundBlocked {
		j.add(target, "B2B inbound", CheckFailure,
			"B2B collaboration into "+target+" is blocked for all users of "+source,
			"in "+target+": External Identities, Cross-tenant access settings, "+source+", Inbound access: allow B2B collaboration")
	} else {
		j.add(target, "B2B inbound", CheckSuccess, "B2B collaboration with "+source+" is allowed", "")
	}
	j.redemption(target, "inbound", source, p.AutoRedeemInbound)
	if p.MFATrusted {
		j.add(target, "MFA trust", CheckSuccess, "multi-factor authentication done in "+source+" is trusted", "")
	} else {
		j.add(target, "MFA trust", CheckWarning,
			"multi-factor authentication done in "+source+" is not trusted: users register a second time in "+target,
			"in "+target+": Cross-tenant access settings, "+source+", Inbound access, Trust settings: trust multifactor authentication")
	}
	state := "off"
	if p.UserSyncInbound {
		state = "on"
	}
	j.add(target, "userSyncInbound", CheckSuccess,
		"inbound user synchronization from "+source+" is "+state+"; only Microsoft's own service needs it", "")
}

// invitations judges allowInvitesFrom: an app may invite unless invitations are
// off or left to administrators.
// https://learn.microsoft.com/graph/api/resources/authorizationpolicy
func (j *judgement) invitations(target, from string) {
	const name = "invitations"
	switch from {
	case "none", "adminsAndGuestInviters":
		who := "nobody may invite"
		if from != "none" {
			who = "only administrators and guest inviters may invite"
		}
		j.add(target, name, CheckFailure, "the app may not invite users into "+target+": "+who+` (allowInvitesFrom is "`+from+`")`,
			"in "+target+`: External Identities, External collaboration settings, Guest invite settings: choose "Member users and users assigned to specific admin roles can invite" or wider`)
	case "":
		j.add(target, name, CheckSkipped, "the tenant does not tell who may invite", "")
	default:
		j.add(target, name, CheckSuccess, `apps may invite users (allowInvitesFrom is "`+from+`")`, "")
	}
}

func (j *judgement) redemption(tenant, direction, partner string, on bool) {
	const name = "automatic redemption"
	if on {
		j.add(tenant, name, CheckSuccess, "on for "+direction+" access, "+partner, "")
		return
	}
	j.add(tenant, name, CheckWarning,
		"off for "+direction+" access, "+partner+": users get an invitation mail and a consent prompt at their first sign-in",
		"in "+tenant+": Cross-tenant access settings, "+partner+", "+strings.ToUpper(direction[:1])+direction[1:]+
			" access, Trust settings: automatically redeem invitations")
}

func (j *judgement) policyUnread(tenant string, f *sideFacts, err error) {
	if directory.KindOf(err) == directory.Denied && f.known && len(holders(f.roles, permPolicies)) == 0 {
		// The missing permission has been told already.
		j.add(tenant, "policies", CheckSkipped, "the cross-tenant policies of "+tenant+" may not be read", "")
		return
	}
	j.add(tenant, "policies", CheckFailure, "the cross-tenant policies of "+tenant+" could not be read: "+err.Error(),
		"run the check again; if it stays, look at the service health of "+tenant)
}

// scope judges the groups and assignments that decide who is in scope.
func (j *judgement) scope() {
	source := j.s.Job.SourceName
	if err := j.f.assignErr; err != nil {
		status, action := CheckFailure, "grant Application.Read.All and consent to it in "+source
		if directory.KindOf(err) != directory.Denied {
			status, action = CheckWarning, "correct scope.servicePrincipalId: it is the object id of the enterprise application in "+source
		}
		j.addJob(source, "assignments", status, "the assignments of the application could not be read: "+err.Error(), action)
	}
	hidden, unread := 0, 0
	for _, g := range j.f.groups {
		switch {
		case g.err == nil && g.group.HiddenMembership && !j.f.readsHidden:
			hidden++
			j.addJob(source, "scope groups", CheckFailure,
				"the members of group "+quoteName(g.group.DisplayName)+" ("+g.id+") are hidden from the app: they would look as if they had left",
				"grant Member.Read.Hidden and consent to it in "+source+", or "+g.take())
			j.checks[len(j.checks)-1].Permission = "Member.Read.Hidden"
		case directory.KindOf(g.err) == directory.NotFound:
			unread++
			j.addJob(source, "scope groups", CheckWarning, "group "+g.id+" does not exist in "+source+
				": nobody counts as being in it, the deletes of its members are held, and cycles end in quarantine ("+string(CodeScopeGroupDeleted)+")",
				"correct the id, which is the object id of a group of "+source+"; or bring the group back, or "+g.take())
		case g.err != nil:
			unread++
			status := CheckWarning
			if directory.KindOf(g.err) == directory.Denied {
				status = CheckFailure
			}
			j.addJob(source, "scope groups", status, "group "+g.id+" could not be read: "+g.err.Error(),
				"grant GroupMember.Read.All and consent to it in "+source)
		}
	}
	if n := len(j.f.groups); n > 0 && hidden+unread == 0 {
		j.addJob(source, "scope groups", CheckSuccess, countOf(n, "group")+" and the members can be read", "")
	}
}

// apart warns of one app that reads one tenant and writes the other: whoever has
// its secret has both.
func (j *judgement) apart() {
	if id := j.s.TargetApp.ClientID; id != "" && strings.EqualFold(id, j.s.SourceApp.ClientID) {
		j.add(j.s.Job.TargetName, "separate apps", CheckWarning,
			"the app "+id+" reads "+j.s.Job.SourceName+" and writes "+j.s.Job.TargetName+": whoever has its credential has both",
			"register one app for each side, each with the permissions of its side only")
	}
}

// typeFromSource warns of a userType that is no constant.
func (j *judgement) typeFromSource() {
	if !j.s.TypeFromSource {
		return
	}
	j.addJob(j.s.Job.TargetName, "user type", CheckWarning,
		"userType comes from data of "+j.s.Job.SourceName+": who administers users there decides who is a member of "+j.s.Job.TargetName,
		"map userType to a constant, or restrict it with allowedValues: [Guest]")
}

func (j *judgement) members() {
	j.typeFromSource()
	if j.s.MemberAlways && j.s.Job.Actions.Update {
		j.addJob(j.s.Job.TargetName, "user type", CheckWarning,
			"guests who are in "+j.s.Job.TargetName+" become members, not only new users: userType is mapped with flowType Always",
			"if that is not wanted, write flowType: ObjectAddOnly")
	}
	if !j.s.MemberByDefault || !j.s.Job.Actions.Create {
		return
	}
	target := j.s.Job.TargetName
	j.addJob(target, "user type", CheckWarning,
		"new users become members of "+target+", not guests: they see its directory as its own employees do",
		"if that is not wanted, map userType to the constant Guest")
}
