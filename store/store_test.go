package store_test

import (
	"reflect"
	"testing"

	"tenantsync/store"
)

// A batch that changes one thing is not empty, whichever thing it is: a field that
// is added and forgotten in Empty would never be committed, and fails this.
func TestABatchWithAnyChangeIsNotEmpty(t *testing.T) {
	t.Parallel()
	if b := (store.Batch{}); !b.Empty() {
		t.Error("a batch without anything is not empty")
	}
	// These say how to commit and what came of it; alone they change nothing.
	changesNothing := map[string]bool{"Lease": true, "PruneMore": true}
	kind := reflect.TypeFor[store.Batch]()
	for i := range kind.NumField() {
		var b store.Batch
		name, field := kind.Field(i).Name, reflect.ValueOf(&b).Elem().Field(i)
		switch field.Interface().(type) {
		case uint64:
			field.SetUint(1)
		case bool:
			field.SetBool(true)
		case string:
			field.SetString("job")
		case store.Time:
			field.Set(reflect.ValueOf(noon))
		default:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		}
		if got, want := b.Empty(), changesNothing[name]; got != want {
			t.Errorf("a batch with %s alone: empty %v, want %v", name, got, want)
		}
	}
}
