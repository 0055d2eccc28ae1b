package expr

// textFunctions are the functions that make texts out of texts.
var textFunctions = []function{
	{
		Function: Function{Name: "Append", Summary: "Puts a suffix at the end of a text; null counts as empty text.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "suffix", Type: Text, Required: true}}, Result: Text,
			Example: Example{`Append([displayName], " (Contoso)")`, map[string]any{"displayName": "Ada Byron"}, "Ada Byron (Contoso)"},
			Notes: []string{
				"Null counts as empty text on both sides.",
			}},
		eval: appendText,
	},
	{
		Function: Function{Name: "CRef", Summary: "Returns the text unchanged; Connect Sync and cloud sync make a reference of it.",
			Parameters: []Parameter{{Name: "value", Type: Text, Required: true}}, Result: Text,
			Example: Example{`DNComponent(CRef([onPremisesDistinguishedName]), 2)`, map[string]any{"onPremisesDistinguishedName": "CN=Ada,OU=Sales,DC=contoso"}, "Sales"},
			Notes: []string{
				"It is there so that samples of DNComponent work as they are written. References to users, such as manager, are carried by direct mappings.",
			}},
		eval: cstr,
	},
	{
		Function: Function{Name: "DNComponent", Summary: "Returns the value of one component of a distinguished name; the leftmost has the number 1.",
			Parameters: []Parameter{{Name: "dn", Type: Text, Required: true}, {Name: "componentNumber", Type: Number, Required: true}}, Result: Text,
			Example: Example{`DNComponent([onPremisesDistinguishedName], 1)`, map[string]any{"onPremisesDistinguishedName": `CN=Byron\, Ada,OU=Sales,DC=contoso,DC=com`}, "Byron, Ada"},
			Notes: []string{
				"Escapes are resolved.",
				"Null, and a number beyond the components, give null; a number below 1 is an error.",
				"Documented for cloud sync.",
			}},
		eval: dnComponent,
	},
	{
		Function: Function{Name: "InStr", Summary: "Returns the position of a text within another, 0 when it is not there; the first character has the position 1.",
			Parameters: []Parameter{{Name: "value1", Type: Text, Required: true}, {Name: "value2", Type: Text, Required: true}, {Name: "start", Type: Number}, {Name: "compareType", Type: Word, Words: []string{binaryCompare, textCompare}}}, Result: Number,
			Example: Example{`InStr([mail], "@contoso.com")`, map[string]any{"mail": "ada@contoso.com"}, "4"},
			Notes: []string{
				"The search begins at start, from which on a match is looked for; the position always counts from the beginning of the text.",
				"Case counts with vbBinaryCompare, which applies when nothing is said, and does not with vbTextCompare.",
				"Null and empty text are found nowhere and contain nothing: the position is 0.",
				"A start below 1 is an error.",
			}},
		eval: inStr,
	},
	{
		Function: Function{Name: "Join", Summary: "Joins texts with a separator; those without a value are left out, lists give each member.",
			Parameters: []Parameter{{Name: "separator", Type: Text, Required: true, Blank: true},
				{Name: "source", Type: Text, Required: true, Blank: true, Repeat: true}}, Result: Text,
			Example: Example{`Join(", ", [surname], [givenName])`, map[string]any{"surname": "Byron", "givenName": "Ada"}, "Byron, Ada"},
			Notes: []string{
				"Sources that are null or empty text are left out, so no separator is doubled. A source that is a blank is kept.",
				"A list gives each of its members in turn.",
				"Connect Sync's Join(list, delimiter) is another function: here the separator comes first.",
			}},
		eval: join,
	},
	{
		Function: Function{Name: "Left", Summary: "Returns the first characters of a text; all of it when the number is negative or too great.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "length", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Left([givenName], 1)`, map[string]any{"givenName": "Ada"}, "A"},
			Notes: []string{
				"Null gives empty text.",
				"A number of 0 gives empty text, a negative one the whole text.",
				"Characters are Unicode code points, where .NET counts UTF-16 units: they differ for emoji and some rare scripts only.",
			}},
		eval: left,
	},
	{
		Function: Function{Name: "Len", Summary: "Returns the number of characters of a text.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Number,
			Example: Example{`Len([displayName])`, map[string]any{"displayName": "Ada Byron"}, "9"},
			Notes: []string{
				"Null has 0 characters.",
				"Beyond Entra: in Microsoft's products only Connect Sync has it.",
			}},
		eval: length,
	},
	{
		Function: Function{Name: "Mid", Summary: "Returns characters from the middle of a text; the first character has the position 1.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "start", Type: Number, Required: true},
				{Name: "length", Type: Number, Required: true}}, Result: Text,
			Example: Example{`Mid([employeeId], 3, 4)`, map[string]any{"employeeId": "NO10482"}, "1048"},
			Notes: []string{
				"Null gives empty text; so does a start behind the end. A length beyond the end is cut.",
				"A start below 1 and a negative length are errors.",
			}},
		eval: mid,
	},
	{
		Function: Function{Name: "NormalizeDiacritics", Summary: "Replaces accented Latin letters by plain ones, ø by oe, ß by ss; case stays.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`NormalizeDiacritics([surname])`, map[string]any{"surname": "Ångström"}, "Angstrom"},
			Notes: []string{
				"Case does not change. ä, ö, ü and å become one letter, never ae, oe or ue.",
				"Letters outside the documented table, such as đ and þ, and letters of other scripts pass unchanged.",
				"Null stays null.",
			}},
		eval: normalize,
	},
	{
		Function: Function{Name: "PCase", Summary: "Lowers the text and then capitalises the first letter of each word.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "wordSeparators", Type: Text}}, Result: Text,
			Example: Example{`PCase([displayName])`, map[string]any{"displayName": "ADA BYRON-KING"}, "Ada Byron-King"},
			Notes: []string{
				"Without wordSeparators a word ends at white space, control characters, punctuation and mathematical, currency and modifier symbols. An apostrophe between two letters ends none: O'NEIL becomes O'neil.",
				"With wordSeparators a word ends at these characters only: a blank has to be among them.",
				"Null stays null.",
			}},
		eval: pcase,
	},
	{
		Function: Function{Name: "Redact", Summary: "Returns the value unchanged and keeps it out of every output, where [Redact] stands in its place.",
			Parameters: []Parameter{{Name: "value", Required: true}},
			Example:    Example{`Redact([employeeId])`, map[string]any{"employeeId": "10482"}, "10482"},
			Notes: []string{
				"The whole result of an expression that calls Redact anywhere is kept out: of the provisioning log, plans and failures.",
			}},
		eval: unchanged, redacts: true,
	},
	{
		Function: Function{Name: "Replace", Summary: "Replaces parts of a text; which of the seven places are filled selects how.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "oldValue", Type: Text, Required: true, Blank: true},
				{Name: "regexPattern", Type: Text, Required: true, Blank: true}, {Name: "regexGroupName", Type: Text, Required: true, Blank: true},
				{Name: "replacementValue", Type: Text, Required: true, Blank: true},
				{Name: "replacementAttributeName", Type: Text, Required: true, Blank: true}, {Name: "template", Type: Text, Required: true, Blank: true}},
			Result:  Text,
			Example: Example{`Replace([mail], "@contoso.com", , , "", , )`, map[string]any{"mail": "ada@contoso.com"}, "ada"},
			Notes: []string{
				`A place left empty between its commas is not there; "" is there and is empty text, so a replacementValue of "" deletes.`,
				"oldValue and replacementValue: every occurrence of oldValue in source is replaced; it is plain text and case counts.",
				"oldValue and template: every occurrence of oldValue in template is replaced by source.",
				"regexPattern and replacementValue: every match is replaced, with the substitutions $1, ${name}, $$, $&, $`, $', $+ and $_. Without a match the source stays.",
				"These two and regexGroupName: only what the group captured is replaced, by replacementValue as it stands.",
				"regexPattern, regexGroupName and replacementAttributeName: source where it has a value, else the group of the first match in the other attribute; null without a match.",
				"Patterns are .NET regular expressions: look-around, named groups and references back work. A pattern that takes longer than 250 ms on a value fails that user.",
				"A source that is null stays null, save in the rules with a template and with another attribute.",
				"Where the pages about the other attribute disagree, the page on application provisioning is followed.",
			}},
		eval: replace, prepare: prepareReplace,
	},
	{
		Function: Function{Name: "StripSpaces", Summary: "Removes every blank; tabs and other white space stay.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}}, Result: Text,
			Example: Example{`StripSpaces([businessPhones])`, map[string]any{"businessPhones": []string{"+47 22 00 00 00"}}, "+4722000000"},
			Notes: []string{
				"Only the blank (U+0020) is removed: tabs, line breaks and no-break spaces stay.",
				"Null stays null.",
			}},
		eval: stripSpaces,
	},
	{
		Function: Function{Name: "ToLower", Summary: "Returns the text in lower case, by the rules of a culture such as tr-TR where one is given.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "culture", Type: Text}}, Result: Text,
			Example: Example{`ToLower([userPrincipalName])`, map[string]any{"userPrincipalName": "Ada@Contoso.com"}, "ada@contoso.com"},
			Notes: []string{
				"Without a culture the invariant one applies. tr and az tell i from ı.",
				"Null stays null.",
			}},
		eval: toLower, prepare: prepareCulture,
	},
	{
		Function: Function{Name: "ToUpper", Summary: "Returns the text in upper case, by the rules of a culture such as tr-TR where one is given.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "culture", Type: Text}}, Result: Text,
			Example: Example{`ToUpper([country])`, map[string]any{"country": "no"}, "NO"},
			Notes: []string{
				"Without a culture the invariant one applies. tr and az tell i from ı.",
				"One character becomes one character, as in .NET: ß stays ß.",
				"Null stays null.",
			}},
		eval: toUpper, prepare: prepareCulture,
	},
	{
		Function: Function{Name: "Trim", Summary: "Removes white space at both ends of a text, or of each member of a list.",
			Parameters: []Parameter{{Name: "value", Required: true}},
			Example:    Example{`Trim([department])`, map[string]any{"department": " Sales "}, "Sales"},
			Notes: []string{
				"Members of a list that are nothing but white space are left out.",
				"Null stays null.",
				"Documented for cloud sync.",
			}},
		eval: trim,
	},
	{
		Function: Function{Name: "Word", Summary: "Returns one word of a text; the first has the number 1.",
			Parameters: []Parameter{{Name: "source", Type: Text, Required: true}, {Name: "wordNumber", Type: Number, Required: true}, {Name: "delimiters", Type: Text, Required: true}}, Result: Text,
			Example: Example{`Word([displayName], 2, " ")`, map[string]any{"displayName": "Ada King Byron"}, "King"},
			Notes: []string{
				"Every character of delimiters separates words. Delimiters in a row make no empty words.",
				"Null, a number below 1 and a text with fewer words give empty text.",
			}},
		eval: word,
	},
}
