package expr

import (
	"maps"
	"slices"
	"strings"

	"tenantsync/mapping/suggest"
)

// foreignFunctions are names, in lower case, that people bring from neighbouring
// languages, above all from Connect Sync, with what to write here instead.
var foreignFunctions = map[string]string{
	"altsecidfromnetid":  "it matches users inside Microsoft's service, here they are matched by their addresses: leave this mapping out",
	"and":                "there is no AND: put an IIF in the second place of another",
	"approleassignments": "use AppRoleAssignmentsComplex or SingleAppRoleAssignment",
	"bitor":              "it belongs to Connect Sync, provisioning has BitAnd alone",
	"cguid":              connectOnly,
	"cint":               "it belongs to Connect Sync, texts that are numbers are read as numbers here: leave it out",
	"clng":               "it belongs to Connect Sync, texts that are numbers are read as numbers here: leave it out",
	"cnum":               "it belongs to Connect Sync, texts that are numbers are read as numbers here: leave it out",
	"concat":             "use Join(\"\", [givenName], [surname]), or & between the texts",
	"concatenate":        "use Join(\"\", [givenName], [surname]), or & between the texts",
	"convertfromutf8hex": connectOnly,
	"date":               "use Now() or CDate",
	"defaultdomain":      "the default domain of the target is not known to an expression: write it as text, \"contoso.com\"",
	"dncomponentrev":     "it belongs to Connect Sync, use DNComponent, which counts from the left",
	"endswith":           "use Replace([attribute], , \"^.*end$\", , \"yes\", , )=\"yes\"",
	"format":             "use FormatDateTime",
	"if":                 "use IIF",
	"ifnull":             "use Coalesce([attribute], \"else\")",
	"importedvalue":      connectOnly,
	"instrrev":           "it belongs to Connect Sync, use InStr, or Replace with a pattern",
	"isbitset":           "it belongs to Connect Sync, use BitAnd([attribute], 2)=2",
	"isblank":            "use IsNullOrEmpty",
	"isdate":             connectOnly,
	"isempty":            "use IsNullOrEmpty",
	"isguid":             connectOnly,
	"isnotempty":         "use IsPresent",
	"isnotnull":          "use IsPresent",
	"isnumeric":          connectOnly,
	"itemornull":         "it belongs to Connect Sync, use IIF(Count([attribute])>1, Item([attribute], 2), \"\")",
	"lcase":              "it belongs to Connect Sync, use ToLower",
	"length":             "use Len",
	"ltrim":              "it belongs to Connect Sync, use Trim",
	"nz":                 "use Coalesce([attribute], \"else\")",
	"or":                 "there is no OR: put an IIF in the third place of another",
	"padleft":            "it belongs to Connect Sync, use Replace(Append(\"00000000\", [attribute]), , \"^.*(?=.{8}$)\", , \"\", , )",
	"padright":           "it belongs to Connect Sync, use Left(Append([attribute], \"00000000\"), 8)",
	"propercase":         "use PCase",
	"randomnum":          "it belongs to Connect Sync, use RandomString(6, 6, 0, 0, 0)",
	"replacechars":       "it belongs to Connect Sync, use Replace or NormalizeDiacritics",
	"right":              "it belongs to Connect Sync, use Replace([attribute], , \"^.*(?=.{3}$)\", , \"\", , )",
	"rtrim":              "it belongs to Connect Sync, use Trim",
	"select":             connectOnly,
	"startswith":         "use InStr([attribute], \"begin\")=1",
	"stringfromguid":     connectOnly,
	"substitute":         "use Replace",
	"substring":          "use Mid, which counts from 1",
	"today":              "use Now()",
	"ucase":              "it belongs to Connect Sync, use ToUpper",
	"where":              connectOnly,
	"with":               connectOnly,
}

const connectOnly = "it belongs to Connect Sync, provisioning has nothing like it"

// unknownFunction says what is wrong with a name that is no function here.
func unknownFunction(name token) *Error {
	e := &Error{Offset: name.at, Length: name.end - name.at, Message: "unknown function " + name.text}
	for _, known := range functionNames {
		if strings.EqualFold(name.text, known) {
			e.Message += ": names are case-sensitive"
			e.Suggestion = known
			return e
		}
	}
	if advice, ok := foreignFunctions[strings.ToLower(name.text)]; ok {
		e.Message += ": " + advice
		return e
	}
	e.Suggestion = suggest.Nearest(name.text, slices.Values(functionNames))
	return e
}

// foreignWords are names without parentheses that mean something elsewhere.
var foreignWords = map[string]string{
	"and": "there is no AND: put an IIF in the second place of another", "or": "there is no OR: put an IIF in the third place of another",
	"not": "write Not( )", "null": "there is no NULL: leave the place empty, or write IgnoreAttributeFlow to leave the attribute alone",
}

// strayName says what is wrong with a name that is neither a call nor a word.
func strayName(name token) *Error {
	e := &Error{Offset: name.at, Length: name.end - name.at}
	folded := strings.ToLower(name.text)
	if advice, ok := foreignWords[folded]; ok {
		e.Message = advice
		return e
	}
	if _, ok := functionNamed(name.text); ok {
		e.Message = name.text + " is a function: its arguments stand in parentheses behind it"
		return e
	}
	known := slices.Sorted(maps.Keys(words))
	if near := suggest.Nearest(name.text, slices.Values(known)); strings.EqualFold(near, name.text) {
		e.Message, e.Suggestion = "unknown word "+name.text+": words are case-sensitive", near
		return e
	} else if near != "" && (strings.HasPrefix(folded, "vb") || strings.HasPrefix(folded, "ignore")) {
		e.Message, e.Suggestion = "unknown word "+name.text, near
		return e
	}
	if folded == "true" || folded == "false" {
		e.Message = name.text + " is not quoted: write \"" + name.text + "\""
		return e
	}
	e.Message = name.text + " is not quoted: write [" + name.text + "] for an attribute, \"" + name.text + "\" for text"
	return e
}

// strayCharacters are what neighbouring languages write.
var strayCharacters = map[rune]string{
	'\'': "text stands in straight double quotes", '“': "text stands in straight double quotes", '”': "text stands in straight double quotes",
	'„': "text stands in straight double quotes", '+': "& joins texts, and so does Join; nothing calculates with numbers",
	'-': "nothing calculates with numbers", '*': "nothing calculates with numbers", '/': "there are neither calculations nor comments", '$': "there are no variables, attributes stand in brackets",
	'|': "there is no OR: put an IIF in the third place of another", '!': "the opposite of = is <>, that of a condition is Not( )",
	'%': "attributes stand in brackets", ';': "arguments are separated by commas", '{': "attributes stand in brackets",
}
