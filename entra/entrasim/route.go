package entrasim

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// route is one call Graph knows. In a pattern {} stands for a key.
type route struct {
	method  string
	pattern []string
	needs   []string // any one of these permissions
	kind    string   // what counts and the journal call it
	cost    int      // resource units before modifiers
	write   bool     // changes the directory: counts against the write quota
	serve   func(*call, context.Context) answer
}

// plain adapts a handler that waits for nothing.
func plain(f func(*call) answer) func(*call, context.Context) answer {
	return func(x *call, _ context.Context) answer { return f(x) }
}

// routeTable lists every call the simulation serves, by the first path segment.
// Least permissions and costs: https://learn.microsoft.com/graph/permissions-reference,
// https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits
func routeTable() map[string][]route {
	const (
		get, post, patch, put, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete

		userRead, userWrite, userRestore = "User.Read.All", "User.ReadWrite.All", "User.DeleteRestore.All"
		memberRead, memberWrite          = "GroupMember.Read.All", "GroupMember.ReadWrite.All"
		groupWrite                       = "Group.ReadWrite.All"
		policyRead, partnerWrite         = "Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess"
		syncRead, syncWrite              = "Synchronization.Read.All", "Synchronization.ReadWrite.All"
	)
	table := []struct {
		method, pattern, kind string
		cost                  int
		write                 bool
		serve                 func(*call) answer
		needs                 []string
	}{
		{get, "users", "listUsers", 2, false, (*call).listUsers, []string{userRead}},
		{get, "users/$count", "countUsers", 1, false, (*call).countUsers, []string{userRead}},
		{get, "users/delta", "usersDelta", 2, false, (*call).usersDelta, []string{userRead}},
		{post, "users", "createUser", 1, true, (*call).createUser, []string{userWrite}},
		{get, "users/{}", "getUser", 1, false, (*call).getUser, []string{userRead}},
		{patch, "users/{}", "updateUser", 1, true, (*call).updateUser, []string{userWrite}},
		{del, "users/{}", "deleteUser", 1, true, (*call).deleteUser, []string{userWrite, userRestore}},
		{get, "users/{}/manager", "getManager", 1, false, (*call).getManager, []string{userRead}},
		{get, "users/{}/manager/$ref", "getManager", 1, false, (*call).getManagerRef, []string{userRead}},
		{put, "users/{}/manager/$ref", "putManager", 1, true, (*call).putManager, []string{userWrite}},
		{del, "users/{}/manager/$ref", "deleteManager", 1, true, (*call).deleteManager, []string{userWrite}},
		{get, "users/{}/memberOf", "memberOf", 2, false, (*call).memberOf, []string{"Directory.Read.All", memberRead}},
		{get, "users/{}/memberOf/microsoft.graph.group", "memberOf", 2, false, (*call).memberOf, []string{memberRead}},
		{post, "invitations", "invite", 1, true, (*call).invite, []string{"User.Invite.All"}},

		{get, "directory/deletedItems/microsoft.graph.user", "listDeleted", 1, false, (*call).listDeleted, []string{userRead}},
		{get, "directory/deletedItems/{}", "getDeleted", 1, false, (*call).getDeleted, []string{userRead}},
		{get, "directory/deletedItems/{}/microsoft.graph.user", "getDeleted", 1, false, (*call).getDeleted, []string{userRead}},
		{post, "directory/deletedItems/{}/restore", "restore", 1, true, (*call).restoreDeleted, []string{userRestore}},
		{del, "directory/deletedItems/{}", "purge", 1, true, (*call).purgeDeleted, []string{userRestore}},

		{get, "groups", "listGroups", 1, false, (*call).listGroups, []string{memberRead}},
		{get, "groups/delta", "groupsDelta", 1, false, (*call).groupsDelta, []string{memberRead}},
		{get, "groups/{}", "getGroup", 1, false, (*call).getGroup, []string{memberRead}},
		{patch, "groups/{}", "updateGroup", 1, true, (*call).updateGroup, []string{memberWrite, groupWrite}},
		{get, "groups/{}/members", "listMembers", 3, false, (*call).listMembers, []string{memberRead}},
		{get, "groups/{}/members/{cast}", "listMembers", 3, false, (*call).listMembers, []string{memberRead}},
		{get, "groups/{}/transitiveMembers", "listTransitiveMembers", 5, false, (*call).listTransitive, []string{memberRead}},
		{get, "groups/{}/transitiveMembers/{cast}", "listTransitiveMembers", 5, false, (*call).listTransitive, []string{memberRead}},
		{post, "groups/{}/members/$ref", "addMember", 1, true, (*call).addMemberRef, []string{memberWrite}},
		{del, "groups/{}/members/{}/$ref", "removeMember", 1, true, (*call).removeMemberRef, []string{memberWrite}},

		{get, "servicePrincipals", "listServicePrincipals", 1, false, (*call).listPrincipals, []string{"Application.Read.All"}},
		{get, "servicePrincipals/{}", "getServicePrincipal", 1, false, (*call).getPrincipal, []string{"Application.Read.All"}},
		{get, "servicePrincipals/{}/appRoleAssignedTo", "listAppRoleAssignedTo", 1, false, (*call).listAssignments, []string{"Application.Read.All"}},

		{get, "servicePrincipals/{}/synchronization/jobs", "listSynchronizationJobs", 1, false, (*call).listSyncJobs, []string{syncRead}},
		{get, "servicePrincipals/{}/synchronization/jobs/{}", "getSynchronizationJob", 1, false, (*call).getSyncJob, []string{syncRead}},
		{get, "servicePrincipals/{}/synchronization/jobs/{}/schema", "getSynchronizationSchema", 1, false, (*call).getSyncSchema, []string{syncRead}},
		{get, "servicePrincipals/{}/synchronization/secrets", "listSynchronizationSecrets", 1, false, (*call).listSyncSecrets, []string{syncRead}},
		{post, "servicePrincipals/{}/synchronization/jobs/{}/pause", "pauseSynchronizationJob", 1, true, (*call).pauseSyncJob, []string{syncWrite}},
		{post, "servicePrincipals/{}/synchronization/jobs/{}/start", "startSynchronizationJob", 1, true, (*call).startSyncJob, []string{syncWrite}},

		{get, "organization", "getOrganization", 1, false, (*call).listOrganization, []string{"Organization.Read.All", userRead}},
		{get, "organization/{}", "getOrganization", 1, false, (*call).getOrganization, []string{"Organization.Read.All", userRead}},
		{get, "domains", "listDomains", 1, false, (*call).listDomains, []string{"Domain.Read.All", "Organization.Read.All", "Directory.Read.All"}},
		{get, "contacts", "listContacts", 1, false, (*call).listContacts, []string{"OrgContact.Read.All", "Directory.Read.All"}},
		{get, "directoryRoles", "listDirectoryRoles", 1, false, (*call).listRoles, []string{"RoleManagement.Read.Directory", "Directory.Read.All"}},
		{get, "directoryRoles/{}/members", "listDirectoryRoleMembers", 1, false, (*call).listRoleMembers, []string{"RoleManagement.Read.Directory", "Directory.Read.All"}},
		{post, "directoryObjects/getByIds", "getByIds", 3, false, (*call).getByIDs, []string{"Directory.Read.All", userRead}},

		{post, "directoryObjects/getAvailableExtensionProperties", "getAvailableExtensionProperties", 1, false, (*call).listExtensions, []string{"Application.Read.All", "Directory.Read.All"}},

		{get, "policies/authorizationPolicy", "getAuthorizationPolicy", 1, false, (*call).getAuthorizationPolicy, []string{policyRead}},
		{get, "policies/crossTenantAccessPolicy/default", "getCrossTenantDefault", 1, false, (*call).getCrossTenantDefault, []string{policyRead}},
		{get, "policies/crossTenantAccessPolicy/partners", "listPartners", 1, false, (*call).listPartners, []string{policyRead}},
		{post, "policies/crossTenantAccessPolicy/partners", "createPartner", 1, true, (*call).createPartner, []string{partnerWrite}},
		{get, "policies/crossTenantAccessPolicy/partners/{}", "getPartner", 1, false, (*call).getPartner, []string{policyRead}},
		{patch, "policies/crossTenantAccessPolicy/partners/{}", "updatePartner", 1, true, (*call).updatePartner, []string{partnerWrite}},
		{del, "policies/crossTenantAccessPolicy/partners/{}", "deletePartner", 1, true, (*call).deletePartner, []string{partnerWrite}},
		{get, "policies/crossTenantAccessPolicy/partners/{}/identitySynchronization", "getIdentitySynchronization", 1, false, (*call).getIdentitySync, []string{policyRead}},
		{put, "policies/crossTenantAccessPolicy/partners/{}/identitySynchronization", "putIdentitySynchronization", 1, true, (*call).putIdentitySync, []string{partnerWrite}},
		{patch, "policies/crossTenantAccessPolicy/partners/{}/identitySynchronization", "updateIdentitySynchronization", 1, true, (*call).patchIdentitySync, []string{partnerWrite}},
		{del, "policies/crossTenantAccessPolicy/partners/{}/identitySynchronization", "deleteIdentitySynchronization", 1, true, (*call).deleteIdentitySync, []string{partnerWrite}},

		{get, "auditLogs/provisioning", "listProvisioning", 1, false, (*call).listProvisioning, []string{"AuditLog.Read.All"}},
	}
	out := map[string][]route{}
	for _, e := range table {
		pattern := strings.Split(e.pattern, "/")
		out[pattern[0]] = append(out[pattern[0]], route{
			method: e.method, pattern: pattern, needs: e.needs, kind: e.kind, cost: e.cost, write: e.write, serve: plain(e.serve),
		})
	}
	out["$batch"] = []route{{method: post, pattern: []string{"$batch"}, kind: "batch", serve: (*call).batch}}
	return out
}

// findRoute sets the call's route and keys; without a route it returns Graph's
// answer to a path or method it does not know.
func (c *Cloud) findRoute(x *call, segments []string) answer {
	known := false
	for i := range c.routes[segments[0]] {
		r := &c.routes[segments[0]][i]
		ids, ok := match(r.pattern, segments)
		if !ok {
			continue
		}
		known = true
		if r.method == x.method {
			x.route, x.ids = r, ids
			return answer{}
		}
	}
	if known {
		return x.fail(http.StatusMethodNotAllowed, "BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	return x.parseError("Resource not found for the segment '%s'.", segments[0])
}

// match compares a path with a pattern and returns its keys. {} takes any
// segment that is no system segment, {cast} only a type name.
func match(pattern, segments []string) ([]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	var ids []string
	for i, p := range pattern {
		s := segments[i]
		switch p {
		case "{}":
			if strings.HasPrefix(s, "$") || s == "delta" || strings.HasPrefix(s, "microsoft.graph.") || s == "" {
				return nil, false
			}
			ids = append(ids, s)
		case "{cast}":
			if !strings.HasPrefix(s, "microsoft.graph.") {
				return nil, false
			}
			ids = append(ids, s)
		default:
			if !strings.EqualFold(p, s) {
				return nil, false
			}
		}
	}
	return ids, true
}

// splitPath cuts an escaped path into decoded segments and brings its variants
// into one form: users('id') is users/id, delta() and microsoft.graph.delta()
// are delta, graph.user is microsoft.graph.user.
func splitPath(escaped string) ([]string, error) {
	var out []string
	for s := range strings.SplitSeq(strings.Trim(escaped, "/"), "/") {
		key := ""
		s, err := url.PathUnescape(s)
		if err != nil {
			return nil, err
		}
		if name, rest, ok := strings.Cut(s, "('"); ok && strings.HasSuffix(rest, "')") {
			s, key = name, strings.ReplaceAll(strings.TrimSuffix(rest, "')"), "''", "'")
		}
		if strings.HasPrefix(s, "graph.") {
			s = "microsoft." + s
		}
		switch strings.TrimSuffix(s, "()") {
		case "delta", "microsoft.graph.delta":
			s = "delta"
		case "restore", "microsoft.graph.restore":
			s = "restore"
		case "getByIds", "microsoft.graph.getByIds":
			s = "getByIds"
		case "getAvailableExtensionProperties", "microsoft.graph.getAvailableExtensionProperties":
			s = "getAvailableExtensionProperties"
		case "pause", "microsoft.graph.pause":
			s = "pause"
		case "start", "microsoft.graph.start":
			s = "start"
		}
		out = append(out, s)
		if key != "" {
			out = append(out, key)
		}
	}
	return out, nil
}
