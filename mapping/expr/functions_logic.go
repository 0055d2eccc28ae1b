package expr

// logicFunctions are the functions that test values and choose among them.
var logicFunctions = []function{
	{
		Function: Function{Name: "CBool", Summary: "Returns True when a comparison holds or a number is not 0, else False.",
			Parameters: []Parameter{{Name: "expression", Type: Condition, Required: true}}, Result: Condition,
			Example: Example{`CBool([companyName]=[department])`, map[string]any{"companyName": "Contoso", "department": "Sales"}, "False"},
			Notes: []string{
				"The texts True and False count in any case, null is False. Any other text that is no number is an error.",
			}},
		eval: cbool, prepare: prepareCondition,
	},
	{
		Function: Function{Name: "Coalesce", Summary: "Returns the first argument that is not null; null when all are.",
			Parameters: []Parameter{{Name: "source", Required: true, Blank: true, Repeat: true}},
			Example:    Example{`Coalesce([mail], [userPrincipalName])`, map[string]any{"userPrincipalName": "ada@contoso.com"}, "ada@contoso.com"},
			Notes: []string{
				"Only null is passed over: empty text is a value and is returned. An attribute without a value is null.",
			}},
		eval: coalesce,
	},
	{
		Function: Function{Name: "Error", Summary: "Fails the user with a message.",
			Parameters: []Parameter{{Name: "message", Type: Text, Required: true}},
			Example:    Example{`IIF(IsPresent([mail]), [mail], Error("a mail address is needed"))`, map[string]any{"mail": "ada@contoso.com"}, "ada@contoso.com"},
			Notes: []string{
				"In a branch that is not taken it does nothing.",
				"A message that is computed can hold personal data: it is hidden where the mapping is sensitive.",
				"Documented for cloud sync.",
			}},
		eval: raise,
	},
	{
		Function: Function{Name: "IIF", Summary: "Returns one of two values, depending on a condition; the other one is not evaluated.",
			Parameters: []Parameter{{Name: "condition", Type: Condition, Required: true}, {Name: "valueIfTrue", Required: true, Blank: true},
				{Name: "valueIfFalse", Required: true, Blank: true}},
			Example: Example{`IIF([country]="NO", "Nordics", "International")`, map[string]any{"country": "NO"}, "Nordics"},
			Notes: []string{
				"A condition is a comparison (=, <>, >, >=, <, <=), a Boolean, the text True or False in any case, or a number, of which 0 is false.",
				"Two numbers, or texts that are numbers, are compared as numbers; everything else as text, and case counts.",
				"Two dates are compared as instants. A date beside a text is compared as text: put CDate around the text.",
				"A comparison with null is false; only null = null holds.",
				"There is no AND and no OR: nest IIF on the true side for AND, on the false side for OR.",
				`Microsoft's reference calls a condition on an empty attribute unsupported, its own default mappings use it: IsPresent, IsNullOrEmpty and ="" work here.`,
			}},
		eval: iif, prepare: prepareCondition,
	},
	{
		Function: Function{Name: "IgnoreFlowIfNullOrEmpty", Summary: "Returns the value, or leaves the target attribute alone when there is none.",
			Parameters: []Parameter{{Name: "expression", Required: true}},
			Example:    Example{`IgnoreFlowIfNullOrEmpty([department])`, map[string]any{"department": "Sales"}, "Sales"},
			Notes: []string{
				"An attribute that is left alone is part of neither the creation nor the update, and the mapping's default value does not apply.",
				"It works as the outermost function, or as the outcome of a branch. Within another function it counts as null.",
				"A list without members counts as empty.",
			}},
		eval: ignoreIfEmpty,
	},
	{
		Function: Function{Name: "IsNull", Summary: "Tells whether the value is null; empty text is not.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsNull([department])`, nil, "True"},
			Notes: []string{
				"An attribute without a value is null. Empty text is not.",
			}},
		eval: isNull,
	},
	{
		Function: Function{Name: "IsNullOrEmpty", Summary: "Tells whether the value is null or empty text.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsNullOrEmpty([department])`, map[string]any{"department": "Sales"}, "False"},
			Notes: []string{
				"A list without members counts as empty.",
			}},
		eval: isNullOrEmpty,
	},
	{
		Function: Function{Name: "IsPresent", Summary: "Tells whether there is a value: the opposite of IsNullOrEmpty.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsPresent([department])`, map[string]any{"department": "Sales"}, "True"},
			Notes: []string{
				"A list without members is not present.",
			}},
		eval: isPresent,
	},
	{
		Function: Function{Name: "IsString", Summary: "Tells whether the value can be a text.",
			Parameters: []Parameter{{Name: "expression", Required: true}}, Result: Condition,
			Example: Example{`IsString([displayName])`, map[string]any{"displayName": "Ada Byron"}, "True"},
			Notes: []string{
				"Every single value can be; null and a list of several values cannot.",
			}},
		eval: isString,
	},
	{
		Function: Function{Name: "Not", Summary: "Returns False for True and True for anything else.",
			Parameters: []Parameter{{Name: "source", Type: Condition, Required: true}}, Result: Condition,
			Example: Example{`Not([accountEnabled])`, map[string]any{"accountEnabled": true}, "False"},
			Notes: []string{
				"Only True, in any case, gives False: a number, another text and null give True.",
			}},
		eval: not,
	},
	{
		Function: Function{Name: "Switch", Summary: "Returns the value of the first key that equals the source, else the default. An empty key stands for no value.",
			Parameters: []Parameter{{Name: "source", Required: true}, {Name: "defaultValue", Required: true, Blank: true},
				{Name: "key", Required: true, Repeat: true}, {Name: "value", Required: true, Blank: true, Repeat: true}},
			Example: Example{`Switch([country], "Other", "NO", "Norway", "SE", "Sweden")`, map[string]any{"country": "SE"}, "Sweden"},
			Notes: []string{
				"Keys are compared with the source as text, and case counts. Booleans compare as True and False, and nothing is trimmed.",
				`An empty key ("") stands for null and empty text.`,
				"Without a default (an empty place) a source that fits no key gives null.",
				"The keys are evaluated in order, and of the values only the one that is returned.",
				"Connect Sync's Switch (pairs of conditions and values) is another function.",
			}},
		eval: switchCase,
	},
}
