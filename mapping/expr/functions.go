package expr

import "slices"

// functionTable has one entry for each function, in the order of their names.
// The documentation of the functions follows Microsoft's reference:
// https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data.
var functionTable = []function{
	{
		Function: Function{Name: "Append", Summary: "Puts a suffix at the end of a text; null counts as empty text.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "suffix", Type: Text, Required: true}}, Result: Text,
			Example: Example{`Append([displayName], " (Contoso)")`, map[string]any{"displayName": "Ada Byron"}, "Ada Byron (Contoso)"}},
		eval: appendText,
	},
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
		Function: Function{Name: "Item", Summary: "Returns one member of a list; the first has the index 1.",
			Parameters: []Parameter{{Name: "list", Required: true}, {Name: "index", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Item(Split([userPrincipalName], "@"), 2)`, map[string]any{"userPrincipalName": "ada@contoso.com"}, "contoso.com"}},
		eval: item,
	},
	{
		Function: Function{Name: "Join", Summary: "Joins texts with a separator; those without a value are left out, lists give each member.",
			Parameters: []Parameter{{Name: "separator", Type: Text, Required: true, Blank: true},
				{Name: "source", Type: Text, Required: true, Blank: true, Repeat: true}}, Result: Text,
			Example: Example{`Join(", ", [surname], [givenName])`, map[string]any{"surname": "Byron", "givenName": "Ada"}, "Byron, Ada"}},
		eval: join,
	},
	{
		Function: Function{Name: "Left", Summary: "Returns the first characters of a text; all of it when the number is negative or too great.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "length", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Left([givenName], 1)`, map[string]any{"givenName": "Ada"}, "A"}},
		eval: left,
	},
	{
		Function: Function{Name: "Mid", Summary: "Returns characters from the middle of a text; the first character has the position 1.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "start", Type: Number, Required: true},
				{Name: "length", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Mid([employeeId], 3, 4)`, map[string]any{"employeeId": "NO10482"}, "1048"}},
		eval: mid,
	},
	{
		Function: Function{Name: "NormalizeDiacritics", Summary: "Replaces accented Latin letters by plain ones, ø by oe, ß by ss; case stays.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`NormalizeDiacritics([surname])`, map[string]any{"surname": "Ångström"}, "Angstrom"}},
		eval: normalize,
	},
	{
		Function: Function{Name: "Not", Summary: "Returns False for True and True for anything else.",
			Parameters: []Parameter{{Name: "source", Type: Condition, Required: true}}, Result: Condition,
			Example: Example{`Not([accountEnabled])`, map[string]any{"accountEnabled": true}, "False"}},
		eval: not,
	},
	{
		Function: Function{Name: "Replace", Summary: "Replaces parts of a text; which of the seven places are filled selects how.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "oldValue", Type: Text, Required: true, Blank: true},
				{Name: "regexPattern", Type: Text, Required: true, Blank: true}, {Name: "regexGroupName", Type: Text, Required: true, Blank: true},
				{Name: "replacementValue", Type: Text, Required: true, Blank: true},
				{Name: "replacementAttributeName", Type: Text, Required: true, Blank: true}, {Name: "template", Type: Text, Required: true, Blank: true}},
			Result:  Text,
			Example: Example{`Replace([mail], "@contoso.com", , , "", , )`, map[string]any{"mail": "ada@contoso.com"}, "ada"}},
		eval: replace, prepare: prepareReplace,
	},
	{
		Function: Function{Name: "Split", Summary: "Takes a text apart at a delimiter; members are trimmed, empty ones left out.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "delimiter", Type: Text, Required: true}}, Result: Texts,
			Example: Example{`Split([extensionAttribute1], ",")`, map[string]any{"extensionAttribute1": "red, green"}, []string{"red", "green"}}},
		eval: split, prepare: prepareSplit,
	},
	{
		Function: Function{Name: "StripSpaces", Summary: "Removes every blank; tabs and other white space stay.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`StripSpaces([businessPhones])`, map[string]any{"businessPhones": []string{"+47 22 00 00 00"}}, "+4722000000"}},
		eval: stripSpaces,
	},
	{
		Function: Function{Name: "Switch", Summary: "Returns the value of the first key that equals the source, else the default. An empty key stands for no value.",
			Parameters: []Parameter{{Name: "source", Required: true}, {Name: "defaultValue", Required: true, Blank: true},
				{Name: "key", Required: true, Repeat: true}, {Name: "value", Required: true, Blank: true, Repeat: true}},
			Example: Example{`Switch([country], "Other", "NO", "Norway", "SE", "Sweden")`, map[string]any{"country": "SE"}, "Sweden"}},
		eval: switchCase,
	},
	{
		Function: Function{Name: "ToLower", Summary: "Returns the text in lower case, by the rules of a culture such as tr-TR where one is given.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "culture", Type: Text}}, Result: Text,
			Example: Example{`ToLower([userPrincipalName])`, map[string]any{"userPrincipalName": "Ada@Contoso.com"}, "ada@contoso.com"}},
		eval: toLower, prepare: prepareCulture,
	},
	{
		Function: Function{Name: "ToUpper", Summary: "Returns the text in upper case, by the rules of a culture such as tr-TR where one is given.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "culture", Type: Text}}, Result: Text,
			Example: Example{`ToUpper([country])`, map[string]any{"country": "no"}, "NO"}},
		eval: toUpper, prepare: prepareCulture,
	},
}

// functionNames are the names of the table, in its order.
var functionNames = func() []string {
	names := make([]string, len(functionTable))
	for i := range functionTable {
		names[i] = functionTable[i].Name
	}
	return names
}()

func functionNamed(name string) (*function, bool) {
	i, ok := slices.BinarySearch(functionNames, name)
	if !ok {
		return nil, false
	}
	return &functionTable[i], true
}

// Functions returns the documentation of every function, in the order of their
// names. The caller owns the slice.
func Functions() []Function {
	list := make([]Function, len(functionTable))
	for i := range functionTable {
		list[i] = functionTable[i].Function
		list[i].Parameters = slices.Clone(list[i].Parameters)
	}
	return list
}
