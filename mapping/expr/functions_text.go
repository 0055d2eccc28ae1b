package expr

// textFunctions are the functions that make texts out of texts.
var textFunctions = []function{
	{
		Function: Function{Name: "Append", Summary: "Puts a suffix at the end of a text; null counts as empty text.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "suffix", Type: Text, Required: true}}, Result: Text,
			Example: Example{`Append([displayName], " (Contoso)")`, map[string]any{"displayName": "Ada Byron"}, "Ada Byron (Contoso)"}},
		eval: appendText,
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
		Function: Function{Name: "StripSpaces", Summary: "Removes every blank; tabs and other white space stay.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`StripSpaces([businessPhones])`, map[string]any{"businessPhones": []string{"+47 22 00 00 00"}}, "+4722000000"}},
		eval: stripSpaces,
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
