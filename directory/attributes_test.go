package directory_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tenantsync/directory"
)

func set(pairs ...string) directory.Attributes {
	var a directory.Attributes
	for i := 0; i < len(pairs); i += 2 {
		a.Set(pairs[i], directory.TextOf(pairs[i+1]))
	}
	return a
}

func TestSetGetHas(t *testing.T) {
	a := set("mail", "m", "city", "c", "state", "")
	for name, want := range map[string]directory.Value{
		"mail": directory.TextOf("m"), "city": directory.TextOf("c"), "state": directory.NullValue(), "other": {},
	} {
		if got := a.Get(name); !reflect.DeepEqual(got, want) {
			t.Errorf("get %s: got %#v, want %#v", name, got, want)
		}
		if got := a.Has(name); got == want.IsAbsent() {
			t.Errorf("has %s: got %t, want %t", name, got, !want.IsAbsent())
		}
	}
	if got, want := a.Names(), []string{"city", "mail", "state"}; !slices.Equal(got, want) {
		t.Errorf("names: got %q, want %q", got, want)
	}
	a.Set("mail", directory.Value{})
	a.Set("nowhere", directory.Value{})
	a.Set("city", directory.TextOf("d"))
	if want := set("city", "d", "state", ""); !reflect.DeepEqual(a, want) {
		t.Errorf("after taking mail away: got %v, want %v", a, want)
	}
	var none directory.Attributes
	if none.Has("mail") || !none.Get("mail").IsAbsent() || len(none.Names()) != 0 {
		t.Error("the empty set has something")
	}
}

// However a set is made, it is the one that a map would make.
func TestAttributesAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) directory.Attribute {
			return directory.Attribute{Name: rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "name"),
				Value: directory.IntOf(rapid.Int64().Draw(t, "value"))}
		})).Draw(t, "list")
		m := map[string]directory.Value{}
		var bySet directory.Attributes
		for _, at := range list {
			m[at.Name] = at.Value
			bySet.Set(at.Name, at.Value)
		}
		want := directory.AttributesOf(m)
		for how, got := range map[string]directory.Attributes{
			"one by one": bySet, "from a list": directory.SortedAttributes(slices.Clone(list)),
		} {
			if len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %v, want %v", how, got, want)
			}
		}
		if !slices.IsSorted(want.Names()) {
			t.Errorf("names are not sorted: %q", want.Names())
		}
	})
}

func TestMerge(t *testing.T) {
	tests := []struct {
		name             string
		have, over, want directory.Attributes
	}{
		{"into nothing", nil, set("a", "1"), set("a", "1")},
		{"nothing", set("a", "1"), nil, set("a", "1")},
		{"absent keeps, present replaces", set("a", "1", "b", "2"), set("b", "3"), set("a", "1", "b", "3")},
		{"null clears and is remembered", set("a", "1", "b", "2"), set("a", ""), set("a", "", "b", "2")},
		{"new ones between", set("b", "2", "d", "4"), set("a", "1", "c", "3", "e", "5"), set("a", "1", "b", "2", "c", "3", "d", "4", "e", "5")},
	}
	for _, tt := range tests {
		have, over := tt.have.Clone(), tt.over.Clone()
		if got := tt.have.Merge(tt.over); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		if !reflect.DeepEqual(tt.have, have) || !reflect.DeepEqual(tt.over, over) {
			t.Errorf("%s: merging changed what was merged", tt.name)
		}
	}
}

func TestCloneIsApart(t *testing.T) {
	a := set("a", "1", "b", "2")
	c := a.Clone()
	c.Set("a", directory.TextOf("changed"))
	if got := a.Get("a").Text(); got != "1" {
		t.Errorf("after changing the clone got %q, want 1", got)
	}
}

func TestAttributesAsJSON(t *testing.T) {
	a := directory.AttributesOf(map[string]directory.Value{
		"mail": directory.TextOf("a<b@c"), "accountEnabled": directory.BoolOf(true), "city": directory.NullValue(),
		"otherMails": directory.ListOf("x"), `q"`: directory.IntOf(1)})
	got, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"accountEnabled":true,"city":null,"mail":"a\u003cb@c","otherMails":["x"],"q\"":1}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, err := json.Marshal(directory.Attributes(nil)); err != nil || string(got) != "{}" {
		t.Errorf("empty set: got %s, error %v; want {}", got, err)
	}
}

func TestDiff(t *testing.T) {
	tests := []struct {
		name       string
		have, want directory.Attributes
		modified   []directory.Modified
	}{
		{"nothing wanted", set("a", "1"), nil, nil},
		{"the same", set("a", "1", "b", "2"), set("a", "1", "b", "2"), nil},
		{"not mentioned does not count", set("a", "1", "b", "2"), set("b", "2"), nil},
		{"changed, new and cleared, in order of names", set("b", "2", "d", "4"), set("a", "1", "b", "3", "c", "", "d", ""),
			[]directory.Modified{
				{Name: "a", New: directory.TextOf("1")},
				{Name: "b", Old: directory.TextOf("2"), New: directory.TextOf("3")},
				{Name: "d", Old: directory.TextOf("4"), New: directory.NullValue()}}},
		{"order of a list", directory.Attributes{{"l", directory.ListOf("a", "b")}}, directory.Attributes{{"l", directory.ListOf("b", "a")}}, nil},
		{"no value is no value", set("a", ""), directory.Attributes{{"a", directory.ListOf()}}, nil},
		{"another kind", set("a", "1"), directory.Attributes{{"a", directory.IntOf(1)}},
			[]directory.Modified{{Name: "a", Old: directory.TextOf("1"), New: directory.IntOf(1)}}},
	}
	for _, tt := range tests {
		if got := directory.Diff(tt.have, tt.want); !reflect.DeepEqual(got, tt.modified) {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.modified)
		}
	}
}

// What was written is not written again.
func TestNothingDiffersAfterMerging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		have, want := attributes().Draw(t, "have"), attributes().Draw(t, "want")
		if left := directory.Diff(have.Merge(want), want); left != nil {
			t.Errorf("still differs: %+v", left)
		}
		changed := map[string]bool{}
		for _, m := range directory.Diff(have, want) {
			changed[m.Name] = true
		}
		for _, w := range want {
			if equal := have.Get(w.Name).Equal(w.Value); equal == changed[w.Name] {
				t.Errorf("%s: equal %t, reported as different %t", w.Name, equal, changed[w.Name])
			}
		}
	})
}
