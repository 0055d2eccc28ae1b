package expr

// encodingFunctions are the functions that encode, decode and make up texts.
var encodingFunctions = []function{
	{
		Function: Function{Name: "ConvertFromBase64", Summary: "Decodes Base64 to text, from UTF-16 or the encoding that is named.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "encoding", Type: Word, Words: []string{encodingUnicode, encodingUTF8, encodingASCII}}}, Result: Text,
			Example: Example{`ConvertFromBase64([extensionAttribute1], UTF8)`, map[string]any{"extensionAttribute1": "QWRh"}, "Ada"},
			Notes: []string{
				"Unicode is UTF-16 with the low byte first, as .NET names it.",
				"Text that is no Base64, and bytes that mean nothing in the encoding, are errors.",
				"Null stays null.",
				"Documented for cloud sync.",
			}},
		eval: fromBase64,
	},
	{
		Function: Function{Name: "ConvertToBase64", Summary: "Encodes the UTF-16 form of a text as Base64.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`ConvertToBase64([givenName])`, map[string]any{"givenName": "Ada"}, "QQBkAGEA"},
			Notes: []string{
				"The low byte comes first and there is no byte order mark, so ASCII text shows an A in every second place.",
				"Null stays null.",
			}},
		eval: toBase64,
	},
	{
		Function: Function{Name: "ConvertToUTF8Hex", Summary: "Writes the UTF-8 bytes of a text in hexadecimal.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`ConvertToUTF8Hex([givenName])`, map[string]any{"givenName": "Zoë"}, "5A6FC3AB"},
			Notes: []string{
				"Letters are capital.",
				"Null stays null.",
			}},
		eval: toUTF8Hex,
	},
	{
		Function: Function{Name: "Guid", Summary: "Returns a random GUID.",
			Result:  Text,
			Example: Example{`Replace(Guid(), , "[0-9a-f]", , "x", , )`, nil, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"},
			Notes: []string{
				"Each evaluation gives another value: use it in mappings that apply only when objects are created.",
			}},
		eval: guid, random: true,
	},
	{
		Function: Function{Name: "RandomString", Summary: "Returns a random text with so many characters of each class at least.",
			Parameters: []Parameter{{Name: "length", Type: Number, Required: true}, {Name: "minimumNumbers", Type: Number, Required: true}, {Name: "minimumSpecialCharacters", Type: Number, Required: true}, {Name: "minimumCapital", Type: Number, Required: true}, {Name: "minimumLowerCase", Type: Number, Required: true}, {Name: "charactersToAvoid", Type: Text}}, Result: Text,
			Example: Example{`Replace(RandomString(6, 3, 0, 0, 3), , "^[0-9a-z]{6}$", , "six digits and small letters", , )`, nil, "six digits and small letters"},
			Notes: []string{
				"The length is at most 256 and at least the sum of the minimum numbers; what it leaves open is drawn from all four classes.",
				"The special characters are those of Windows passwords: ~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/",
				"Each evaluation gives another value: use it in mappings that apply only when objects are created.",
			}},
		eval: randomString, prepare: prepareRandom, random: true,
	},
	{
		Function: Function{Name: "StringFromSid", Summary: "Writes a security identifier in Base64 as text.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`StringFromSid([extensionAttribute1])`, map[string]any{"extensionAttribute1": "AQIAAAAAAAUgAAAAIAIAAA=="}, "S-1-5-32-544"},
			Notes: []string{
				"An identifier that is text already stays as it is: onPremisesSecurityIdentifier is one.",
				"Null stays null.",
				"Documented for cloud sync.",
			}},
		eval: stringFromSID,
	},
}
