package store_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"tenantsync/store"
)

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
