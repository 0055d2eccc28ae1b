package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/mapping/expr"
)

func kinds(attribute string) (directory.Kind, bool) {
	k, ok := map[string]directory.Kind{
		"accountEnabled": directory.Bool, "displayName": directory.Text, "surname": directory.Text,
		"proxyAddresses": directory.List, "manager": directory.Ref,
	}[attribute]
	return k, ok
}

func compileError(t *testing.T, text string) *expr.Error {
	t.Helper()
	p, err := expr.Compile(text, kinds)
	if err == nil {
		t.Fatalf("%s compiles to %s, want an error", text, p)
	}
	var e *expr.Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: error is a %T, want *expr.Error", text, err)
	}
	return e
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		name, text, at, message, suggestion string
	}{
		{"boolean where text is needed", `Join(" ", [accountEnabled], [surname])`, `[accountEnabled]`,
			"Join: argument 2 must be text, [accountEnabled] is Boolean", ""},
		{"unknown function with a near one", `Append(ToLowr([surname]), "x")`, `ToLowr`, "unknown function ToLowr", "ToLower"},
		{"function in the wrong case", `iif([surname]="a", "b", "c")`, `iif`, "unknown function iif: names are case-sensitive", "IIF"},
		{"unknown function far from all", `Frobnicate(6, 3, 0, 0, 3)`, `Frobnicate`, "unknown function Frobnicate", ""},
		{"too few arguments", `Append([surname])`, `Append`, "Append: 2 arguments are needed, not 1: Append(source, suffix)", ""},
		{"too many arguments", `ToLower("a", "tr", "b")`, `ToLower`, "ToLower: 1 to 2 arguments are needed, not 3: ToLower(source, culture?)", ""},
		{"one argument", `Not("a", "b")`, `Not`, "Not: 1 argument is needed, not 2: Not(source)", ""},
		{"no source", `Join(",")`, `Join`, "Join: at least 2 arguments are needed, not 1: Join(separator, source, …)", ""},
		{"key without value", `Switch([surname], "d", "k")`, `Switch`,
			"Switch: at least 4 arguments are needed, not 3: Switch(source, defaultValue, key, value, …)", ""},
		{"last key without value", `Switch([surname], "d", "k", "v", "l")`, `Switch`,
			"Switch: the number of arguments must be even: the last key stands without a value", ""},
		{"missing argument", `Append([surname], )`, `Append([surname], )`, "Append: argument 2 (suffix) is missing", ""},
		{"number that is none", `Left([surname], "few")`, `"few"`, `Left: argument 2 must be a whole number, "few" is not`, ""},
		{"boolean as a number", `Left([surname], IsNull([displayName]))`, `IsNull([displayName])`,
			"Left: argument 2 must be a whole number, IsNull gives a Boolean", ""},
		{"list as a number", `Left([surname], [proxyAddresses])`, `[proxyAddresses]`,
			"Left: argument 2 must be a whole number, [proxyAddresses] has several values", ""},
		{"text as a condition", `IIF("yes", "a", "b")`, `"yes"`, `IIF: argument 1 must be a condition, "yes" is text`, ""},
		{"list as a condition", `IIF([proxyAddresses], "a", "b")`, `[proxyAddresses]`,
			"IIF: argument 1 must be a condition, [proxyAddresses] has several values", ""},
		{"reference", `IsPresent([manager])`, `[manager]`, "[manager] is a reference to another user: only a direct mapping can carry it", ""},
		{"comparison as a value", `Append([surname]="x", "y")`, `[surname]="x"`,
			"a comparison can stand only where a condition is read: in IIF, CBool and Not", ""},
		{"comparison alone", `[surname]="x"`, `[surname]="x"`,
			"a comparison can stand only where a condition is read: in IIF, CBool and Not", ""},
		{"comparisons in a row", `IIF([surname]="x"="y", "a", "b")`, `=`, "unexpected =: comparisons cannot be chained", ""},
		{"name without brackets", `Append(surname, "x")`, `surname`, `surname is not quoted: write [surname] for an attribute, "surname" for text`, ""},
		{"single quotes", `Append([surname], 'x')`, `'`, `unexpected '\'': text stands in straight double quotes`, ""},
		{"curly quotes", `Append([surname], “x”)`, `“`, `unexpected '“': text stands in straight double quotes`, ""},
		{"AND between conditions", `IIF(IsNull([a]) AND IsNull([b]), "x", "y")`, `AND`,
			"unexpected AND: there is no AND: put an IIF in the second place of another", ""},
		{"text without an end", `Append([surname], "x)`, `"`, "the text that begins here has no closing quote", ""},
		{"attribute without an end", `Append([surname, "x")`, `[`, `the attribute that begins here has no closing "]"`, ""},
		{"attribute without a name", `Append([], "x")`, `[]`, "the name of the attribute is missing between the brackets", ""},
		{"OR between conditions", `IIF([a]="x" or [b]="y", "x", "y")`, `or`,
			"unexpected or: there is no OR: put an IIF in the third place of another", ""},
		{"AND as an operand", `IIF(AND, "x", "y")`, `AND`, "there is no AND: put an IIF in the second place of another", ""},
		{"two ampersands", `IIF([a]="x" && [b]="y", "x", "y")`, `&`, "unexpected '&': there is no AND: put an IIF in the second place of another", ""},
		{"two bars", `IIF([a]="x" || [b]="y", "x", "y")`, `|`, "unexpected '|': there is no OR: put an IIF in the third place of another", ""},
		{"NOT without parentheses", `IIF(NOT [a], "x", "y")`, `NOT`, "write Not( )", ""},
		{"NULL", `IIF(IsNull([a]), NULL, "y")`, `NULL`,
			"there is no NULL: leave the place empty, or write IgnoreAttributeFlow to leave the attribute alone", ""},
		{"True without quotes", `Switch([a], True, "b", "c")`, `True`, `True is not quoted: write "True"`, ""},
		{"plus", `"a" + [b]`, `+`, "unexpected '+': & joins texts, and so does Join; nothing calculates with numbers", ""},
		{"minus", `Mid([a], InStr([a], "@")-1, 2)`, `-`, "unexpected '-': nothing calculates with numbers", ""},
		{"two values side by side", `[a] [b]`, `[b]`, "unexpected [b]: the expression ends before it; & joins texts, and so does Join", ""},
		{"equals twice", `IIF([a]=="b", "c", "d")`, `=`, "unexpected =: comparisons are written =, <>, >, >=, < and <=", ""},
		{"no hexadecimal digits", `BitAnd([a], &HGG)`, `&H`, "hexadecimal digits must follow &H, as in &HF7", ""},
		{"bracket that is not closed", `Join(" ", [a, [b])`, `[`, `the attribute that begins here has no closing "]"`, ""},
		{"bracket closed by another", `Join(" ", [a, "x", b])`, `[`, `the attribute that begins here has no closing "]"`, ""},
		{"AND as a function", `IIF(AND([a]="b"), "c", "d")`, `AND`,
			"unknown function AND: there is no AND: put an IIF in the second place of another", ""},
		{"function of a spreadsheet", `Concat([a], [b])`, `Concat`,
			`unknown function Concat: use Join("", [givenName], [surname]), or & between the texts`, ""},
		{"variable", `Append($a, "x")`, `$`, "unexpected '$': there are no variables, attributes stand in brackets", ""},
		{"semicolons", `Append("a"; "x")`, `;`, "unexpected ';': arguments are separated by commas", ""},
		{"function of Connect Sync", `LCase([a])`, `LCase`, "unknown function LCase: it belongs to Connect Sync, use ToLower", ""},
		{"function of Connect Sync with a way round", `IsBitSet([a], 2)`, `IsBitSet`,
			"unknown function IsBitSet: it belongs to Connect Sync, use BitAnd([attribute], 2)=2", ""},
		{"default domain", `DefaultDomain()`, `DefaultDomain`,
			`unknown function DefaultDomain: the default domain of the target is not known to an expression: write it as text, "contoso.com"`, ""},
		{"internal matching", `AltSecIdFromNetId([netId])`, `AltSecIdFromNetId`,
			"unknown function AltSecIdFromNetId: it matches users inside Microsoft's service, here they are matched by their addresses: leave this mapping out", ""},
		{"word in the wrong case", `InStr("a", "b", 1, vbtextcompare)`, `vbtextcompare`,
			"unknown word vbtextcompare: words are case-sensitive", "vbTextCompare"},
		{"word with a slip", `InStr("a", "b", 1, vbTextCompar)`, `vbTextCompar`, "unknown word vbTextCompar", "vbTextCompare"},
		{"function without parentheses", `Append(Guid, "b")`, `Guid`, "Guid is a function: its arguments stand in parentheses behind it", ""},
		{"word of another parameter", `InStr("a", "b", 1, UTF8)`, `UTF8`, "InStr: argument 4 must be vbBinaryCompare or vbTextCompare", ""},
		{"text that is no word", `ConvertFromBase64("YQ==", "UTF7")`, `"UTF7"`, "ConvertFromBase64: argument 2 must be Unicode or UTF8 or ASCII", ""},
		{"number that is no word", `InStr("a", "b", 1, 1)`, `1`, "InStr: argument 4 must be vbBinaryCompare or vbTextCompare", ""},
		{"word alone", `UTF8`, `UTF8`, "UTF8 means nothing here", ""},
		{"word as text", `Append("a", vbTextCompare)`, `vbTextCompare`, "vbTextCompare means nothing here", ""},
		{"word joined", `"a" & IgnoreAttributeFlow`, `IgnoreAttributeFlow`, "IgnoreAttributeFlow means nothing here", ""},
		{"ignoring as text", `Append("a", IgnoreObjectFlow)`, `IgnoreObjectFlow`, "IgnoreObjectFlow means nothing here", ""},
		{"unique value inside", `ToLower(SelectUniqueValue("a", "b"))`, `SelectUniqueValue`, "SelectUniqueValue must be the outermost function", ""},
		{"unique value with one rule", `SelectUniqueValue("a")`, `SelectUniqueValue`,
			"SelectUniqueValue: at least 2 arguments are needed, not 1: SelectUniqueValue(rule, rule, …)", ""},
		{"text that is no condition", `CBool("maybe")`, `"maybe"`, `CBool: argument 1 must be a condition, "maybe" is text`, ""},
		{"list as a condition of CBool", `CBool(Split("a", "b"))`, `Split("a", "b")`, "CBool: argument 1 must be a condition, Split gives a list", ""},
		{"list as a number of BitAnd", `BitAnd(1, RemoveDuplicates([proxyAddresses]))`, `RemoveDuplicates([proxyAddresses])`,
			"BitAnd: argument 2 must be a whole number, RemoveDuplicates gives a list", ""},
		{"hexadecimal number that is too long", `BitAnd(&H1FFFFFFFFFFFFFFFF, 1)`, `&H1FFFFFFFFFFFFFFFF`, "the number does not fit into 64 bits", ""},
		{"random text that is too long", `RandomString(257, 0, 0, 0, 0)`, `RandomString`, "RandomString: the length must be from 0 to 256", ""},
		{"random text shorter than its parts", `RandomString(3, 2, 2, 0, 0)`, `RandomString`,
			"RandomString: the length must be at least the sum of the minimum numbers, 4", ""},
		{"random text with too many digits", `RandomString(8, 300, 0, 0, 0)`, `RandomString`, "RandomString: the number of numbers must be from 0 to 256", ""},
		{"random text without its class", `RandomString(8, 0, 0, 1, 0, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")`, `RandomString`,
			"RandomString: all capital letters are to be avoided", ""},
		{"something behind the end", `ToLower("a"))`, `)`, "unexpected ): the expression ends before it", ""},
		{"pattern that is none", `Replace([surname], , "[a", , "x", , )`, `"[a"`,
			"Replace: the regular expression is wrong: unterminated [] set", ""},
		{"group that is not in the pattern", `Replace([surname], , "(?<a>x)", "b", "y", , )`, `"b"`,
			"Replace: the regular expression has no group of that name", ""},
		{"nothing to look for", `Replace([surname], "", , , "y", , )`, `""`,
			"Replace: argument 2 (oldValue) is empty: there is nothing to look for", ""},
		{"six places", `Replace([surname], "a", , , "b", )`, `Replace`,
			"Replace: 7 arguments are needed, not 6: Replace(source, oldValue, regexPattern, regexGroupName, replacementValue, replacementAttributeName, template)", ""},
		{"culture that is none", `ToUpper("a", "english!")`, `"english!"`, "ToUpper: argument 2 must be a culture such as en-US", ""},
		{"delimiter that is empty", `Split("a", "")`, `""`, "Split: argument 2 (delimiter) is empty", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := compileError(t, tt.text)
			if at := tt.text[e.Offset : e.Offset+e.Length]; at != tt.at {
				t.Errorf("the error is placed at %q, want %q", at, tt.at)
			}
			if e.Message != tt.message || e.Suggestion != tt.suggestion {
				t.Errorf("message %q, suggestion %q\nwant    %q, suggestion %q", e.Message, e.Suggestion, tt.message, tt.suggestion)
			}
		})
	}
}

func TestCompileErrorsAtTheEnd(t *testing.T) {
	tests := []struct{ name, text, message string }{
		{"empty", "", "the expression is empty"},
		{"blank", " \t\r\n", "the expression is empty"},
		{"parenthesis open", `Append([a], "x"`, "the expression ends too early: a comma or the closing parenthesis of Append is expected"},
		{"operand missing", `"a" & `, "the expression ends too early: an attribute, a text, a number or a function is expected"},
		{"argument missing", `Append(`, "the expression ends too early: an attribute, a text, a number or a function is expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := compileError(t, tt.text)
			if e.Message != tt.message || e.Length != 0 {
				t.Errorf("message %q, length %d; want %q, length 0", e.Message, e.Length, tt.message)
			}
		})
	}
}

func TestReplacePlaces(t *testing.T) {
	for _, text := range []string{`Replace("a", , , , , , )`, `Replace("a", "b", "c", , "d", , )`, `Replace("a", , "b", "c", , , )`,
		`Replace("a", , "b", , "c", [d], )`, `Replace("a", , , , , , "t")`} {
		if e := compileError(t, text); !strings.HasPrefix(e.Message, "Replace: fill oldValue and replacementValue") {
			t.Errorf("%s: message %q does not say which places to fill", text, e.Message)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Run("ten thousand characters are taken, not bytes", func(t *testing.T) {
		if _, err := expr.Compile(`"`+strings.Repeat("å", 9_998)+`"`, nil); err != nil {
			t.Errorf("10000 characters: %v", err)
		}
		e := compileError(t, `"`+strings.Repeat("a", 9_999)+`"`)
		if want := "an expression has at most 10000 characters, this one has 10001"; e.Message != want {
			t.Errorf("message %q, want %q", e.Message, want)
		}
	})
	t.Run("characters are counted as UTF-16 does", func(t *testing.T) {
		if _, err := expr.Compile(`"`+strings.Repeat("😀", 4_999)+`"`, nil); err != nil {
			t.Errorf("4999 characters of two units: %v", err)
		}
		e := compileError(t, `"`+strings.Repeat("😀", 5_000)+`"`)
		if want := "an expression has at most 10000 characters, this one has 10002"; e.Message != want {
			t.Errorf("message %q, want %q", e.Message, want)
		}
	})
	t.Run("nesting is bounded", func(t *testing.T) {
		nested := func(n int) string { return strings.Repeat("Not(", n) + `"x"` + strings.Repeat(")", n) }
		if _, err := expr.Compile(nested(100), nil); err != nil {
			t.Errorf("100 deep: %v", err)
		}
		if e := compileError(t, nested(101)); e.Message != "functions are nested more than 100 deep" {
			t.Errorf("101 deep: message %q", e.Message)
		}
	})
	t.Run("calls beside each other are not nested", func(t *testing.T) {
		if _, err := expr.Compile(`Join(""`+strings.Repeat(`, Not("a")`, 500)+`)`, nil); err != nil {
			t.Errorf("500 calls beside each other: %v", err)
		}
	})
	t.Run("a long chain", func(t *testing.T) {
		p, err := expr.Compile(`"a"`+strings.Repeat(`&"a"`, 2_000), nil)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Evaluate(expr.Env{})
		if len(v.Text()) != 2_001 || err != nil {
			t.Errorf("2001 texts joined give %d bytes, error %v", len(v.Text()), err)
		}
	})
	t.Run("not UTF-8", func(t *testing.T) {
		if e := compileError(t, "Append(\"æ\xff\", \"x\")"); e.Offset != 10 || e.Message != "the expression is not valid UTF-8" {
			t.Errorf("offset %d, message %q; want offset 10", e.Offset, e.Message)
		}
	})
}

func TestCaret(t *testing.T) {
	long := `Append("` + strings.Repeat("x", 200) + `", surname, "` + strings.Repeat("y", 200) + `")`
	tests := []struct{ name, text, want string }{
		{"in the middle", `Join(" ", [accountEnabled], [surname])`,
			"Join(\" \", [accountEnabled], [surname])\n          ^^^^^^^^^^^^^^^^"},
		{"behind other than ASCII", `Join("æøå", surname)`, "Join(\"æøå\", surname)\n            ^^^^^^^"},
		{"on the second line", "Join(\",\",\n\tsurname)", " surname)\n ^^^^^^^"},
		{"at the end", `Append("a"`, "Append(\"a\"\n          ^"},
		{"in nothing", ``, "\n^"},
		{"cut at both sides", long, strings.Repeat("x", 47) + `", surname, "` + strings.Repeat("y", 40) + "\n" + strings.Repeat(" ", 50) + "^^^^^^^"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, compileError(t, tt.text).Caret(tt.text)); diff != "" {
				t.Errorf("caret (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCaretOfAnotherText(t *testing.T) {
	for _, e := range []expr.Error{{Offset: 99, Length: 4}, {Offset: -3, Length: -1}, {Offset: 2, Length: 99}} {
		if got := e.Caret("abc"); !strings.HasPrefix(got, "abc\n") {
			t.Errorf("%+v: caret %q does not show the text", e, got)
		}
	}
}

func TestErrorMentionsSuggestion(t *testing.T) {
	e := &expr.Error{Message: "unknown function Jion", Suggestion: "Join"}
	if got, want := e.Error(), "unknown function Jion (did you mean Join?)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Suggestion = ""
	if got, want := e.Error(), "unknown function Jion"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTypesThatFit(t *testing.T) {
	for _, text := range []string{`Switch([accountEnabled], "?", "True", "on")`, `IIF([accountEnabled], "on", "off")`, `Not([accountEnabled])`,
		`IsPresent([accountEnabled])`, `Coalesce([accountEnabled], "x")`, `Join(";", [proxyAddresses])`, `Item([proxyAddresses], 1)`,
		`Append([unheardOf], "x")`, `"on: " & [accountEnabled]`, `Left([displayName], [surname])`} {
		if _, err := expr.Compile(text, kinds); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCanonicalText(t *testing.T) {
	tests := []struct{ text, want string }{
		{`Replace ( [m] ,"-",,,"_",,)`, `Replace([m], "-", , , "_", , )`},
		{"Join(\",\",\n\t[a],\n\t[b]\n)", `Join(",", [a], [b])`},
		{`IIF([a] = "x","y" & [b],&HF7)`, `IIF([a]="x", "y" & [b], &HF7)`},
		{`"\d \\ \""`, `"\\d \\ \""`},
		{`-1.50`, `-1.50`},
		{`ToLower([a], )`, `ToLower([a], )`},
		{`InStr([a],"b",,vbTextCompare)`, `InStr([a], "b", , vbTextCompare)`},
		{`IIF([a]="b",IgnoreAttributeFlow , IgnoreObjectFlow)`, `IIF([a]="b", IgnoreAttributeFlow, IgnoreObjectFlow)`},
	}
	for _, tt := range tests {
		p, err := expr.Compile(tt.text, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got := p.String(); got != tt.want {
			t.Errorf("%s: canonical text %s, want %s", tt.text, got, tt.want)
		}
	}
}

func TestCanonicalTextMeansTheSame(t *testing.T) {
	for _, c := range allCases(t) {
		p, err := expr.Compile(c.Expression, nil)
		if err != nil {
			continue
		}
		again, err := expr.Compile(p.String(), nil)
		if err != nil {
			t.Errorf("%s: the canonical text %s does not compile: %v", c.ID, p, err)
			continue
		}
		if again.String() != p.String() {
			t.Errorf("%s: canonical text %s becomes %s", c.ID, p, again)
		}
		c.Expression = p.String()
		got, err := outcome(t, c)
		if (err != nil) != c.Error {
			t.Errorf("%s: %s gives error %v", c.ID, c.Expression, err)
		} else if diff := cmp.Diff(c.expected(), got); err == nil && diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.ID, c.Expression, diff)
		}
	}
}

func TestSignatures(t *testing.T) {
	want := map[string]string{
		"Join": "Join(separator, source, …)", "ToLower": "ToLower(source, culture?)", "Coalesce": "Coalesce(source, …)",
		"Switch": "Switch(source, defaultValue, key, value, …)", "Not": "Not(source)",
		"Guid": "Guid()", "InStr": "InStr(value1, value2, start?, compareType?)", "SelectUniqueValue": "SelectUniqueValue(rule, rule, …)",
	}
	for _, f := range expr.Functions() {
		if w, ok := want[f.Name]; ok && f.Signature() != w {
			t.Errorf("signature %s, want %s", f.Signature(), w)
		}
	}
}

func TestFunctionsCannotBeChanged(t *testing.T) {
	first := expr.Functions()[0]
	parameter, note := first.Parameters[0].Name, first.Notes[0]
	first.Parameters[0].Name, first.Notes[0] = "changed", "changed"
	if got := expr.Functions()[0]; got.Parameters[0].Name != parameter || got.Notes[0] != note {
		t.Errorf("the first parameter of %s is now %q, its first note %q", got.Name, got.Parameters[0].Name, got.Notes[0])
	}
}
