package directory_test

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"

	"tenantsync/directory"
)

func TestKindsHaveNames(t *testing.T) {
	want := map[directory.Kind]string{
		directory.Absent: "absent", directory.Null: "null", directory.Text: "text", directory.Bool: "boolean",
		directory.Int: "integer", directory.List: "list", directory.Ref: "reference", directory.Kind(99): "kind(99)",
	}
	for kind, name := range want {
		if got := kind.String(); got != name {
			t.Errorf("kind %d: got %q, want %q", kind, got, name)
		}
	}
}

// Each row says all there is to say about one value.
func TestValueReadings(t *testing.T) {
	type reading struct {
		kind          directory.Kind
		absent, empty bool
		text          string
		boolean, isB  bool
		integer       int64
		isI           bool
		members       int // -1: nil
		printed, json string
	}
	tests := []struct {
		name  string
		value directory.Value
		want  reading
	}{
		{"zero", directory.Value{}, reading{directory.Absent, true, true, "", false, false, 0, false, -1, "", "null"}},
		{"null", directory.NullValue(), reading{directory.Null, false, true, "", false, false, 0, false, -1, "", "null"}},
		{"text", directory.TextOf(`a "b"`), reading{directory.Text, false, false, `a "b"`, false, false, 0, false, -1, `a "b"`, `"a \"b\""`}},
		{"empty text is null", directory.TextOf(""), reading{directory.Null, false, true, "", false, false, 0, false, -1, "", "null"}},
		{"blank text", directory.TextOf(" "), reading{directory.Text, false, false, " ", false, false, 0, false, -1, " ", `" "`}},
		{"true", directory.BoolOf(true), reading{directory.Bool, false, false, "", true, true, 1, false, -1, "True", "true"}},
		{"false", directory.BoolOf(false), reading{directory.Bool, false, false, "", false, true, 0, false, -1, "False", "false"}},
		{"integer", directory.IntOf(-7), reading{directory.Int, false, false, "", true, false, -7, true, -1, "-7", "-7"}},
		{"zero integer", directory.IntOf(0), reading{directory.Int, false, false, "", false, false, 0, true, -1, "0", "0"}},
		{"list", directory.ListOf("b", "a"), reading{directory.List, false, false, "", false, false, 0, false, 2, "b, a", `["b","a"]`}},
		{"list without members", directory.ListOf(), reading{directory.List, false, true, "", false, false, 0, false, -1, "", "[]"}},
		{"reference", directory.RefOf("id"), reading{directory.Ref, false, false, "id", false, false, 0, false, -1, "id", `"id"`}},
		{"empty reference is null", directory.RefOf(""), reading{directory.Null, false, true, "", false, false, 0, false, -1, "", "null"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := tt.value
			got := reading{kind: v.Kind(), absent: v.IsAbsent(), empty: v.IsEmpty(), text: v.Text(), printed: v.String(), members: -1}
			got.boolean, got.isB = v.Bool()
			got.integer, got.isI = v.Int()
			if list := v.List(); list != nil {
				got.members = len(list)
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got.json = string(b)
			if got != tt.want {
				t.Errorf("\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// Groups of values that mean the same to a directory; values of different groups
// do not.
func TestEqual(t *testing.T) {
	groups := [][]directory.Value{
		{{}, directory.NullValue(), directory.ListOf(), directory.TextOf(""), directory.RefOf("")},
		{directory.TextOf("a"), directory.TextOf("a")},
		{directory.TextOf("A")},
		{directory.RefOf("a")},
		{directory.ListOf("a")},
		{directory.BoolOf(true)},
		{directory.BoolOf(false)},
		{directory.IntOf(1)},
		{directory.IntOf(0)},
		{directory.ListOf("a", "b"), directory.ListOf("b", "a")},
		{directory.ListOf("a", "a", "b"), directory.ListOf("b", "a", "a")},
		{directory.ListOf("a", "b", "b")},
		{directory.ListOf("")},
	}
	for i, as := range groups {
		for j, bs := range groups {
			for _, a := range as {
				for _, b := range bs {
					if got := a.Equal(b); got != (i == j) {
						t.Errorf("%v %q equal to %v %q: got %t, want %t", a.Kind(), a, b.Kind(), b, got, i == j)
					}
				}
			}
		}
	}
}

func TestEqualDoesNotReorder(t *testing.T) {
	a, b := directory.ListOf("b", "a"), directory.ListOf("a", "b")
	if !a.Equal(b) || a.String() != "b, a" || b.String() != "a, b" {
		t.Errorf("after comparing got %q and %q, want the order as it was", a, b)
	}
}

func TestCompareIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := value().Draw(t, "a"), value().Draw(t, "b"), value().Draw(t, "c")
		if got, back := a.Compare(b), b.Compare(a); got != -back {
			t.Errorf("a to b is %d, b to a is %d", got, back)
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Error("a ≤ b ≤ c, but a > c")
		}
		if a.Compare(b) == 0 && !a.Equal(b) {
			t.Error("neither is before the other, but they are not equal")
		}
	})
}

func TestValueOf(t *testing.T) {
	ref := directory.RefOf("id")
	tests := []struct {
		in   any
		want directory.Value
		ok   bool
	}{
		{nil, directory.NullValue(), true},
		{ref, ref, true},
		{"a", directory.TextOf("a"), true},
		{"", directory.NullValue(), true},
		{true, directory.BoolOf(true), true},
		{3, directory.IntOf(3), true},
		{int64(math.MinInt64), directory.IntOf(math.MinInt64), true},
		{uint64(math.MaxInt64), directory.IntOf(math.MaxInt64), true},
		{float64(-2), directory.IntOf(-2), true},
		{json.Number("9007199254740993"), directory.IntOf(9007199254740993), true},
		{[]string{"a"}, directory.ListOf("a"), true},
		{[]any{"a", "b"}, directory.ListOf("a", "b"), true},
		{[]any{}, directory.ListOf(), true},
		{uint64(math.MaxInt64) + 1, directory.Value{}, false},
		{1.5, directory.Value{}, false},
		{math.NaN(), directory.Value{}, false},
		{math.Inf(1), directory.Value{}, false},
		{1e19, directory.Value{}, false},
		{-1e19, directory.Value{}, false},
		{json.Number("1.5"), directory.Value{}, false},
		{[]any{"a", 1.0}, directory.Value{}, false},
		{map[string]any{}, directory.Value{}, false},
	}
	for _, tt := range tests {
		got, ok := directory.ValueOf(tt.in)
		if ok != tt.ok || ok && (got.Kind() != tt.want.Kind() || !got.Equal(tt.want)) {
			t.Errorf("%T %v: got %v %q, %t; want %v %q, %t", tt.in, tt.in, got.Kind(), got, ok, tt.want.Kind(), tt.want, tt.ok)
		}
	}
}
