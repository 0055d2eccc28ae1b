package store_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"tenantsync/store"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func chainOf(n int) []store.Audit {
	list := make([]store.Audit, n)
	for i := range list {
		list[i] = store.Audit{At: time.Date(2026, 11, 22, 8, i, 0, 0, time.UTC), Actor: "alice", Via: "socket", Act: "pause",
			Outcome: "begun", Of: uint64(i), Job: "job", Reason: "why", Details: map[string]string{"a": "b"}, OldHash: "o", NewHash: "n"}
		if i == 0 {
			list[i].Seal(nil)
		} else {
			list[i].Seal(&list[i-1])
		}
	}
	return list
}

func check(list []store.Audit) error {
	var chain store.AuditChain
	for i := range list {
		if err := chain.Next(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func TestAuditChainFindsWhatWasDoneToIt(t *testing.T) {
	if err := check(chainOf(5)); err != nil {
		t.Fatalf("an untouched chain: %v", err)
	}
	for name, c := range map[string]struct {
		touch func([]store.Audit) []store.Audit
		says  string
	}{
		"the first is gone": {func(l []store.Audit) []store.Audit { return l[1:] }, "record 1 is missing"},
		"one is gone":       {func(l []store.Audit) []store.Audit { return append(l[:2], l[3:]...) }, "record 3 is missing"},
		"two change places": {func(l []store.Audit) []store.Audit { l[1], l[2] = l[2], l[1]; return l }, "record 2 is missing"},
		"another is put in": {func(l []store.Audit) []store.Audit {
			l[2] = chainOf(3)[2]
			l[2].Reason = "x"
			l[2].Seal(&l[1])
			return l
		}, "record 4 does not follow"},
		"one begins anew":     {func(l []store.Audit) []store.Audit { l[0].Seal(nil); l[1].Previous = ""; return l }, "record 2 does not follow"},
		"one is twice there":  {func(l []store.Audit) []store.Audit { return append(l[:2], l[1:]...) }, "record 3 is missing"},
		"one is changed":      {func(l []store.Audit) []store.Audit { l[2].Reason = "x"; return l }, "record 3 was changed"},
		"the last is changed": {func(l []store.Audit) []store.Audit { l[4].Outcome = "done"; return l }, "record 5 was changed"},
	} {
		if err := check(c.touch(chainOf(5))); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

// Every field of a record is under its hash: a field that is added later and
// forgotten there fails this.
func TestEveryFieldOfAnAuditRecordIsSealed(t *testing.T) {
	kind := reflect.TypeFor[store.Audit]()
	for i := range kind.NumField() {
		list := chainOf(3)
		switch field := reflect.ValueOf(&list[1]).Elem().Field(i); v := field.Interface().(type) {
		case string:
			field.SetString(v + "x")
		case uint64:
			field.SetUint(v + 1)
		case time.Time:
			field.Set(reflect.ValueOf(v.Add(time.Second)))
		case map[string]string:
			field.Set(reflect.ValueOf(map[string]string{"a": "c"}))
		default:
			t.Fatalf("field %s of type %s: say how it is changed", kind.Field(i).Name, field.Type())
		}
		if err := check(list); err == nil {
			t.Errorf("%s was changed and the chain is found to be whole", kind.Field(i).Name)
		}
	}
}

func TestSealedTextsCannotBeMovedBetweenFields(t *testing.T) {
	a, b := store.Audit{Actor: "ab", Via: "c"}, store.Audit{Actor: "a", Via: "bc"}
	c, d := store.Audit{Details: map[string]string{"a": "b", "c": ""}}, store.Audit{Details: map[string]string{"a": "", "bc": ""}}
	// Nor by a text that looks like the end of one and the beginning of the next.
	e, f := store.Audit{Actor: "a\x00b", Via: "c"}, store.Audit{Actor: "a", Via: "b\x00c"}
	for _, r := range []*store.Audit{&a, &b, &c, &d, &e, &f} {
		r.Seal(nil)
	}
	if a.Hash == b.Hash || c.Hash == d.Hash || e.Hash == f.Hash {
		t.Errorf("different records have one hash: %s %s, %s %s, %s %s", a.Hash, b.Hash, c.Hash, d.Hash, e.Hash, f.Hash)
	}
}

// Of a chain that breaks, the last record that still held is known: an export that
// was checked up to there can go on from it.
func TestAuditChainRemembersTheLastRecordThatHeld(t *testing.T) {
	var chain store.AuditChain
	if got := chain.Last(); got != nil {
		t.Errorf("before the first record: got %v, want none", *got)
	}
	list := chainOf(3)
	for i := range 2 {
		if err := chain.Next(&list[i]); err != nil {
			t.Fatal(err)
		}
	}
	sealed := list[1].Hash
	list[1].Hash, list[2].Reason = "another", "x" // what the caller does with its records later is its own
	if err := chain.Next(&list[2]); err == nil {
		t.Error("a record that was changed holds")
	}
	if got := chain.Last(); got == nil || got.Seq != 2 || got.Hash != sealed {
		t.Errorf("got %+v, want record 2 as it was checked", got)
	}
}

func TestAuditQueryMatches(t *testing.T) {
	record := store.Audit{At: noon, Actor: "Alice Berg", Act: "pause", Outcome: "done", Job: "job"}
	for name, c := range map[string]struct {
		query store.AuditQuery
		want  bool
	}{
		"nothing is asked":           {store.AuditQuery{}, true},
		"since its moment":           {store.AuditQuery{Since: noon}, true},
		"since later":                {store.AuditQuery{Since: noon.Add(time.Microsecond)}, false},
		"until its moment":           {store.AuditQuery{Until: noon}, false},
		"until later":                {store.AuditQuery{Until: noon.Add(time.Microsecond)}, true},
		"part of the actor":          {store.AuditQuery{Actor: "bErG"}, true},
		"another actor":              {store.AuditQuery{Actor: "bob"}, false},
		"its act":                    {store.AuditQuery{Act: "pause"}, true},
		"part of its act":            {store.AuditQuery{Act: "paus"}, false},
		"its outcome":                {store.AuditQuery{Outcome: "done"}, true},
		"another outcome":            {store.AuditQuery{Outcome: "begun"}, false},
		"its job":                    {store.AuditQuery{Job: "job"}, true},
		"another job":                {store.AuditQuery{Job: "other"}, false},
		"all of it":                  {store.AuditQuery{Since: noon, Until: noon.Add(1), Actor: "alice", Act: "pause", Outcome: "done", Job: "job"}, true},
		"all of it but one":          {store.AuditQuery{Since: noon, Until: noon.Add(1), Actor: "alice", Act: "pause", Outcome: "done", Job: "jo"}, false},
		"place and limit are others": {store.AuditQuery{Limit: 1, Follow: true, AfterSeq: 9, BeforeSeq: 1}, true},
	} {
		if got := c.query.Matches(&record); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
