package expr

// roleFunctions are the functions on app-role assignments.
var roleFunctions = []function{
	{
		Function: Function{Name: "AppRoleAssignmentsComplex", Summary: "Returns every app role a user is assigned to, as JSON with id, value and displayName.",
			Parameters: []Parameter{{Name: "appRoleAssignments", Required: true}}, Result: Texts,
			Example: Example{`AppRoleAssignmentsComplex([appRoleAssignments])`, map[string]any{"appRoleAssignments": []string{`{"id":"7c1","value":"editor","displayName":"Editor"}`}}, []string{`{"id":"7c1","value":"editor","displayName":"Editor"}`}},
			Notes: []string{
				"Roles come in the order of their names, each once.",
				"In Microsoft's service it only ever adds roles: the same comes of a mapping with the flow type MultiValueAddOnly.",
				"Without an assignment it is null.",
				"There are no assignments when the job synchronizes all users.",
			}},
		eval: complexRoles,
	},
	{
		Function: Function{Name: "AssertiveAppRoleAssignmentsComplex", Summary: "Returns every app role a user is assigned to, as JSON, to replace those of the target.",
			Parameters: []Parameter{{Name: "appRoleAssignments", Required: true}}, Result: Texts,
			Example: Example{`AssertiveAppRoleAssignmentsComplex([appRoleAssignments])`, map[string]any{"appRoleAssignments": []string{`{"id":"7c1","value":"editor","displayName":"Editor"}`}}, []string{`{"id":"7c1","value":"editor","displayName":"Editor"}`}},
			Notes: []string{
				"The list is that of AppRoleAssignmentsComplex: whether roles are taken away follows from the mapping's flow type.",
				"Without an assignment it is null.",
				"There are no assignments when the job synchronizes all users.",
			}},
		eval: complexRoles,
	},
	{
		Function: Function{Name: "SingleAppRoleAssignment", Summary: "Returns the name of the one app role a user is assigned to.",
			Parameters: []Parameter{{Name: "appRoleAssignments", Required: true}}, Result: Text,
			Example: Example{`SingleAppRoleAssignment([appRoleAssignments])`, map[string]any{"appRoleAssignments": []string{"Editor"}}, "Editor"},
			Notes: []string{
				"The name is the display name of the role, else its value.",
				"Of several roles the first in the order of their names is taken; Microsoft leaves the choice undefined.",
				"Without an assignment it is null.",
				"There are no assignments when the job synchronizes all users.",
			}},
		eval: singleRole,
	},
}
