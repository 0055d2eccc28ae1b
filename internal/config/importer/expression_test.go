package importer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The nodes of trees, short.
type node = map[string]any

func attribute(name string) node { return node{"name": name, "type": "Attribute"} }
func constant(text string) node  { return node{"name": text, "type": "Constant"} }

// call is a function with its parameters: key, value, key, value.
func call(name string, parameters ...any) node {
	var list []node
	for i := 0; i+1 < len(parameters); i += 2 {
		list = append(list, node{"key": parameters[i], "value": parameters[i+1]})
	}
	return node{"name": name, "type": "Function", "parameters": list}
}

func expressionOf(t *testing.T, source node) (string, []string) {
	t.Helper()
	raw, err := json.Marshal(node{"targetAttributeName": "city", "source": source})
	if err != nil {
		t.Fatal(err)
	}
	j := imported(t, of(string(raw)))
	load(t, j)
	if len(j.Mappings) == 0 {
		return "", notes(j)
	}
	return j.Mappings[0].Expression, notes(j)
}

// A tree without a text is written as the text that stands for it.
func TestExpressionFromTree(t *testing.T) {
	for _, tt := range []struct {
		source node
		want   string
	}{
		{call("Mid", "source", attribute("city"), "start", constant("1"), "length", constant("8")), `Mid([city], 1, 8)`},
		{call("Join", "separator", constant("@"), "source", attribute("city"), "source", attribute("state")), `Join("@", [city], [state])`},
		{call("IIF", "one", call("IsPresent", "source", attribute("city")), "four", attribute("city"), "five", attribute("state")), `IIF(IsPresent([city]), [city], [state])`},
		{call("IIF", "one", attribute("city"), "two", constant("="), "three", constant("0"), "four", constant("True"), "five", constant("False")), `IIF([city]="0", "True", "False")`},
		{call("IIF", "one", attribute("city"), "two", constant("<>"), "three", constant("Oslo"), "five", constant("abroad")), `IIF([city]<>"Oslo", , "abroad")`},
		{call("IIF", "condition", call("Not", "source", attribute("accountEnabled")), "valueIfTrue", constant("a"), "valueIfFalse", constant("b")), `IIF(Not([accountEnabled]), "a", "b")`},
		{call("Replace", "source", attribute("city"), "Find", constant("-"), "Replacement", constant("_")), `Replace([city], "-", , , "_", , )`},
		{call("Replace", "source", attribute("city"), "oldValue", constant("-"), "replacementValue", constant("")), `Replace([city], "-", , , "", , )`},
		{call("Replace", "source", attribute("city"), "regexPattern", constant(`\d`), "replacementValue", constant(`"`)), `Replace([city], , "\\d", , "\"", , )`},
		{call("Switch", "source", attribute("country"), "defaultValue", constant("?"), "key1", constant("NO"), "value1", constant("Norway"), "key2", constant("SE"), "value2", attribute("state")), `Switch([country], "?", "NO", "Norway", "SE", [state])`},
		{call("Switch", "source", attribute("country"), "key", constant("NO"), "value", constant("Norway")), `Switch([country], , "NO", "Norway")`},
		{call("Coalesce", "source1", attribute("city"), "source2", attribute("state")), `Coalesce([city], [state])`},
		{call("Left", "source", attribute("city"), "length", constant("5")), `Left([city], 5)`},
		{call("Item", "source", call("Split", "source", attribute("mail"), "delimiter", constant("@")), "index", constant("2")), `Item(Split([mail], "@"), 2)`},
		{call("ToUpper", "source", attribute("city")), `ToUpper([city])`},
		{call("ToUpper", "culture", constant("tr-TR"), "source", attribute("city")), `ToUpper([city], "tr-TR")`},
	} {
		t.Run(tt.want, func(t *testing.T) {
			got, said := expressionOf(t, tt.source)
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			same(t, "notes", said, nil)
		})
	}
}

// Text and tree say the same: the text stays as it was typed.
func TestExpressionTextStays(t *testing.T) {
	tree := call("Mid", "source", attribute("city"), "start", constant("1"), "length", constant("8"))
	for _, text := range []string{`Mid([city], 1, 8)`, `Mid( [city],1 ,"8" )`} {
		tree["expression"] = text
		got, said := expressionOf(t, tree)
		if got != text {
			t.Errorf("got %s, want %s", got, text)
		}
		same(t, "notes for "+text, said, nil)
	}
}

// One tree stands for FormatDateTime with and without the place of its styles, as
// exports have it.
func TestExpressionBothFormsOfFormatDateTime(t *testing.T) {
	date := call("DateFromNum", "source", attribute("employeeId"))
	for _, tt := range []struct {
		tree node
		text string
	}{
		{call("FormatDateTime", "source", date, "outputFormat", constant("yyyyMMddHHmmss.0Z")), `FormatDateTime(DateFromNum([employeeId]), , "yyyyMMddHHmmss.0Z")`},
		{call("FormatDateTime", "source", date, "outputFormat", constant("yyyy")), `FormatDateTime(DateFromNum([employeeId]), , , "yyyy")`},
		{call("FormatDateTime", "source", attribute("city"), "inputFormat", constant("yyyyMMdd"), "outputFormat", constant("yyyy")), `FormatDateTime([city], "yyyyMMdd", "yyyy")`},
		{call("FormatDateTime", "source", attribute("city"), "inputFormat", constant("yyyyMMdd"), "outputFormat", constant("yyyy")), `FormatDateTime([city], , "yyyyMMdd", "yyyy")`},
		{call("Append", "source", call("FormatDateTime", "source", date, "outputFormat", constant("yyyy")), "suffix", constant("x")), `Append(FormatDateTime(DateFromNum([employeeId]), , "yyyy"), "x")`},
	} {
		tt.tree["expression"] = tt.text
		got, said := expressionOf(t, tt.tree)
		if got != tt.text {
			t.Errorf("got %s, want %s", got, tt.text)
		}
		same(t, "notes for "+tt.text, said, nil)
	}
	tree := call("FormatDateTime", "source", call("Replace", "source", attribute("city"), "Find", constant("x"), "Replacement", constant("y")), "inputFormat", constant("yyyyMMdd"), "outputFormat", constant("yyyy"))
	tree["expression"] = `FormatDateTime(Replace([city], , "x", , "y", , ), "yyyyMMdd", "yyyy")`
	if got, said := expressionOf(t, tree); len(said) != 1 || got == tree["expression"] {
		t.Errorf("another place inside: got %s with notes %q, want the tree and a note", got, said)
	}
}

// The text is taken, and says so, where the tree cannot be read and calls another
// function.
func TestExpressionOtherFunction(t *testing.T) {
	for _, tree := range []node{call("ToLower"), call("Bogus", "source", attribute("city"))} {
		tree["expression"] = `ToUpper([city])`
		got, said := expressionOf(t, tree)
		if got != `ToUpper([city])` || len(said) != 1 || !strings.Contains(said[0], "the text is taken") {
			t.Errorf("got %s with notes %q, want the text and a note", got, said)
		}
	}
	tree := call("ToUpper")
	tree["expression"] = `ToUpper ([city])`
	_, said := expressionOf(t, tree)
	same(t, "notes", said, nil)
}

// A tree whose keys nobody knows leaves the text to count.
func TestExpressionKeysUnknown(t *testing.T) {
	tree := call("Mid", "what", attribute("city"), "from", constant("1"), "to", constant("8"))
	tree["expression"] = `Mid([state], 1, 8)`
	got, said := expressionOf(t, tree)
	if want := `Mid([state], 1, 8)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	same(t, "notes", said, nil)
}

// Where both are known and disagree, the tree is taken, and said so.
func TestExpressionConflict(t *testing.T) {
	tree := call("Mid", "source", attribute("city"), "start", constant("1"), "length", constant("8"))
	tree["expression"] = `Mid([state], 1, 8)`
	got, said := expressionOf(t, tree)
	if want := `Mid([city], 1, 8)`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := `check: city: Mid([state], 1, 8): the text of the expression and its tree in the schema disagree; the tree, which Entra evaluates, is taken: Mid([city], 1, 8); compare with the admin centre, and try it: tenantsync mapping test`
	same(t, "notes", said, []string{want})
}

// An expression at the bound of its depth, and one far beyond.
func TestExpressionDepth(t *testing.T) {
	nest := func(depth int) string {
		return strings.Repeat(`{"name":"ToUpper","type":"Function","parameters":[{"key":"source","value":`, depth) + `{"name":"city"}` + strings.Repeat(`}]}`, depth)
	}
	j := imported(t, of(fmt.Sprintf(`{"targetAttributeName":"city","source":%s}`, nest(50))))
	same(t, "notes at depth 50", notes(j), nil)
	j = imported(t, of(fmt.Sprintf(`{"targetAttributeName":"city","source":%s},{"targetAttributeName":"state","source":{"name":"state"}}`, nest(300))))
	if len(j.Notes) != 1 || !strings.Contains(j.Notes[0].Why, "nested") {
		t.Errorf("at depth 300: got notes %q, want one about the depth", notes(j))
	}
}
