package importer

import (
	"slices"
	"strings"

	"tenantsync/mapping/expr"
)

// An expression comes twice: as text, and as a tree of nodes that carry their own
// part of the text. The service evaluates the tree. The tree is what counts here
// too, where all of its functions and keys are known, and else the text; the
// text is what is written as long as it says the same, because it is what people
// typed.

// text returns the expression of a source, and a note when text and tree disagree.
func (s *source) text() (string, *Note) {
	if s.typ == functionSource && len(s.parameters) == 0 && s.expression != "" {
		return s.expression, s.otherFunction()
	}
	built, known := s.build(false)
	if s.expression == "" {
		return built, nil
	}
	if s.typ == constantSource && s.expression == s.name {
		return built, nil // some exports leave out the quotes
	}
	want, parsed := canonical(s.expression)
	have, sound := canonical(built)
	if !known || !sound {
		return s.expression, s.otherFunction()
	}
	if parsed && want == have {
		return s.expression, nil
	}
	short, _ := s.build(true)
	if have, sound = canonical(short); parsed && sound && want == have {
		return s.expression, nil
	}
	return built, &Note{Kind: Check, What: shorten(s.expression, 200),
		Why: "the text of the expression and its tree in the schema disagree; the tree, which Entra evaluates, is taken: " + shorten(built, 200),
		Do:  "compare with the admin centre, and try it: tenantsync mapping test"}
}

// canonical returns an expression in one spelling: blanks and the quotes of
// numbers do not count, because the tree has all numbers as quoted constants.
func canonical(text string) (string, bool) {
	program, err := expr.Compile(text, nil)
	if err != nil {
		return "", false
	}
	text = program.String()
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i + 1
		switch text[i] {
		case '"':
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(text))
		case '[':
			if close := strings.IndexByte(text[i:], ']'); close >= 0 {
				end = i + close + 1
			}
		}
		part := text[i:end]
		if inner := strings.Trim(part, `"`); len(inner)+2 == len(part) && isNumber(inner) {
			part = inner
		}
		b.WriteString(part)
		i = end
	}
	return b.String(), true
}

// otherFunction reports a text that calls another function than its tree does,
// where the text is what is taken.
func (s *source) otherFunction() *Note {
	called, _, isCall := strings.Cut(s.expression, "(")
	if s.typ != functionSource || s.name == "" || !isCall || strings.TrimSpace(called) == s.name || strings.ContainsAny(called, "[\"&") {
		return nil
	}
	return &Note{Kind: Check, What: shorten(s.expression, 200),
		Why: "the text of the expression and its tree in the schema disagree; the text is taken, because the tree, which calls " + s.name + ", cannot be read",
		Do:  "compare with the admin centre, and try it: tenantsync mapping test"}
}

func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	isDigits := func(s string) bool {
		return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	}
	return isDigits(whole) && (!dotted || isDigits(fraction))
}

// lone returns the name of the attribute when an expression is nothing else.
func lone(text string) (name string, ok bool) {
	name, ok = strings.CutPrefix(text, "[")
	if !ok || !strings.HasSuffix(name, "]") {
		return "", false
	}
	name = name[:len(name)-1]
	return name, name != "" && name == strings.TrimSpace(name) && !strings.ContainsAny(name, "[]")
}

// constantOf returns the value of a constant: the name, which is what the service
// uses, or the text without its quotes.
func constantOf(s *source) string {
	if s.named {
		return s.name
	}
	return unquote(s.expression)
}

func unquote(text string) string {
	if len(text) < 2 || text[0] != '"' || text[len(text)-1] != '"' {
		return text
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : len(text)-1])
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// build returns the canonical text of a tree. known is false when it has a
// function or a key whose meaning is not known: the text is then a guess by
// position. FormatDateTime is written with and without the place of its styles, and
// one tree stands for both: short leaves the place out where it is empty.
func (s *source) build(short bool) (text string, known bool) {
	switch {
	case s == nil:
		return "", true
	case s.typ == attributeSource:
		if s.name == "" {
			return s.expression, true
		}
		return "[" + s.name + "]", !strings.Contains(s.name, "]")
	case s.typ == constantSource:
		return s.constant(), true
	case s.name == "", len(s.parameters) == 0 && s.expression != "":
		return s.expression, true
	}
	places, known := s.arguments()
	f := functions[s.name]
	if short && s.name == "FormatDateTime" && len(places) == len(f.Parameters) && places[1] == nil {
		places = slices.Delete(places, 1, 2)
	}
	parts := make([]string, len(places))
	for i, p := range places {
		part, ok := p.build(short)
		if i < len(f.Parameters) && f.Parameters[i].Type == expr.Number && p != nil && p.typ == constantSource && isNumber(p.name) {
			part = p.name // the tree has all numbers as quoted constants
		}
		parts[i], known = part, known && ok
	}
	if op := s.comparison(); op != "" && len(parts) > 3 {
		parts = append([]string{parts[0] + op + parts[1]}, parts[2:]...)
	}
	return s.name + "(" + strings.Join(parts, ", ") + ")", known
}

// bare are the constants that stand without quotes.
var bare = []string{"vbBinaryCompare", "vbTextCompare", "UTF8", "ASCII", "Unicode", "IgnoreAttributeFlow", "IgnoreObjectFlow"}

func (s *source) constant() string {
	if !s.named && s.expression != "" || s.expression == s.name && slices.Contains(bare, s.name) {
		return s.expression
	}
	return quote(s.name)
}

// comparison returns the operator of an IIF whose condition is a comparison: its
// sides are the parameters one and three, the operator is two.
func (s *source) comparison() string {
	if s.name != "IIF" {
		return ""
	}
	for _, p := range s.parameters {
		if strings.EqualFold(p.key, "two") && p.value != nil {
			if op := strings.TrimSpace(constantOf(p.value)); slices.Contains([]string{"=", "<>", ">", ">=", "<", "<="}, op) {
				return op
			}
		}
	}
	return ""
}

// keysOf are the keys that exports use besides the documented names, by the
// place of the argument.
var keysOf = map[string][][]string{
	"BitAnd":                  {{"left"}, {"right"}},
	"FormatDateTime":          {{"source"}, {"dateTimeStyles"}, {"inputFormat"}, {"outputFormat"}},
	"InStr":                   {{"value1"}, {"value2"}, {"start"}, {"compareType"}},
	"Item":                    {{"source"}, {"index"}},
	"Left":                    {{"source", "String"}, {"length", "NumChars"}},
	"Replace":                 {{"source"}, {"Find", "oldValue"}, {"regexPattern"}, {"regexGroupName"}, {"Replacement", "replacementValue"}, {"replacementAttributeName"}, {"template"}},
	"Switch":                  {{"source"}, {"default"}, {"key"}, {"value"}},
	"Word":                    {{"source", "String"}, {"WordNumber"}, {"delimiters"}},
	"SelectUniqueValue":       {{"uniqueValueRule", "rule", "source", "value"}},
	"RandomString":            {{"length"}, {"minimumNumbers"}, {"minimumSpecialCharacters"}, {"minimumCapital"}, {"minimumLowercase"}, {"charactersToAvoid"}},
	"DateAdd":                 {{"interval"}, {"value"}, {"dateTime", "date"}},
	"DateDiff":                {{"interval"}, {"date1"}, {"date2"}},
	"ConvertFromBase64":       {{"source"}, {"encoding"}},
	"ToLower":                 {{"source"}, {"culture"}},
	"ToUpper":                 {{"source"}, {"culture"}},
	"PCase":                   {{"source"}, {"wordSeparators"}},
	"Append":                  {{"source"}, {"suffix"}},
	"Mid":                     {{"source"}, {"start"}, {"length"}},
	"Split":                   {{"source"}, {"delimiter"}},
	"Join":                    {{"separator"}, {"source"}},
	"NormalizeDiacritics":     {{"source"}},
	"IsNullOrEmpty":           {{"source", "expression"}},
	"SingleAppRoleAssignment": {{"source"}},
}

// arguments puts the parameters of a function in their places; an empty place is
// nil. known is false when a key has none.
func (s *source) arguments() (places []*source, known bool) {
	if s.name == "IIF" {
		return s.iif()
	}
	f, ok := functions[s.name]
	if !ok {
		return s.byPosition(), false
	}
	fixed := slices.IndexFunc(f.Parameters, func(p expr.Parameter) bool { return p.Repeat })
	if fixed < 0 {
		fixed = len(f.Parameters)
	}
	places = make([]*source, fixed)
	group := len(f.Parameters) - fixed
	for _, p := range s.parameters {
		at := placeOf(f, p.key)
		switch {
		case at < 0, at < fixed && places[at] != nil:
			return s.byPosition(), false
		case at < fixed:
			places[at] = p.value
		default:
			// A repeated group fills up in order: key, value, key, value.
			for (len(places)-fixed)%group != at-fixed {
				places = append(places, nil)
			}
			places = append(places, p.value)
		}
	}
	return trim(f, places), true
}

// functions are the functions of the language by name.
var functions = func() map[string]expr.Function {
	table := map[string]expr.Function{}
	for _, f := range expr.Functions() {
		table[f.Name] = f
	}
	return table
}()

// placeOf returns the place that a key stands for, -1 if it is not known. Case
// does not count, nor does the number behind a name that repeats (key1, value1).
func placeOf(f expr.Function, key string) int {
	other := keysOf[f.Name]
	for i, p := range f.Parameters {
		names := []string{p.Name}
		if i < len(other) {
			names = append(names, other[i]...)
		} else if i == 0 {
			names = append(names, "source", "value", "message")
		}
		for _, name := range names {
			if strings.EqualFold(name, key) || p.Repeat && strings.EqualFold(name, strings.TrimRight(key, "0123456789")) {
				return i
			}
		}
	}
	return -1
}

// trim drops empty places at the end that may be left out.
func trim(f expr.Function, places []*source) []*source {
	for n := len(places); n > 0 && n <= len(f.Parameters) && places[n-1] == nil && !f.Parameters[n-1].Required; n-- {
		places = places[:n-1]
	}
	return places
}

// byPosition takes the parameters as they come.
func (s *source) byPosition() []*source {
	places := make([]*source, len(s.parameters))
	for i, p := range s.parameters {
		places[i] = p.value
	}
	return places
}

// iif puts the parameters of IIF in order: exports call the sides of a comparison
// one and three, and the two values four and five.
func (s *source) iif() (places []*source, known bool) {
	by := map[string]*source{}
	for _, p := range s.parameters {
		name := strings.ToLower(p.key)
		switch name {
		case "condition", "expression":
			name = "one"
		case "valueiftrue":
			name = "four"
		case "valueiffalse":
			name = "five"
		case "one", "two", "three", "four", "five":
		default:
			return s.byPosition(), false
		}
		if by[name] != nil {
			return s.byPosition(), false
		}
		by[name] = p.value
	}
	places = []*source{by["one"]}
	switch {
	case s.comparison() != "":
		places = append(places, by["three"])
	case by["two"] != nil || by["three"] != nil:
		return s.byPosition(), false
	}
	return append(places, by["four"], by["five"]), by["one"] != nil
}
