package engine

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"tenantsync/directory"
)

// A spool finds everybody by their keys and tells them in their order, whether they
// wait in memory, lie in the file, or some do this and some that.
func TestSpoolFindsEverybody(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, c := range []struct {
		name  string
		users int
		text  string
		filed bool
	}{
		{"none", 0, "", false},
		{"all in memory", 20, "Sales", false},
		{"in the file and in memory", 1000, strings.Repeat("Sales ", 30), true},
		{"one larger than the memory", 3, strings.Repeat("x", 2*spoolTail), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSpool()
			want := make([]directory.Object, c.users)
			key := func(i int) matchKey { // two of each
				return matchKey{attribute: "mail", value: fmt.Sprintf("u%d@contoso.example", i/2)}
			}
			for i := range want {
				want[i] = directory.Object{ID: fmt.Sprintf("user %d", i), Attributes: directory.AttributesOf(map[string]directory.Value{
					"department": directory.TextOf(c.text)})}
				if err := s.add(want[i], []matchKey{key(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.file != nil; got != c.filed {
				t.Errorf("a file was written: got %v, want %v", got, c.filed)
			}
			var all []directory.Object
			if err := s.each(func(o directory.Object) { all = append(all, o) }); err != nil {
				t.Fatal(err)
			}
			if len(all) != len(want) {
				t.Fatalf("in order: got %d users, want %d", len(all), len(want))
			}
			for i := range want {
				if !reflect.DeepEqual(all[i], want[i]) {
					t.Fatalf("in order: place %d: got %+v, want %+v", i, all[i], want[i])
				}
				pair := want[i/2*2 : min(i/2*2+2, len(want))]
				found, places, err := s.find(key(i))
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(found, pair) {
					t.Fatalf("by key of user %d: got %+v, want %+v", i, found, pair)
				}
				if again, err := s.read(places[0]); err != nil || !reflect.DeepEqual(again, pair[0]) {
					t.Fatalf("by the place of user %d: got %+v, %v, want %+v", i, again, err, pair[0])
				}
			}
			if found, _, err := s.find(matchKey{attribute: "mail", value: "nobody@contoso.example"}); err != nil || len(found) != 0 {
				t.Errorf("an address that nobody has: got %+v, %v, want nobody", found, err)
			}
			if err := s.close(); err != nil {
				t.Errorf("close: got %v", err)
			}
			if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
				t.Errorf("afterwards: got files %v, %v, want none", left, err)
			}
		})
	}
}
