package expr

// numberFunctions are the functions on numbers and types.
var numberFunctions = []function{
	{
		Function: Function{Name: "BitAnd", Summary: "Returns the bits that are set in both numbers.",
			Parameters: []Parameter{{Name: "value1", Type: Number, Required: true}, {Name: "value2", Type: Number, Required: true}}, Result: Number,
			Example: Example{`IIF(BitAnd([extensionAttribute1], 2)=2, "blocked", "open")`, map[string]any{"extensionAttribute1": "514"}, "blocked"},
			Notes: []string{
				"Numbers have 64 bits; &H begins a hexadecimal one. The result is decimal.",
				"Null or empty text on either side gives null.",
			}},
		eval: bitAnd,
	},
	{
		Function: Function{Name: "CStr", Summary: "Returns the text form of a value.",
			Parameters: []Parameter{{Name: "value", Required: true}}, Result: Text,
			Example: Example{`CStr([accountEnabled])`, map[string]any{"accountEnabled": true}, "True"},
			Notes: []string{
				"Booleans are True and False, numbers plain decimals, dates M/d/yyyy h:mm:ss tt in UTC.",
				"Null stays null. A list of several values has no text form, which is an error.",
			}},
		eval: cstr,
	},
}
