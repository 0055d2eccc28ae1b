package entrasim

// includes lists, for a permission, those it covers as well. Invitations and
// restores have permissions of their own that User.ReadWrite.All does not cover.
// https://learn.microsoft.com/graph/permissions-reference
func includes(role string) []string {
	switch role {
	case "User.ReadWrite.All":
		return []string{"User.Read.All"}
	case "Group.Read.All", "GroupMember.ReadWrite.All":
		return []string{"GroupMember.Read.All"}
	case "Group.ReadWrite.All":
		return []string{"Group.Read.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All"}
	case "Application.ReadWrite.All":
		return []string{"Application.Read.All"}
	case "Synchronization.ReadWrite.All":
		return []string{"Synchronization.Read.All"}
	case "Organization.ReadWrite.All":
		return []string{"Organization.Read.All"}
	case "Policy.ReadWrite.CrossTenantAccess":
		return []string{"Policy.Read.All"}
	case "Directory.Read.All":
		return []string{"User.Read.All", "Group.Read.All", "GroupMember.Read.All", "Application.Read.All", "Organization.Read.All"}
	case "Directory.ReadWrite.All":
		return []string{"Directory.Read.All", "User.Read.All", "User.ReadWrite.All", "User.Invite.All", "Group.Read.All", "Group.ReadWrite.All",
			"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Application.Read.All", "Organization.Read.All"}
	}
	return nil
}

func expandRoles(roles []string) map[string]bool {
	grants := make(map[string]bool, 2*len(roles))
	for _, r := range roles {
		grants[r] = true
		for _, i := range includes(r) {
			grants[i] = true
		}
	}
	return grants
}

// syncPermissions are what a synchronization needs on both sides together, what
// taking over a configuration of Microsoft's own service needs, and what a
// rehearsal reads besides.
func syncPermissions() []string {
	return []string{
		"Application.Read.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All", "OrgContact.Read.All",
		"Organization.Read.All", "Policy.Read.All", "RoleManagement.Read.Directory", "Synchronization.Read.All",
		"User.DeleteRestore.All", "User.Invite.All", "User.Read.All", "User.ReadWrite.All",
	}
}
