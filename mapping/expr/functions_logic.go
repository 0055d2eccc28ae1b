package expr

// logicFunctions are the functions that test values and choose among them.
var logicFunctions = []function{
	{
		Function: Function{Name: "Coalesce", Summary: "Returns the first argument that is not null; null when all are.",
			Parameters: []Parameter{{Name: "source", Required: true, Blank: true, Repeat: true}},
			Example:    Example{`Coalesce([mail], [userPrincipalName])`, map[string]any{"userPrincipalName": "ada@contoso.com"}, "ada@contoso.com"}},
		eval: coalesce,
	},
	{
		Function: Function{Name: "IIF", Summary: "Returns one of two values, depending on a condition; the other one is not evaluated.",
			Parameters: []Parameter{{Name: "condition", Type: Condition, Required: true}, {Name: "valueIfTrue", Required: true, Blank: true},
				{Name: "valueIfFalse", Required: true, Blank: true}},
			Example: Example{`IIF([country]="NO", "Nordics", "International")`, map[string]any{"country": "NO"}, "Nordics"}},
		eval: iif, prepare: prepareIIF,
	},
	{
		Function: Function{Name: "IsNull", Summary: "Tells whether the value is null; empty text is not.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsNull([department])`, nil, "True"}},
		eval: isNull,
	},
	{
		Function: Function{Name: "IsNullOrEmpty", Summary: "Tells whether the value is null or empty text.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsNullOrEmpty([department])`, map[string]any{"department": "Sales"}, "False"}},
		eval: isNullOrEmpty,
	},
	{
		Function: Function{Name: "IsPresent", Summary: "Tells whether there is a value: the opposite of IsNullOrEmpty.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsPresent([department])`, map[string]any{"department": "Sales"}, "True"}},
		eval: isPresent,
	},
	{
		Function: Function{Name: "Not", Summary: "Returns False for True and True for anything else.",
			Parameters: []Parameter{{Name: "source", Type: Condition, Required: true}}, Result: Condition,
			Example: Example{`Not([accountEnabled])`, map[string]any{"accountEnabled": true}, "False"}},
		eval: not,
	},
	{
		Function: Function{Name: "Switch", Summary: "Returns the value of the first key that equals the source, else the default. An empty key stands for no value.",
			Parameters: []Parameter{{Name: "source", Required: true}, {Name: "defaultValue", Required: true, Blank: true},
				{Name: "key", Required: true, Repeat: true}, {Name: "value", Required: true, Blank: true, Repeat: true}},
			Example: Example{`Switch([country], "Other", "NO", "Norway", "SE", "Sweden")`, map[string]any{"country": "SE"}, "Sweden"}},
		eval: switchCase,
	},
}
