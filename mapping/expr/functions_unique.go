package expr

// uniqueFunctions are the functions that look at the target.
var uniqueFunctions = []function{
	{
		Function: Function{Name: "SelectUniqueValue", Summary: "Tries rules in order and returns the first value that no object of the target has yet.",
			Parameters: []Parameter{{Name: "rule", Type: Text, Required: true}, {Name: "rule", Type: Text, Required: true, Repeat: true}}, Result: Text,
			Example: Example{`SelectUniqueValue(Join(".", [givenName], [surname]), Join(".", Left([givenName], 1), [surname]))`,
				map[string]any{"givenName": "Ada", "surname": "Byron"}, "Ada.Byron"},
			Notes: []string{
				"It must be the outermost function, and its mapping must apply only when objects are created (ObjectAddOnly).",
				"A rule that gives null or empty text offers no value. Later rules are evaluated only when the values before are taken.",
				"When no value is free, the user is not created: this is a failure that is retried.",
				"Beyond Entra: Microsoft offers it for HR-driven provisioning into Active Directory, not between tenants.",
			}},
		eval: selectUnique, outermost: true,
	},
}
