package entra_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tenantsync/entra"
	"tenantsync/entra/entrasim"
)

// synchronizedRoles are the permissions to capture Microsoft's own synchronization
// as well.
var synchronizedRoles = append(slices.Clone(captureRoles), "Synchronization.Read.All")

// capturedSynchronization captures a source as the command writes it, with
// Microsoft's own synchronization.
func capturedSynchronization(t *testing.T, s *entra.Source) (text string, missing []string) {
	t.Helper()
	return capturedBy(t, s, entra.CaptureOptions{Synchronization: true})
}

// What import reads of a tenant, it reads of the served capture just so; what
// nobody may know is not in the file.
func TestCaptureOfSynchronization(t *testing.T) {
	real := synchronizedSource(t, synchronizedRoles...)
	once, missing := capturedSynchronization(t, real)
	if len(missing) > 0 {
		t.Errorf("not read: got %q, want everything", missing)
	}
	copied := served(t, withApplication(once), synchronizedRoles...)
	want, err := real.SynchronizationJobs(t.Context(), "")
	if err != nil || len(want) != 2 {
		t.Fatalf("got %+v, %v; want two jobs", want, err)
	}
	got, err := copied.SynchronizationJobs(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if g, w := asJSON(t, got), asJSON(t, want); g != w {
		t.Errorf("jobs of the copy: got\n%s\nwant\n%s", g, w)
	}
	schema, err := copied.SynchronizationSchema(t.Context(), got[0])
	if err != nil || !strings.Contains(string(schema), `"version":"v1.2"`) {
		t.Errorf("schema of the copy: got %s, %v", schema, err)
	}
	if again, _ := capturedSynchronization(t, copied); again != once {
		t.Errorf("captured again: got\n%s\nwant\n%s", again, once)
	}
	for _, no := range []string{`"x"`, "SyncPolicy", "Payroll", "lastExecution", "@odata"} {
		if strings.Contains(once, no) {
			t.Errorf("the file has %s:\n%s", no, once)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A tenant that does not serve its synchronization, or not to this app, is captured
// without; only what the app may not read is told.
func TestCaptureWithoutSynchronization(t *testing.T) {
	const jobs, secrets, schema = "/servicePrincipals/*/synchronization/jobs", "/servicePrincipals/*/synchronization/secrets", "/servicePrincipals/*/synchronization/jobs/*/schema"
	for _, tt := range []struct {
		name    string
		fault   entrasim.Fault
		missing []string
		has     string // in the file
		lacks   string
	}{
		{"principals refused", entrasim.Fault{Path: "/servicePrincipals", Status: 403, Code: "Authorization_RequestDenied"}, []string{"synchronization"}, "", "servicePrincipals"},
		{"principals unknown", entrasim.Fault{Path: "/servicePrincipals", Status: 404, Code: "Request_ResourceNotFound"}, nil, "", "servicePrincipals"},
		{"no way there", entrasim.Fault{Path: "/servicePrincipals", Status: 404, Body: "404 page not found"}, nil, "", "servicePrincipals"},
		{"no such filter", entrasim.Fault{Path: "/servicePrincipals", Status: 400, Code: "BadRequest"}, nil, "", "servicePrincipals"},
		{"not implemented", entrasim.Fault{Path: "/servicePrincipals", Status: 501, Code: "NotImplemented"}, nil, "", "servicePrincipals"},
		{"jobs refused", entrasim.Fault{Path: jobs, Status: 403, Code: "Authorization_RequestDenied"}, []string{"synchronization"}, "Fabrikam", "Azure2Azure"},
		{"jobs unknown", entrasim.Fault{Path: jobs, Status: 404, Code: "Request_ResourceNotFound"}, nil, "Fabrikam", "Azure2Azure"},
		{"jobs not implemented", entrasim.Fault{Path: jobs, Status: 501}, nil, "Fabrikam", "Azure2Azure"},
		{"schemas refused", entrasim.Fault{Path: schema, Status: 403, Code: "Authorization_RequestDenied"}, []string{"schemas of synchronization jobs"}, "Azure2Azure", "v1.2"},
		{"settings refused", entrasim.Fault{Path: secrets, Status: 403, Code: "Authorization_RequestDenied"}, []string{"settings of synchronization jobs"}, "v1.2", "SyncAll"},
		{"settings unknown", entrasim.Fault{Path: secrets, Status: 404, Code: "Request_ResourceNotFound"}, nil, "v1.2", "SyncAll"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, missing := capturedSynchronization(t, faultySource(t, []entrasim.Fault{tt.fault}, synchronizedRoles...))
			if !slices.Equal(missing, tt.missing) {
				t.Errorf("told: got %q, want %q", missing, tt.missing)
			}
			if !strings.Contains(text, tt.has) || strings.Contains(text, tt.lacks) {
				t.Errorf("file: want %q in it and %q not:\n%s", tt.has, tt.lacks, text)
			}
		})
	}
	if _, missing := capturedSynchronization(t, synchronizedSource(t, captureRoles...)); !slices.Equal(missing, []string{"synchronization"}) {
		t.Errorf("without the permission: told %q, want synchronization, once", missing)
	}
}
