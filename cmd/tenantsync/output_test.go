package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func people() *table {
	return &table{
		Columns: []column{{Key: "id", Title: "ID"}, {Key: "name", Title: "NAME", Flex: true}, {Key: "n", Title: "COUNT", Right: true},
			{Key: "note", Title: "NOTE", Wide: true}},
		Rows: [][]string{
			{"5f0c7a52-0000-0000-0000-000000009d41", "Berg, Anna with a very long name", "7", "=cmd"},
			{"0be3d1c7-0000-0000-0000-0000000077a0", "李伟", "1,234", "x\ny"},
		},
	}
}

func TestTableAsText(t *testing.T) {
	cases := map[string]struct {
		p    printer
		want string
	}{
		"without a terminal nothing is cut": {printer{format: formatTable}, `
ID                                    NAME                              COUNT
5f0c7a52-0000-0000-0000-000000009d41  Berg, Anna with a very long name      7
0be3d1c7-0000-0000-0000-0000000077a0  李伟                              1,234
`},
		"on a terminal names are cut and ids are not": {printer{format: formatTable, width: 60}, `
ID                                    NAME             COUNT
5f0c7a52-0000-0000-0000-000000009d41  Berg, Anna wit…      7
0be3d1c7-0000-0000-0000-0000000077a0  李伟             1,234
`},
		"wide shows all and cuts nothing": {printer{format: formatWide, width: 60}, `
ID                                    NAME                              COUNT  NOTE
5f0c7a52-0000-0000-0000-000000009d41  Berg, Anna with a very long name      7  =cmd
0be3d1c7-0000-0000-0000-0000000077a0  李伟                              1,234  x\ny
`},
		"chosen columns in their order": {printer{format: formatTable, columns: []string{"note", "N"}}, `
NOTE  COUNT
=cmd      7
x\ny  1,234
`},
		"markdown": {printer{format: formatMarkdown, columns: []string{"name", "n"}}, `
| NAME | COUNT |
| --- | ---: |
| Berg, Anna with a very long name | 7 |
| 李伟 | 1,234 |
`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			c.p.w = &b
			if err := c.p.Print(result{Table: people}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadableTableCutsNothing(t *testing.T) {
	for width, want := range map[int]string{
		0:  "ID                                    NAME                              COUNT\n",
		80: "ID                                    NAME                              COUNT\n",
		60: `  5f0c7a52-0000-0000-0000-000000009d41
    name   Berg, Anna with a very long name
    count  7
  0be3d1c7-0000-0000-0000-0000000077a0
    name   李伟
    count  1,234
`} {
		shown, err := people().choose(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := shown.readable(&b, width, false); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); !strings.HasPrefix(got, want) {
			t.Errorf("width %d: got\n%s\nwant it to begin with\n%s", width, got, want)
		}
	}
}

func TestUnknownColumnNamesTheNearest(t *testing.T) {
	p := printer{w: &bytes.Buffer{}, format: formatTable, columns: []string{"nmae"}}
	err := p.Print(result{Table: people})
	var usage *usageError
	if !errors.As(err, &usage) || usage.Action != `did you mean "name"?` {
		t.Errorf("got %v, want a usage error with the nearest column", err)
	}
}

func TestCSVHasAHeaderAndNoFormulas(t *testing.T) {
	var b bytes.Buffer
	p := printer{w: &b, format: formatCSV}
	if err := p.Print(result{Table: people}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "id,name,n,note\r\n") {
		t.Errorf("got %q, want a header and lines that end in CRLF", b.String())
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rows[1][3], "'=cmd"; got != want {
		t.Errorf("formula: got %q, want %q", got, want)
	}
	if got, want := rows[2][3], "x\ny"; got != want {
		t.Errorf("line break in a cell: got %q, want %q", got, want)
	}
}

func TestFormulaSafe(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Sales": "Sales", "=1+1": "'=1+1", "+44 20 7946 0000": "'+44 20 7946 0000", "-1": "-1", "-1.5": "-1.5",
		"-cmd": "'-cmd", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "a=b": "a=b",
	} {
		if got := formulaSafe(in); got != want {
			t.Errorf("formulaSafe(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestEscapeLeavesNothingThatATerminalObeys(t *testing.T) {
	for in, want := range map[string]string{
		"Jörg 李伟 😀":        "Jörg 李伟 😀",
		"a\x1b[31mred":     `a\u001b[31mred`,
		"two\nlines\r\t":   `two\nlines\r\t`,
		"gpj.\u202eexe":    `gpj.\u202eexe`,
		"\u2066x\u2069":    `\u2066x\u2069`,
		"c1 \u009b31m":     `c1 \u009b31m`,
		"bell\a del\x7f":   `bell\u0007 del\u007f`,
		"para\u2029graph":  `para\u2029graph`,
		"arabic\u061cmark": `arabic\u061cmark`,
		"\u200eltr\u200f":  `\u200eltr\u200f`,
		"\u202a\u202d":     `\u202a\u202d`,
		"line\u2028end":    `line\u2028end`,
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q): got %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b]0;title\a", "\u202e", "\xff\xfe", "李"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := escape(s); strings.ContainsFunc(got, hidden) {
			t.Errorf("escape(%q) = %q, which a terminal may obey", s, got)
		}
		var b bytes.Buffer
		if err := writeJSONLine(&b, map[string]string{"v": s}); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.ContainsFunc(line, hidden) {
			t.Errorf("JSON of %q is %q, which a terminal may obey", s, line)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(line), &back); err != nil || (utf8.ValidString(s) && back["v"] != s) {
			t.Errorf("JSON of %q reads back as %q, %v", s, back["v"], err)
		}
	})
}

func TestJSONKeepsItsMeaning(t *testing.T) {
	var b bytes.Buffer
	p := printer{w: &b, format: formatJSON}
	if err := p.Print(result{Document: map[string]string{"v": "<a>\u202e\u009b"}}); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"v\": \"<a>\\u202e\\u009b\"\n}\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestNDJSONIsOneObjectALine(t *testing.T) {
	for name, c := range map[string]struct {
		r    result
		want string
	}{
		"items":    {result{Document: "x", Items: items([]int{1, 2})}, "1\n2\n"},
		"document": {result{Document: map[string]int{"a": 1}}, "{\"a\":1}\n"},
		"no items": {result{Document: "x", Items: items([]int{})}, ""},
	} {
		var b bytes.Buffer
		p := printer{w: &b, format: formatNDJSON}
		if err := p.Print(c.r); err != nil {
			t.Fatal(err)
		}
		if b.String() != c.want {
			t.Errorf("%s: got %q, want %q", name, b.String(), c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -12480: "-12,480"} {
		if got := count(n); got != want {
			t.Errorf("count(%d): got %s, want %s", n, got, want)
		}
	}
}
