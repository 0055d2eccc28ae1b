package engine

import (
	"errors"
	"slices"
	"sort"
	"strconv"
	"strings"

	"tenantsync/directory"
)

// Permissions that a job may need, by the names Graph gives them.
// https://learn.microsoft.com/graph/permissions-reference
const (
	permUsersRead    = "User.Read.All"
	permUsersWrite   = "User.ReadWrite.All"
	permInvite       = "User.Invite.All"
	permRestore      = "User.DeleteRestore.All"
	permGroups       = "GroupMember.Read.All"
	permApplications = "Application.Read.All"
	permPolicies     = "Policy.Read.All"
	permOrganization = "Organization.Read.All"
	// permSynchronization is needed by no job: it lets a check see whether
	// Microsoft's own service works on the same pair.
	permSynchronization = "Synchronization.Read.All"
)

// Permission is one application permission with the reason for it.
type Permission struct {
	Name   string `json:"permission"`
	Reason string `json:"reason"`
}

// SourcePermissions returns the least application permissions that a job needs
// in its source tenant, ordered by name. Reading hidden memberships
// (Member.Read.Hidden) is not among them: only the tenant knows whether a scope
// group hides its members.
func SourcePermissions(job *Job) []Permission {
	perms := []Permission{
		{permOrganization, "know the verified domains, and that this is the right tenant"},
		{permPolicies, "read the cross-tenant policies before users are created"},
		{permUsersRead, "read users and their changes"},
	}
	if !job.Scope.All {
		if job.Scope.ServicePrincipal != "" {
			perms = append(perms, Permission{permApplications, "read who is assigned to the application in scope.servicePrincipalId"})
		}
	}
	switch {
	case !job.Scope.All && (job.Scope.ServicePrincipal != "" || len(job.Scope.Groups) > 0):
		perms = append(perms, Permission{permGroups, "read the members of the groups in scope"})
	case len(filterGroupsOf(job)) > 0:
		perms = append(perms, Permission{permGroups, "read the members of the groups that filters ask for"})
	}
	return sortPermissions(perms)
}

// TargetPermissions returns the least application permissions that a job needs
// in its target tenant, ordered by name.
func TargetPermissions(job *Job) []Permission {
	perms := []Permission{
		{permOrganization, "know the verified domains, and that this is the right tenant"},
		{permPolicies, "read the cross-tenant policies before users are created"},
		{permUsersWrite, "find users, and update or delete those that are synchronized"},
	}
	if job.Actions.Create {
		perms = append(perms, Permission{permInvite, "invite users"})
	}
	if job.Actions.Create || job.Actions.Delete {
		perms = append(perms, Permission{permRestore, "give users who come back their old account"})
	}
	return sortPermissions(perms)
}

func sortPermissions(perms []Permission) []Permission {
	sort.Slice(perms, func(i, k int) bool { return perms[i].Name < perms[k].Name })
	return perms
}

// covers lists, for a permission, those that it includes.
var covers = map[string][]string{
	permUsersWrite:                       {permUsersRead},
	"Group.Read.All":                     {permGroups},
	"GroupMember.ReadWrite.All":          {permGroups},
	"Group.ReadWrite.All":                {permGroups, "Group.Read.All", "GroupMember.ReadWrite.All"},
	"Application.ReadWrite.All":          {permApplications},
	"Organization.ReadWrite.All":         {permOrganization},
	"Policy.ReadWrite.CrossTenantAccess": {permPolicies},
	"Synchronization.ReadWrite.All":      {permSynchronization},
	"Directory.Read.All":                 {permUsersRead, permGroups, permApplications, permOrganization},
	"Directory.ReadWrite.All":            {permUsersRead, permUsersWrite, permInvite, permGroups, permApplications, permOrganization},
}

// holders returns the granted roles that give a permission, itself first.
func holders(roles []string, permission string) []string {
	var have []string
	for _, r := range roles {
		if r == permission || slices.Contains(covers[r], permission) {
			have = append(have, r)
		}
	}
	return have
}

// permissions judges the roles of one side's app against what the job needs, and
// against what all jobs need of that app.
func (j *judgement) permissions(tenant, side string, f *sideFacts, app App, needs []Permission, allNeeds []string) {
	const name = "permissions"
	if f.rolesErr != nil {
		j.add(tenant, name, CheckFailure, "the permissions of "+app.label()+" could not be read: "+f.rolesErr.Error(), "run the check again")
		return
	}
	if !f.known {
		j.unknownPermissions(tenant, f)
		return
	}
	missing := 0
	for _, p := range needs {
		if len(holders(f.roles, p.Name)) > 0 {
			continue
		}
		missing++
		j.add(tenant, name, CheckFailure, app.label()+" lacks the application permission "+p.Name+", needed to "+p.Reason, app.grant(p.Name, tenant))
		j.checks[len(j.checks)-1].Permission = p.Name
	}
	if missing == 0 {
		j.add(tenant, name, CheckSuccess, "every permission needed as "+side+" is granted: "+joinPermissions(needs), "")
	}
	wanted := slices.Clone(allNeeds)
	for _, p := range needs {
		wanted = append(wanted, p.Name)
	}
	if side == "source" {
		wanted = append(wanted, permSynchronization)
	}
	for _, g := range j.f.groups {
		if g.group.HiddenMembership {
			wanted = append(wanted, "Member.Read.Hidden")
		}
	}
	if surplus, instead := surplusRoles(f.roles, wanted); len(surplus) > 0 {
		action := "remove the consent in " + tenant + ", for least privilege"
		if len(instead) > 0 {
			action = "grant " + strings.Join(instead, ", ") + " instead, then remove the consent to the wider ones in " + tenant
		}
		j.add(tenant, "surplus permissions", CheckWarning, app.label()+" holds more than the jobs of this configuration need: "+strings.Join(surplus, ", ")+dangers(surplus), action)
	}
}

// unknownPermissions is for tokens that do not list their roles: what was read
// tells something, what is written can only be seen by writing.
func (j *judgement) unknownPermissions(tenant string, f *sideFacts) {
	const name = "permissions"
	for _, err := range []error{f.err, f.policyErr} {
		var e *directory.Error
		if errors.As(err, &e) && e.Kind == directory.Denied && e.Permission != "" {
			j.add(tenant, name, CheckFailure, e.Error(), "grant "+e.Permission+" and consent to it in "+tenant)
			j.checks[len(j.checks)-1].Permission = e.Permission
		}
	}
	j.add(tenant, name, CheckSkipped, "the access token does not list its permissions", "compare them with: tenantsync check --permissions")
}

// danger is what a permission lets an app do that no job needs.
var danger = map[string]string{
	"Directory.ReadWrite.All":                 "change almost every object of the directory",
	"RoleManagement.ReadWrite.Directory":      "give itself any directory role",
	"AppRoleAssignment.ReadWrite.All":         "give itself any permission",
	"Application.ReadWrite.All":               "add credentials to every app",
	"Application.ReadWrite.OwnedBy":           "add credentials to the apps it owns",
	"Group.ReadWrite.All":                     "change every group, its members and owners",
	"GroupMember.ReadWrite.All":               "put anybody into groups",
	"Policy.ReadWrite.CrossTenantAccess":      "change whom the tenant trusts",
	"Policy.ReadWrite.ConditionalAccess":      "switch off conditional access",
	"UserAuthenticationMethod.ReadWrite.All":  "replace the sign-in methods of users",
	"PrivilegedAccess.ReadWrite.AzureADGroup": "give itself privileged group memberships",
	"User-PasswordProfile.ReadWrite.All":      "set the passwords of users",
	permUsersWrite:                            "change and delete users",
}

// dangers says what surplus permissions would let the app do, where that is much.
func dangers(surplus []string) string {
	var could []string
	for _, s := range surplus {
		if what := danger[s]; what != "" {
			could = append(could, s+" lets it "+what)
		}
	}
	if len(could) == 0 {
		return ""
	}
	return "; " + strings.Join(could, ", ")
}

// surplusRoles returns the granted roles that nothing asks for by name, and the
// needed ones that only such a role gives.
func surplusRoles(roles, wanted []string) (surplus, instead []string) {
	for _, r := range roles {
		if !slices.Contains(wanted, r) && !slices.Contains(surplus, r) {
			surplus = append(surplus, r)
		}
	}
	slices.Sort(surplus)
	for _, w := range wanted {
		have := holders(roles, w)
		onlySurplus := len(have) > 0
		for _, h := range have {
			onlySurplus = onlySurplus && slices.Contains(surplus, h)
		}
		if onlySurplus && !slices.Contains(instead, w) {
			instead = append(instead, w)
		}
	}
	slices.Sort(instead)
	return surplus, instead
}

func joinPermissions(perms []Permission) string {
	names := make([]string, len(perms))
	for i, p := range perms {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

// label names the app in a sentence.
func (a App) label() string {
	switch {
	case a.ClientID != "":
		return "the app " + a.ClientID
	case a.Kind == "azureCLI":
		return "the user signed in to the Azure CLI"
	case a.Kind != "":
		return "the " + a.Kind
	}
	return "the app"
}

// grant says how somebody gives the app a permission; it depends on the kind of
// credential.
func (a App) grant(permission, tenant string) string {
	return "grant " + permission + " " + a.How() + " in " + tenant
}

// How says how a permission is granted to this kind of credential.
func (a App) How() string {
	switch a.Kind {
	case "managedIdentity":
		return "to the managed identity (an app role assignment to its service principal, by PowerShell or Graph; the portal cannot)"
	case "azureCLI":
		return "through a directory role of the signed-in user (the Azure CLI has no application permissions)"
	}
	return "as an application permission and consent to it as an administrator"
}

// signInHelp is what the sign-in service's codes mean to an operator.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var signInHelp = []struct{ code, why, do string }{
	{"AADSTS7000215", "the client secret is wrong", "put the secret's value (not its id) where the configuration reads it from; create a new one if it is lost"},
	{"AADSTS7000222", "the client secret has expired", "create a new secret for the app and put its value where the configuration reads it from"},
	{"AADSTS7000216", "the sign-in needs a secret or an assertion and sent none", "give the credential a secret, a certificate or another kind"},
	{"AADSTS700016", "the tenant has no app with this client id", "correct clientId or tenantId, or consent to the app in the tenant (its service principal is missing)"},
	{"AADSTS700027", "the certificate is not registered for the app", "upload the certificate's public key to the app registration, or correct certificateFile"},
	{"AADSTS700024", "the assertion is outside its validity", "set this machine's clock, or renew the certificate"},
	{"AADSTS70021", "no federated identity credential of the app matches the token", "compare issuer, subject and audience of the app's federated credential with the token's"},
	{"AADSTS700211", "no federated identity credential of the app matches the token", "compare issuer, subject and audience of the app's federated credential with the token's"},
	{"AADSTS700213", "no federated identity credential of the app matches the token", "compare issuer, subject and audience of the app's federated credential with the token's"},
	{"AADSTS7000112", "the app is disabled in the tenant", "enable sign-in of the enterprise application"},
	{"AADSTS90002", "there is no such tenant", "correct tenantId, or cloud if the tenant lives in another cloud"},
	{"AADSTS900023", "the tenant id is not one", "correct tenantId"},
	{"AADSTS650052", "the app asks for a service the tenant does not have", "consent to the app in the tenant"},
	{"AADSTS65001", "nobody has consented to the app in this tenant", "consent to the app as an administrator of the tenant"},
	{"AADSTS53003", "a conditional access policy blocks the app", "exclude the app from the policy, or meet its conditions"},
	{"AADSTS50034", "the account does not exist in the tenant", "sign in with an account of the tenant"},
}

// SignInError turns an error of signing in to a tenant, or of reaching it, into
// what an operator reads. err is what the adapter answered.
func SignInError(err error, tenant string, app App) *Error {
	out := &Error{Class: ClassSignIn, Code: "SignIn", Message: "cannot sign in to " + tenant + ".", Cause: err.Error(), Err: err,
		Action: "see the message, then run: tenantsync check"}
	var e *directory.Error
	if !errors.As(err, &e) {
		return out
	}
	out.RequestID = e.RequestID
	if e.Code != "" {
		out.Code = e.Code
	}
	text := e.Code + " " + e.Message
	if e.Err != nil {
		text += " " + e.Err.Error()
	}
	for _, h := range signInHelp {
		// A longer code must not be taken for its prefix.
		if i := strings.Index(text, h.code); i >= 0 && !startsWithDigit(text[i+len(h.code):]) {
			out.Message = "cannot sign in to " + tenant + " as " + app.label() + "."
			out.Code, out.Cause, out.Action = h.code, h.why+" ("+h.code+")", "for "+tenant+": "+h.do
			return out
		}
	}
	switch {
	case e.Kind == directory.SignIn && strings.Contains(strings.ToLower(text), "tenant"):
		out.Action = "correct tenantId of " + tenant + ", or use an app of that tenant"
	case e.Kind == directory.SignIn:
		out.Action = "check kind, clientId and secret of " + tenant + " in the configuration"
	case e.Kind == directory.Denied:
		out.Message, out.Permission = "cannot read "+tenant+".", e.Permission
		out.Action = app.grant(e.Permission, tenant)
	default:
		out.Class, out.Message, out.Cause = ClassFailed, "cannot reach "+tenant+".", answer(e)
		out.Action = "check the network, the proxy, cloud and endpoints of " + tenant + ", then run: tenantsync check"
		if u, ok := whyUnreached(e, tenant); ok {
			out.Message, out.Cause, out.Action = u.message(tenant), u.cause, u.action+"; then run: tenantsync check"
		}
	}
	return out
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// countOf writes a count with its noun.
func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
