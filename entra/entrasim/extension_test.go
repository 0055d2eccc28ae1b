package entrasim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"tenantsync/entra/entrasim"
)

const ext = "extension_0123456789abcdef0123456789abcdef_"

// registered is a tenant with one user and an extension of every kind.
const registered = `{"users": [{"id": "u", "userPrincipalName": "u@one.onmicrosoft.com", "` + ext + `number": 7}],
  "extensionProperties": [
    {"name": "` + ext + `text", "appDisplayName": "HR"},
    {"name": "` + ext + `number", "dataType": "Integer"},
    {"name": "` + ext + `large", "dataType": "LargeInteger", "targetObjects": ["User", "Group"]},
    {"name": "` + ext + `flag", "dataType": "Boolean"},
    {"name": "` + ext + `day", "dataType": "DateTime"},
    {"name": "` + ext + `bytes", "dataType": "Binary"},
    {"name": "` + ext + `list", "dataType": "String", "isMultiValued": true},
    {"name": "` + ext + `numbers", "dataType": "Integer", "isMultiValued": true},
    {"name": "` + ext + `group", "dataType": "String", "targetObjects": ["Group"]}]}`

func TestExtensionsTakeWhatTheyWereRegisteredFor(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", registered)
	for _, tt := range []struct {
		name, value string
		stored      string // "" for a refusal
	}{
		{"text", `"a"`, `"a"`},
		{"text", `7`, ""},
		{"text", `true`, ""},
		{"text", `["a"]`, ""},
		{"text", `""`, ""},
		{"text", `"` + strings.Repeat("å", 256) + `"`, `"` + strings.Repeat("å", 256) + `"`},
		{"text", `"` + strings.Repeat("å", 257) + `"`, ""},
		{"number", `-2147483648`, `-2147483648`},
		{"number", `2147483648`, ""},
		{"number", `"7"`, ""},
		{"number", `1.5`, ""},
		{"large", `2147483648`, `2147483648`},
		{"flag", `false`, `false`},
		{"flag", `"false"`, ""},
		{"day", `"2026-03-01T08:00:00+01:00"`, `"2026-03-01T07:00:00Z"`},
		{"day", `"2026-03-01"`, ""},
		{"bytes", `"AQID"`, `"AQID"`},
		{"bytes", `"not base64"`, ""},
		{"list", `["a","b"]`, `["a","b"]`},
		{"list", `"a"`, ""},
		{"list", `["a",7]`, ""},
		{"list", `[]`, `[]`},
		{"numbers", `[1,2]`, `[1,2]`},
		{"numbers", `["1"]`, ""},
		{"group", `"a"`, ""},
		{"unknown", `"a"`, ""},
		{"unknown", `null`, ""},
	} {
		r := c.call(http.MethodPatch, "/users/u", map[string]any{ext + tt.name: rawJSON(tt.value)})
		if tt.stored == "" {
			r.want(t, http.StatusBadRequest, "Request_BadRequest")
			if !strings.Contains(r.message(), "The ") && !strings.Contains(r.message(), "does not match schema") {
				t.Errorf("%s = %s: message %q", tt.name, tt.value, r.message())
			}
			continue
		}
		r.want(t, http.StatusNoContent, "")
		got := c.call(http.MethodGet, "/users/u?$select="+ext+tt.name, nil).want(t, http.StatusOK, "")
		if text := compactJSON(t, got.body[ext+tt.name]); text != tt.stored {
			t.Errorf("%s = %s is stored as %s, want %s", tt.name, tt.value, text, tt.stored)
		}
	}
	if r := c.call(http.MethodPatch, "/users/u", map[string]any{ext + "unknown": "a"}); !strings.Contains(r.message(), "not available: "+ext+"unknown") {
		t.Errorf("an extension that is not registered: message %q, want it named", r.message())
	}
}

// Nothing is written for an extension without a value, as Graph does with open
// properties; delta queries report that one was cleared.
func TestExtensionsWithoutValueAreLeftOut(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", registered)
	c.call(http.MethodPatch, "/users/u", map[string]any{ext + "text": "a"}).want(t, http.StatusNoContent, "")
	delta := c.call(http.MethodGet, "/users/delta?$select=id,"+ext+"text", nil).want(t, http.StatusOK, "")
	c.call(http.MethodPatch, "/users/u", map[string]any{ext + "text": nil}).want(t, http.StatusNoContent, "")
	for _, path := range []string{"/users/u?$select=id," + ext + "text", "/users/u?$select=" + ext + "text", "/users?$select=" + ext + "text"} {
		if r := c.call(http.MethodGet, path, nil).want(t, http.StatusOK, ""); strings.Contains(string(r.raw), ext+`text":`) {
			t.Errorf("%s: got %s, want the property left out", path, r.raw)
		}
	}
	r := c.call(http.MethodGet, delta.str("@odata.deltaLink"), nil).want(t, http.StatusOK, "")
	if !strings.Contains(string(r.raw), `"`+ext+`text":null`) {
		t.Errorf("delta: got %s, want null", r.raw)
	}
}

func TestExtensionsCanBeSearched(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", registered)
	c.call(http.MethodPatch, "/users/u", map[string]any{ext + "text": "A1"}).want(t, http.StatusNoContent, "")
	for filter, want := range map[string]int{
		ext + "text%20eq%20'a1'": 1, ext + "text%20in%20('x','A1')": 1, ext + "text%20eq%20'x'": 0, ext + "number%20eq%207": 1, ext + "number%20eq%208": 0,
	} {
		r := c.call(http.MethodGet, "/users?$select=id&$filter="+filter, nil).want(t, http.StatusOK, "")
		if got := len(r.ids()); got != want {
			t.Errorf("%s: %d users, want %d", filter, got, want)
		}
	}
}

func TestExtensionsAreListed(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", registered)
	r := c.call(http.MethodPost, "/directoryObjects/getAvailableExtensionProperties", map[string]any{}).want(t, http.StatusOK, "")
	list := r.value()
	if len(list) != 9 {
		t.Fatalf("%d extensions, want 9: %s", len(list), r.raw)
	}
	first := list[0]
	for key, want := range map[string]any{"name": ext + "text", "dataType": "String", "isMultiValued": false, "appDisplayName": "HR",
		"isSyncedFromOnPremises": false, "@odata.type": "#microsoft.graph.extensionProperty"} {
		if first[key] != want {
			t.Errorf("%s is %v, want %v", key, first[key], want)
		}
	}
	if id, _ := first["id"].(string); len(id) != 36 {
		t.Errorf("id %q, want a GUID", id)
	}
	synced := c.call(http.MethodPost, "/directoryObjects/getAvailableExtensionProperties", map[string]any{"isSyncedFromOnPremises": true}).want(t, http.StatusOK, "")
	if len(synced.value()) != 0 {
		t.Errorf("synchronized from on-premises: %s, want none", synced.raw)
	}
}

// Without the section every well-formed name is an extension, which holds what
// its first value was.
func TestUnregisteredExtensionsLearnTheirType(t *testing.T) {
	t.Parallel()
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", `{"users": [{"id": "u", "userPrincipalName": "u@one.onmicrosoft.com"}, {"id": "v", "userPrincipalName": "v@one.onmicrosoft.com"}]}`)
	patch := func(id, name string, value any, status int) {
		t.Helper()
		if r := c.call(http.MethodPatch, "/users/"+id, map[string]any{ext + name: value}); r.status != status {
			t.Errorf("%s = %v: status %d, want %d: %s", name, value, r.status, status, r.raw)
		}
	}
	patch("u", "a", nil, http.StatusNoContent) // says nothing of the type
	patch("u", "a", 7, http.StatusNoContent)
	patch("v", "a", "x", http.StatusBadRequest)
	patch("v", "a", 8, http.StatusNoContent)
	patch("u", "b", []string{"x"}, http.StatusNoContent)
	patch("v", "b", "x", http.StatusBadRequest)
	patch("u", "c", map[string]any{"x": 1}, http.StatusBadRequest)
	c.call(http.MethodPost, "/directoryObjects/getAvailableExtensionProperties", map[string]any{}).want(t, http.StatusNotImplemented, "NotImplemented")
	if _, err := c.tenant.Load(parseFile(t, `{"users": [{"id": "u", "userPrincipalName": "u@one.onmicrosoft.com", "`+ext+`a": "text"}]}`)); err == nil ||
		!strings.Contains(err.Error(), "users[0]."+ext+"a") {
		t.Errorf("a file with a value of another type: error %v, want one that names the place", err)
	}
}

func TestExtensionSectionIsHeldToItsShape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"extensionProperties": [{"name": "costCode"}]}`:                                         "extensionProperties[0].name",
		`{"extensionProperties": [{"name": "` + ext + `a", "dataType": "Text"}]}`:                 "extensionProperties[0].dataType: one of Binary",
		`{"extensionProperties": [{"name": "` + ext + `a", "isMultiValued": "yes"}]}`:             "isMultiValued: the value has the wrong type",
		`{"extensionProperties": [{"name": "` + ext + `a", "targetObjects": "User"}]}`:            "targetObjects: the value has the wrong type",
		`{"extensionProperties": [{"name": "` + ext + `a"}, {"name": "` + ext + `a"}]}`:           "occurs twice",
		`{"extensionProperties": [{"name": "` + ext + `a", "kind": "x"}]}`:                        "kind: there is no such property",
		`{"users": [{"userPrincipalName": "u@x", "` + ext + `a": 1}], "extensionProperties": []}`: "not available",
	} {
		f, err := entrasim.ParseFile(strings.NewReader(text))
		if err == nil {
			_, err = entrasim.New(entrasim.Options{}).AddTenant("one", f)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", text, err, want)
		}
	}
	b := &bench{cloud: entrasim.New(entrasim.Options{})}
	c := b.add(t, "one", registered)
	first := dump(t, c.tenant)
	if changes, err := c.tenant.Load(parseFile(t, first)); err != nil || !changes.None() {
		t.Errorf("the dump changes %+v, %v; want nothing", changes, err)
	}
	// A section that is left out stays; another one replaces it.
	if changes, err := c.tenant.Load(parseFile(t, `{"users": [{"id": "u", "userPrincipalName": "u@one.onmicrosoft.com"}]}`)); err != nil || len(changes.Sections) != 0 {
		t.Errorf("without the section: %+v, %v", changes, err)
	}
	changes, err := c.tenant.Load(parseFile(t, `{"extensionProperties": [{"name": "`+ext+`other"}]}`))
	if err != nil || len(changes.Sections) != 1 || changes.Sections[0] != "extensionProperties" {
		t.Errorf("another section: %+v, %v; want it to have changed", changes, err)
	}
	c.call(http.MethodPatch, "/users/u", map[string]any{ext + "text": "a"}).want(t, http.StatusBadRequest, "Request_BadRequest")
}

func rawJSON(text string) json.RawMessage { return json.RawMessage(text) }
