package expr

// listFunctions are the functions that make and read lists.
var listFunctions = []function{
	{
		Function: Function{Name: "Contains", Summary: "Returns the position of the first member of a list that has a text within it, 0 when none has.",
			Parameters: []Parameter{{Name: "list", Required: true}, {Name: "search", Type: Text, Required: true}, {Name: "compareType", Type: Word, Words: []string{binaryCompare, textCompare}}}, Result: Number,
			Example: Example{`Contains([otherMails], "@contoso.com")`, map[string]any{"otherMails": []string{"ada@fabrikam.com", "ada@contoso.com"}}, "2"},
			Notes: []string{
				"Case counts, unless vbTextCompare is given. Null and empty text are found nowhere.",
				"A single value counts as a list of one.",
				"Cloud sync shows it in samples; Connect Sync documents it.",
			}},
		eval: contains,
	},
	{
		Function: Function{Name: "Count", Summary: "Returns the number of members of a list.",
			Parameters: []Parameter{{Name: "attribute", Required: true}}, Result: Number,
			Example: Example{`Count([otherMails])`, map[string]any{"otherMails": []string{"ada@fabrikam.com", "ada@contoso.com"}}, "2"},
			Notes: []string{
				"A single value counts 1, null counts 0.",
			}},
		eval: count,
	},
	{
		Function: Function{Name: "Item", Summary: "Returns one member of a list; the first has the index 1.",
			Parameters: []Parameter{{Name: "list", Required: true}, {Name: "index", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Item(Split([userPrincipalName], "@"), 2)`, map[string]any{"userPrincipalName": "ada@contoso.com"}, "contoso.com"},
			Notes: []string{
				"Counting begins with 1. An index beyond the list is an error.",
				"A single value counts as a list of one; null stays null.",
			}},
		eval: item,
	},
	{
		Function: Function{Name: "RemoveDuplicates", Summary: "Keeps the first of equal members of a list.",
			Parameters: []Parameter{{Name: "list", Required: true}}, Result: Texts,
			Example: Example{`RemoveDuplicates([otherMails])`, map[string]any{"otherMails": []string{"a@x.com", "b@x.com", "a@x.com"}}, []string{"a@x.com", "b@x.com"}},
			Notes: []string{
				"The order stays, and case counts.",
				"A single value is a list of one; null stays null.",
			}},
		eval: removeDuplicates,
	},
	{
		Function: Function{Name: "Split", Summary: "Takes a text apart at a delimiter; members are trimmed, empty ones left out.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "delimiter", Type: Text, Required: true}}, Result: Texts,
			Example: Example{`Split([extensionAttribute1], ",")`, map[string]any{"extensionAttribute1": "red, green"}, []string{"red", "green"}},
			Notes: []string{
				"White space around members is removed, as Microsoft's sample shows, and empty members are left out.",
				"The delimiter can be longer than one character.",
				"Null stays null.",
			}},
		eval: split, prepare: prepareSplit,
	},
}
