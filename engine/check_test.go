package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/store"
)

// side is what one tenant answers to a check. Every method that a check has no
// business to call is missing and would panic.
type side struct {
	tenant    directory.Tenant
	tenantErr error
	policy    directory.Policy
	policyErr error
	roles     []string
	opaque    bool
	partner   string // asked for
}

func (s *side) Tenant(context.Context) (directory.Tenant, error) { return s.tenant, s.tenantErr }

func (s *side) Policy(_ context.Context, partner string) (directory.Policy, error) {
	s.partner = partner
	return s.policy, s.policyErr
}

func (s *side) Permissions(context.Context) ([]string, bool, error) { return s.roles, !s.opaque, nil }

type checkSource struct {
	engine.Source
	*side
	groups      map[string]directory.Group
	groupErr    error
	assignments []directory.Assignment
	assignErr   error
	hidden      bool
	otherJobs   []directory.SynchronizationJob
	otherDenied bool // the jobs may not be read
	otherAt     time.Time
	otherErr    error
}

func (s *checkSource) Tenant(ctx context.Context) (directory.Tenant, error) {
	return s.side.Tenant(ctx)
}
func (s *checkSource) Policy(ctx context.Context, p string) (directory.Policy, error) {
	return s.side.Policy(ctx, p)
}
func (s *checkSource) Permissions(ctx context.Context) ([]string, bool, error) {
	return s.side.Permissions(ctx)
}
func (s *checkSource) ReadsHidden(context.Context) bool { return s.hidden }

func (s *checkSource) Group(_ context.Context, id string) (directory.Group, error) {
	if s.groupErr != nil {
		return directory.Group{}, s.groupErr
	}
	if g, ok := s.groups[id]; ok {
		return g, nil
	}
	return directory.Group{}, &directory.Error{Op: "read group", Kind: directory.NotFound, Tenant: "contoso", Status: 404}
}

func (s *checkSource) AppRoles(context.Context, string) ([]directory.AppRole, error) {
	return nil, nil
}

func (s *checkSource) Assignments(context.Context, string) ([]directory.Assignment, error) {
	return s.assignments, s.assignErr
}

func (s *checkSource) SynchronizationJobs(_ context.Context, principal string) ([]directory.SynchronizationJob, error) {
	if principal != "" {
		return nil, fmt.Errorf("asked for the jobs of %q alone", principal)
	}
	if s.otherDenied {
		return nil, denied("read synchronization jobs", "Synchronization.Read.All")
	}
	return s.otherJobs, nil
}

func (s *checkSource) LastProvisioned(context.Context, time.Time) (time.Time, string, error) {
	return s.otherAt, "Azure2Azure.x.y", s.otherErr
}

type checkTarget struct {
	engine.Target
	*side
}

func (t *checkTarget) Tenant(ctx context.Context) (directory.Tenant, error) {
	return t.side.Tenant(ctx)
}
func (t *checkTarget) Policy(ctx context.Context, p string) (directory.Policy, error) {
	return t.side.Policy(ctx, p)
}
func (t *checkTarget) Permissions(ctx context.Context) ([]string, bool, error) {
	return t.side.Permissions(ctx)
}

// checkWorld is a job about which nothing is to be complained; tests spoil it.
type checkWorld struct {
	subject engine.CheckSubject
	source  *checkSource
	target  *checkTarget
}

func goodWorld() *checkWorld {
	w := &checkWorld{
		source: &checkSource{side: &side{
			tenant: directory.Tenant{ID: "c0", DisplayName: "Contoso"}, policy: directory.Policy{AutoRedeemOutbound: true},
			roles: []string{"User.Read.All", "Policy.Read.All", "Organization.Read.All"},
		}, groups: map[string]directory.Group{}},
		target: &checkTarget{side: &side{
			tenant: directory.Tenant{ID: "fa", DisplayName: "Fabrikam"},
			policy: directory.Policy{AllowInvitesFrom: "everyone", AutoRedeemInbound: true, MFATrusted: true},
			roles:  []string{"User.ReadWrite.All", "User.Invite.All", "User.DeleteRestore.All", "Policy.Read.All", "Organization.Read.All"},
		}},
	}
	w.subject = engine.CheckSubject{
		Job: engine.Job{
			Name: "contoso-to-fabrikam", SourceName: "contoso", TargetName: "fabrikam",
			Scope: engine.Scope{All: true}, Actions: engine.Actions{Create: true, Update: true, Delete: true},
		},
		SourceApp: engine.App{Kind: "secret", ClientID: "app-c"}, TargetApp: engine.App{Kind: "certificate", ClientID: "app-f"},
	}
	w.subject.Job.Pair = store.Pair{Source: "c0", Target: "fa"}
	return w
}

// assignedUsers makes a scope of who is assigned to an application.
func (w *checkWorld) assignedUsers() {
	w.subject.Job.Scope = engine.Scope{ServicePrincipal: "sp"}
	w.source.roles = append(w.source.roles, "Application.Read.All", "GroupMember.Read.All")
}

func (w *checkWorld) run(t *testing.T) []engine.Check {
	t.Helper()
	w.subject.Job.Source, w.subject.Job.Target = w.source, w.target
	checks, err := engine.RunChecks(t.Context(), []engine.CheckSubject{w.subject})
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// told writes the checks that are no success, one a line.
func told(checks []engine.Check) string {
	var b strings.Builder
	for _, c := range checks {
		if c.Status != engine.CheckSuccess {
			fmt.Fprintf(&b, "%s %s %s\n", c.Status, c.Tenant, c.Name)
		}
	}
	return b.String()
}

func denied(op, permission string) error {
	return &directory.Error{Op: op, Kind: directory.Denied, Status: 403, Code: "Authorization_RequestDenied", Permission: permission}
}

func signInError(code, message string) error {
	return &directory.Error{Op: "sign in", Kind: directory.SignIn, Status: 401, Code: code, Message: message, Tenant: "contoso"}
}

func TestCheck(t *testing.T) {
	hiddenGroup := directory.Group{ID: "g1", DisplayName: "Staff", HiddenMembership: true}
	tests := []struct {
		name  string
		spoil func(*checkWorld)
		want  string
		texts []string // that must occur in details or actions
	}{
		{"nothing to complain about", func(*checkWorld) {}, "", nil},
		{"wrong secret", func(w *checkWorld) {
			w.source.tenantErr = signInError("AADSTS7000215", "Invalid client secret provided.")
		}, "failure contoso sign-in\n", []string{"the client secret is wrong", "app-c", "value (not its id)"}},
		{"expired secret", func(w *checkWorld) { w.target.tenantErr = signInError("AADSTS7000222", "expired") },
			"failure fabrikam sign-in\n", []string{"has expired"}},
		{"app unknown", func(w *checkWorld) { w.source.tenantErr = signInError("AADSTS700016", "not found in the directory") },
			"failure contoso sign-in\n", []string{"no app with this client id", "correct clientId or tenantId"}},
		{"tenant unknown", func(w *checkWorld) { w.source.tenantErr = signInError("AADSTS90002", "Tenant not found.") },
			"failure contoso sign-in\n", []string{"no such tenant", "correct tenantId"}},
		{"a code is not taken for its prefix", func(w *checkWorld) { w.source.tenantErr = signInError("AADSTS900029", "other") },
			"failure contoso sign-in\n", []string{"AADSTS900029", "kind, clientId and secret"}},
		{"wrong tenant", func(w *checkWorld) { w.target.tenantErr = signInError("WrongTenant", "signs in to tenant x") },
			"failure fabrikam sign-in\n", []string{"signs in to tenant x", "correct tenantId of fabrikam"}},
		{"tenant not reachable", func(w *checkWorld) {
			w.source.tenantErr = &directory.Error{Op: "read organization", Kind: directory.Transient, Err: errors.New("connection refused")}
		}, "failure contoso sign-in\n", []string{"cannot reach contoso", "connection refused", "endpoints of contoso"}},
		{"permission missing", func(w *checkWorld) { w.target.roles = without(w.target.roles, "User.Invite.All") },
			"failure fabrikam permissions\n", []string{"User.Invite.All", "needed to invite users", "in fabrikam"}},
		{"two permissions missing", func(w *checkWorld) { w.source.roles = []string{"Organization.Read.All"} },
			"failure contoso permissions\nfailure contoso permissions\n", []string{"Policy.Read.All", "User.Read.All"}},
		{"policies may not be read", func(w *checkWorld) {
			w.target.roles = without(w.target.roles, "Policy.Read.All")
			w.target.policyErr = denied("read policies", "Policy.Read.All")
		}, "failure fabrikam permissions\nskipped fabrikam policies\n", []string{"Policy.Read.All"}},
		{"policies denied although granted", func(w *checkWorld) { w.target.policyErr = denied("read policies", "Policy.Read.All") },
			"failure fabrikam policies\n", nil},
		{"wider permission covers, and is surplus", func(w *checkWorld) { w.source.roles = []string{"Directory.Read.All", "Policy.Read.All"} },
			"warning contoso surplus permissions\n", []string{"Directory.Read.All", "grant Organization.Read.All, User.Read.All instead"}},
		{"surplus permission", func(w *checkWorld) { w.target.roles = append(w.target.roles, "Mail.Send") },
			"warning fabrikam surplus permissions\n", []string{"Mail.Send", "remove the consent in fabrikam"}},
		{"surplus permissions that let it take over", func(w *checkWorld) {
			w.target.roles = append(w.target.roles, "Directory.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "Application.ReadWrite.All")
		}, "warning fabrikam surplus permissions\n", []string{"change almost every object", "give itself any directory role", "add credentials to every app"}},
		{"a source app that may write", func(w *checkWorld) { w.source.roles = append(w.source.roles, "User.ReadWrite.All") },
			"warning contoso surplus permissions\n", []string{"change and delete users"}},
		{"one app for both sides", func(w *checkWorld) { w.subject.TargetApp.ClientID = w.subject.SourceApp.ClientID },
			"warning fabrikam separate apps\n", []string{"reads contoso and writes fabrikam"}},
		{"userType from the source", func(w *checkWorld) { w.subject.TypeFromSource = true },
			"warning fabrikam user type\n", []string{"who administers users there decides"}},
		{"guests who are there become members", func(w *checkWorld) { w.subject.MemberAlways = true },
			"warning fabrikam user type\n", []string{"flowType: ObjectAddOnly"}},
		{"needed by another job of the app is not surplus", func(w *checkWorld) {
			w.source.roles = append(w.source.roles, "User.Invite.All")
			w.subject.SourceNeeds = []string{"User.Invite.All"}
		}, "", nil},
		{"opaque token", func(w *checkWorld) { w.source.opaque = true }, "skipped contoso permissions\n", []string{"check --permissions"}},
		{"opaque token, denied", func(w *checkWorld) {
			w.source.opaque, w.source.tenantErr = true, denied("read organization", "Organization.Read.All")
		}, "failure contoso permissions\nskipped contoso permissions\n", []string{"Organization.Read.All"}},
		{"invitations off", func(w *checkWorld) { w.target.policy.AllowInvitesFrom = "none" }, "failure fabrikam invitations\n", []string{"nobody may invite"}},
		{"invitations limited to administrators", func(w *checkWorld) { w.target.policy.AllowInvitesFrom = "adminsAndGuestInviters" },
			"failure fabrikam invitations\n", []string{"only administrators"}},
		{"members may invite", func(w *checkWorld) { w.target.policy.AllowInvitesFrom = "adminsGuestInvitersAndAllMembers" }, "", nil},
		{"invitations off, job creates nobody", func(w *checkWorld) {
			w.target.policy.AllowInvitesFrom = "none"
			w.subject.Job.Actions.Create = false
			w.subject.TargetNeeds = []string{"User.Invite.All"}
		}, "", nil},
		{"blocked in the source", func(w *checkWorld) { w.source.policy.OutboundBlocked = true }, "failure contoso B2B outbound\n", []string{"Outbound access"}},
		{"blocked in the target", func(w *checkWorld) { w.target.policy.InboundBlocked = true }, "failure fabrikam B2B inbound\n", []string{"Inbound access"}},
		{"no automatic redemption", func(w *checkWorld) {
			w.source.policy.AutoRedeemOutbound, w.target.policy.AutoRedeemInbound = false, false
		}, "warning contoso automatic redemption\nwarning fabrikam automatic redemption\n", []string{"consent prompt", "automatically redeem"}},
		{"MFA not trusted", func(w *checkWorld) { w.target.policy.MFATrusted = false }, "warning fabrikam MFA trust\n", nil},
		{"members by default", func(w *checkWorld) { w.subject.MemberByDefault = true }, "warning fabrikam user type\n", []string{"not guests"}},
		{"hidden members", func(w *checkWorld) {
			w.scopeGroups("g1")
			w.source.groups["g1"] = hiddenGroup
		}, "failure contoso scope groups\n", []string{"Member.Read.Hidden", `"Staff"`}},
		{"hidden members that may be read", func(w *checkWorld) {
			w.scopeGroups("g1")
			w.source.groups["g1"], w.source.hidden = hiddenGroup, true
			w.source.roles = append(w.source.roles, "Member.Read.Hidden")
		}, "", nil},
		{"hidden members of an assigned group", func(w *checkWorld) {
			w.assignedUsers()
			w.source.assignments = []directory.Assignment{{PrincipalID: "g1", IsGroup: true}, {PrincipalID: "u1", IsUser: true}}
			w.source.groups["g1"] = hiddenGroup
		}, "failure contoso scope groups\n", nil},
		{"scope group gone", func(w *checkWorld) { w.scopeGroups("gone") }, "warning contoso scope groups\n", []string{"gone does not exist"}},
		{"scope group that may not be read", func(w *checkWorld) {
			w.scopeGroups("g1")
			w.source.groupErr = denied("read group", "GroupMember.Read.All")
		}, "failure contoso scope groups\n", []string{"group g1 could not be read", "grant GroupMember.Read.All"}},
		{"scope group that cannot be read just now", func(w *checkWorld) {
			w.scopeGroups("g1")
			w.source.groupErr = &directory.Error{Op: "read group", Kind: directory.Transient, Err: errors.New("connection refused")}
		}, "warning contoso scope groups\n", []string{"connection refused"}},
		{"assignments that may not be read", func(w *checkWorld) {
			w.assignedUsers()
			w.source.assignErr = denied("read assignments", "Application.Read.All")
		}, "failure contoso assignments\n", []string{"grant Application.Read.All and consent to it in contoso"}},
		{"assignments of no application", func(w *checkWorld) {
			w.assignedUsers()
			w.source.assignErr = &directory.Error{Op: "read assignments", Kind: directory.NotFound, Status: 404}
		}, "warning contoso assignments\n", []string{"correct scope.servicePrincipalId"}},
		{"the tenant does not tell who may invite", func(w *checkWorld) { w.target.policy.AllowInvitesFrom = "" },
			"skipped fabrikam invitations\n", []string{"does not tell who may invite"}},
		{"another job of the pair", func(w *checkWorld) { w.subject.Others = []string{"second"} },
			"warning fabrikam other synchronization\n", []string{`"second"`}},
		{"a job of Microsoft's service is active on the pair", func(w *checkWorld) {
			w.target.policy.UserSyncInbound, w.source.otherJobs = true, []directory.SynchronizationJob{otherJob("Active", "fa")}
		}, "warning contoso other synchronization\n", []string{"Azure2Azure.x.y", `"Fabrikam" (service principal sp-1)`, "is active from contoso to fabrikam", "two writers fight", "Stop, not unassign", "deletes the users in fabrikam"}},
		{"a job of Microsoft's service in quarantine, not let in", func(w *checkWorld) {
			w.source.otherJobs = []directory.SynchronizationJob{otherJob("Quarantine", "FA")}
		}, "warning contoso other synchronization\n", []string{"is active (Quarantine)", "as soon as fabrikam lets it in"}},
		{"a job of Microsoft's service whose target is hidden", func(w *checkWorld) {
			w.target.policy.UserSyncInbound, w.source.otherJobs = true, []directory.SynchronizationJob{otherJob("Active", "")}
		}, "warning contoso other synchronization\n", []string{"its target could not be read"}},
		{"two jobs of Microsoft's service", func(w *checkWorld) {
			w.target.policy.UserSyncInbound, w.source.otherJobs = true, []directory.SynchronizationJob{otherJob("Active", "fa"), otherJob("NotRun", "fa"), otherJob("Paused", "fa")}
		}, "warning contoso other synchronization\nwarning contoso other synchronization\n", []string{"is active (NotRun)"}},
		{"a stopped job of Microsoft's service", func(w *checkWorld) {
			w.target.policy.UserSyncInbound, w.source.otherJobs = true, []directory.SynchronizationJob{otherJob("Paused", "fa")}
			w.source.otherAt = time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC) // before it was stopped
		}, "", []string{`of "Fabrikam" (service principal sp-1) is stopped`}},
		{"a job of Microsoft's service into another tenant", func(w *checkWorld) {
			w.target.policy.UserSyncInbound, w.source.otherJobs = true, []directory.SynchronizationJob{otherJob("Active", "zz")}
		}, "", []string{"no synchronization job of Microsoft's own service leads from contoso to fabrikam"}},
		{"jobs that may not be read, and the target lets nobody in", func(w *checkWorld) {
			w.source.otherDenied, w.source.otherAt = true, time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)
		}, "", []string{"may not synchronize users from contoso"}},
		{"Microsoft's service works on the pair", func(w *checkWorld) {
			w.source.otherDenied = true
			w.target.policy.UserSyncInbound, w.source.otherAt = true, time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)
		}, "warning contoso other synchronization\n", []string{"Azure2Azure.x.y", "2026-11-22T08:20:00Z", "two writers fight", "Stop, not unassign"}},
		{"Microsoft's service could not be looked for", func(w *checkWorld) {
			w.source.otherDenied = true
			w.target.policy.UserSyncInbound, w.source.otherErr = true, denied("read provisioning logs", "AuditLog.Read.All")
		}, "skipped contoso other synchronization\n", []string{"grant Synchronization.Read.All and Application.Read.All in contoso, or AuditLog.Read.All", "read synchronization jobs", "read provisioning logs"}},
		{"Microsoft's service may, but did nothing", func(w *checkWorld) {
			w.source.otherDenied = true
			w.target.policy.UserSyncInbound = true
		}, "", []string{"provisioned nobody"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := goodWorld()
			tt.spoil(w)
			checks := w.run(t)
			if got := told(checks); got != tt.want {
				t.Errorf("checks that are no success:\n%swant:\n%s", got, tt.want)
			}
			var all strings.Builder
			for _, c := range checks {
				fmt.Fprintf(&all, "%s %s\n", c.Detail, c.Action)
				if c.Status == engine.CheckFailure && c.Action == "" {
					t.Errorf("failure %q says nothing to do", c.Detail)
				}
			}
			for _, text := range tt.texts {
				if !strings.Contains(all.String(), text) {
					t.Errorf("no check says %q:\n%s", text, all.String())
				}
			}
		})
	}
}

func (w *checkWorld) scopeGroups(ids ...string) {
	w.subject.Job.Scope = engine.Scope{Groups: ids}
	w.source.roles = append(w.source.roles, "GroupMember.Read.All")
}

func without(list []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == word })
}

func TestCheckAsksEachSideAboutTheOther(t *testing.T) {
	w := goodWorld()
	w.run(t)
	if w.source.partner != "fa" || w.target.partner != "c0" {
		t.Errorf("partners asked for: got %q by the source and %q by the target, want fa and c0", w.source.partner, w.target.partner)
	}
}

func TestCheckNamesTheMissingPermission(t *testing.T) {
	w := goodWorld()
	w.target.roles = without(w.target.roles, "User.Invite.All")
	for _, c := range w.run(t) {
		if c.Status == engine.CheckFailure {
			if c.Permission != "User.Invite.All" {
				t.Errorf("permission: got %q, want User.Invite.All", c.Permission)
			}
			return
		}
	}
	t.Error("no failure")
}

func TestCheckTellsWhatJobsShareOnce(t *testing.T) {
	w := goodWorld()
	w.subject.Job.Source, w.subject.Job.Target = w.source, w.target
	second := w.subject
	second.Job.Name, second.MemberByDefault = "second", true
	one, err := engine.RunChecks(t.Context(), []engine.CheckSubject{w.subject})
	if err != nil {
		t.Fatal(err)
	}
	both, err := engine.RunChecks(t.Context(), []engine.CheckSubject{w.subject, second})
	if err != nil {
		t.Fatal(err)
	}
	if len(both) != len(one)+1 || both[len(both)-1].Job != "second" {
		t.Errorf("got %d checks for two jobs and %d for one, want one more, about the second job", len(both), len(one))
	}
}

func TestCheckEndsWithTheContext(t *testing.T) {
	w := goodWorld()
	w.subject.Job.Source, w.subject.Job.Target = w.source, w.target
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := engine.RunChecks(ctx, []engine.CheckSubject{w.subject}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestLeastPermissions(t *testing.T) {
	all := engine.Actions{Create: true, Update: true, Delete: true}
	tests := []struct {
		name           string
		job            engine.Job
		source, target string
	}{
		{"all users", engine.Job{Scope: engine.Scope{All: true, Groups: []string{"g"}}, Actions: all},
			"Organization.Read.All Policy.Read.All User.Read.All",
			"Organization.Read.All Policy.Read.All User.DeleteRestore.All User.Invite.All User.ReadWrite.All"},
		{"groups", engine.Job{Scope: engine.Scope{Groups: []string{"g"}}, Actions: all},
			"GroupMember.Read.All Organization.Read.All Policy.Read.All User.Read.All",
			"Organization.Read.All Policy.Read.All User.DeleteRestore.All User.Invite.All User.ReadWrite.All"},
		{"assignments", engine.Job{Scope: engine.Scope{ServicePrincipal: "s"}, Actions: engine.Actions{Update: true}},
			"Application.Read.All GroupMember.Read.All Organization.Read.All Policy.Read.All User.Read.All",
			"Organization.Read.All Policy.Read.All User.ReadWrite.All"},
		{"single users", engine.Job{Scope: engine.Scope{Users: []string{"u"}}, Actions: engine.Actions{Delete: true}},
			"Organization.Read.All Policy.Read.All User.Read.All",
			"Organization.Read.All Policy.Read.All User.DeleteRestore.All User.ReadWrite.All"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := permissionNames(engine.SourcePermissions(&tt.job)); got != tt.source {
				t.Errorf("source: got %s, want %s", got, tt.source)
			}
			if got := permissionNames(engine.TargetPermissions(&tt.job)); got != tt.target {
				t.Errorf("target: got %s, want %s", got, tt.target)
			}
		})
	}
}

func permissionNames(perms []engine.Permission) string {
	names := make([]string, len(perms))
	for i, p := range perms {
		names[i] = p.Name
	}
	return strings.Join(names, " ")
}

func TestGrantingDependsOnTheCredential(t *testing.T) {
	for kind, want := range map[string]string{
		"secret": "consent", "certificate": "consent", "workloadIdentity": "consent",
		"managedIdentity": "app role assignment", "azureCLI": "directory role",
	} {
		if got := (engine.App{Kind: kind}).How(); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want a text with %q", kind, got, want)
		}
	}
}

// otherJob is a synchronization job of Microsoft's own service.
func otherJob(state, target string) directory.SynchronizationJob {
	return directory.SynchronizationJob{
		ID: "Azure2Azure.x.y", ServicePrincipalID: "sp-1", ServicePrincipal: "Fabrikam", State: state, Schedule: "Active", TargetTenantID: target,
	}
}
