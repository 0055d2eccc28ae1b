package engine_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
	"tenantsync/store"
)

// extendedFabrikam registers the extensions that the mappings below write.
const extendedFabrikam = `{"extensionProperties": [
  {"name": "` + ext + `number", "dataType": "Integer"}, {"name": "` + ext + `flag", "dataType": "Boolean"},
  {"name": "` + ext + `day", "dataType": "DateTime"}, {"name": "` + ext + `codes", "dataType": "String", "isMultiValued": true}]}`

// extendedMappings write extensions of every shape from attributes and extensions
// of the source.
func extendedMappings() []mapping.Mapping {
	clear := true
	return defaultsWith(
		mapping.Mapping{Target: ext + "number", Source: "employeeId", Type: attribute.Integer, FlowNull: &clear},
		mapping.Mapping{Target: ext + "flag", Source: ext + "remote", Type: attribute.Boolean},
		mapping.Mapping{Target: ext + "day", Source: "employeeHireDate", Type: attribute.DateTime},
		mapping.Mapping{Target: ext + "codes", Source: ext + "codes", Multivalued: true, FlowNull: &clear},
	)
}

// Extensions are selected, read, converted, written, compared and cleared; what
// did not change is not written again, and no cycle asks for the registrations.
func TestDirectoryExtensionsEndToEnd(t *testing.T) {
	storyOf(t, entrasim.Options{}, extendedFabrikam, func(w *world) {
		w.mapped(extendedMappings()...)
		w.person(1, map[string]any{"employeeId": "4711", "employeeHireDate": "2026-03-01T00:00:00Z", ext + "remote": true, ext + "codes": []string{"a", "b"}})
		w.person(2, nil)
		values := func(n int) map[string]any {
			out := map[string]any{}
			for name, v := range w.targetUser(n).Map() {
				if short, is := strings.CutPrefix(name, ext); is && v != nil {
					out[short] = v
				}
			}
			return out
		}
		expect := func(when string, n int, want map[string]any) {
			t.Helper()
			if diff := cmp.Diff(want, values(n)); diff != "" {
				t.Errorf("%s, user %d (-want +got):\n%s%s", when, n, diff, w.failures())
			}
		}
		w.sync(store.OutcomeSuccess)
		expect("created", 1, map[string]any{"number": float64(4711), "flag": true, "day": "2026-03-01T00:00:00Z", "codes": []any{"a", "b"}})
		expect("created", 2, map[string]any{})

		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })

		w.update(w.contoso, userID(1), map[string]any{ext + "codes": []string{"b", "c"}, ext + "remote": false})
		w.update(w.contoso, userID(2), map[string]any{"employeeId": "12"})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) },
			`PATCH /users/`+w.targetID(1)+` {"`+ext+`codes":["b","c"],"`+ext+`flag":false}`,
			`PATCH /users/`+w.targetID(2)+` {"employeeId":"12","`+ext+`number":12}`)

		w.update(w.contoso, userID(1), map[string]any{ext + "codes": nil, "employeeId": nil})
		w.journalIs(func() { w.sync(store.OutcomeSuccess) },
			`PATCH /users/`+w.targetID(1)+` {"`+ext+`codes":[],"`+ext+`number":null}`)
		w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })

		for name, tenant := range map[string]*entrasim.Tenant{"contoso": w.contoso, "fabrikam": w.fabrikam} {
			for kind, n := range tenant.Counts().Reads {
				if strings.Contains(kind, "Extension") {
					t.Errorf("%s was asked for its extensions %d times, want never", name, n)
				}
			}
		}
		w.sourceUntouched()
	})
}

// A value that does not fit, or an extension that is not registered, is the
// failure of that user and says which attribute it was.
func TestDirectoryExtensionsThatDoNotFit(t *testing.T) {
	storyOf(t, entrasim.Options{}, extendedFabrikam, func(w *world) {
		w.mapped(defaultsWith(mapping.Mapping{Target: ext + "number", Source: "employeeId", Type: attribute.Integer},
			mapping.Mapping{Target: ext + "typo", Source: "companyName"})...)
		w.person(1, map[string]any{"employeeId": "A7"})
		w.person(2, map[string]any{"companyName": "Contoso"})
		w.person(3, map[string]any{"employeeId": "7"})
		w.sync(store.OutcomePartial)
		if _, ok := w.link(3); !ok {
			t.Errorf("user 3 is not linked%s", w.failures())
		}
		for _, want := range []string{ext + `number is Integer: only whole numbers can flow to it (value "A7")`, ext + "typo"} {
			if all := w.failures(); !strings.Contains(all, want) {
				t.Errorf("%q is missing in the failures:\n%s", want, all)
			}
		}
	})
}
