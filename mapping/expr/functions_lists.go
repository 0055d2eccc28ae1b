package expr

// listFunctions are the functions that make and read lists.
var listFunctions = []function{
	{
		Function: Function{Name: "Item", Summary: "Returns one member of a list; the first has the index 1.",
			Parameters: []Parameter{{Name: "list", Required: true}, {Name: "index", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Item(Split([userPrincipalName], "@"), 2)`, map[string]any{"userPrincipalName": "ada@contoso.com"}, "contoso.com"}},
		eval: item,
	},
	{
		Function: Function{Name: "Split", Summary: "Takes a text apart at a delimiter; members are trimmed, empty ones left out.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "delimiter", Type: Text, Required: true}}, Result: Texts,
			Example: Example{`Split([extensionAttribute1], ",")`, map[string]any{"extensionAttribute1": "red, green"}, []string{"red", "green"}}},
		eval: split, prepare: prepareSplit,
	},
}
