package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/store"
)

// failedEntry is an entry as the engine writes it, with values that mean harm.
func failedEntry() store.Entry {
	anna := "=1+1"
	return store.Entry{
		ID: "e1", ActivityDateTime: time.Date(2026, 11, 22, 8, 20, 7, 0, time.UTC), TenantID: "t", JobID: "contoso-to-fabrikam", CycleID: "6f3e", ChangeID: "91ab40f7",
		Action: "create", DurationMS: 410, InitiatedBy: store.Initiator{DisplayName: "schedule", Type: "system"},
		SourceSystem: store.System{ID: "c0", DisplayName: "contoso"}, TargetSystem: store.System{ID: "fa", DisplayName: "fabrikam"},
		SourceIdentity: store.Identity{ID: "s1", DisplayName: "Doe, J\x1b[31m", Type: "User", Details: map[string]string{"UserPrincipalName": "j.doe@contoso.com"}},
		StatusInfo: store.StatusInfo{Status: "failure", Error: &store.ErrorInfo{Code: "DuplicateTargetEntries", Reason: "two users have mail \"j.doe@contoso.com\"",
			Category: "failure", RecommendedAction: "remove or rename one of them"}},
		Steps: []store.Step{{Name: "EntryImportAdd", Type: "import", Status: "success"},
			{Name: "EntryMatch", Type: "matching", Status: "failure", Description: "two users found", Details: map[string]string{"count": "2"}}},
		Modified: []store.Property{{DisplayName: "displayName", NewValue: &anna}, {DisplayName: "mail", OldValue: &anna}},
	}
}

func TestWriteEntry(t *testing.T) {
	e := failedEntry()
	retry := &engine.Retry{NextAttempt: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), Attempts: 1}
	var b strings.Builder
	if err := writeEntry(&b, &printer{}, &e, retry, time.UTC); err != nil {
		t.Fatal(err)
	}
	want := `Summary          Create failed for Doe, J\u001b[31m (j.doe@contoso.com)   2026-11-22 08:20:07 UTC   410ms
                 change 91ab40f7   cycle 6f3e   job contoso-to-fabrikam   started by schedule
                 contoso s1 -> fabrikam (none)
Steps            import success · matching failure
                 matching: two users found
Modified         displayName  (none) -> =1+1
                 mail  =1+1 -> (none)
Troubleshooting  DuplicateTargetEntries: two users have mail "j.doe@contoso.com"
  Do             remove or rename one of them
                 retried by itself at 2026-11-22 09:00 UTC (attempt 2)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}

func TestWriteEntryOfASuccess(t *testing.T) {
	e := failedEntry()
	e.StatusInfo, e.Modified, e.InitiatedBy = store.StatusInfo{Status: "success"}, nil, store.Initiator{}
	var b strings.Builder
	if err := writeEntry(&b, &printer{}, &e, nil, time.UTC); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Create succeeded for Doe", "nothing was written", "started by (unknown)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got\n%s\nwant a text with %q", b.String(), want)
		}
	}
	if strings.Contains(b.String(), "Troubleshooting") {
		t.Errorf("a success needs no troubleshooting:\n%s", b.String())
	}
}

func TestHeadline(t *testing.T) {
	for _, tt := range []struct{ action, status, want string }{
		{"create", "success", "Create succeeded for X"},
		{"update", "warning", "Update succeeded with a warning for X"},
		{"other", "failure", "Provisioning failed for X"},
		{"other", "skipped", "Skipped X"},
		{"stagedDelete", "success", "Staged delete succeeded for X"},
	} {
		e := store.Entry{Action: tt.action, StatusInfo: store.StatusInfo{Status: tt.status}, TargetIdentity: store.Identity{DisplayName: "X"}}
		if got := headline(&e); got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.action, tt.status, got, tt.want)
		}
	}
}

func TestShortReason(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		info       store.StatusInfo
	}{
		{"success", "", store.StatusInfo{Status: "success"}},
		{"failure: the code can be looked up", "Conflict", store.StatusInfo{Status: "failure", Error: &store.ErrorInfo{Code: "Conflict", Reason: "taken"}}},
		{"skip: a sentence", "out of scope", store.StatusInfo{Status: "skipped", Error: &store.ErrorInfo{Code: "OutOfScope", Reason: "out of scope"}}},
		{"no code", "odd", store.StatusInfo{Status: "failure", Error: &store.ErrorInfo{Reason: "odd"}}},
	} {
		if got := shortReason(&store.Entry{StatusInfo: tt.info}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	zone := time.FixedZone("X", 3600)
	for value, want := range map[string]time.Time{
		"":                     {},
		"24h":                  now.Add(-24 * time.Hour),
		"7d":                   now.Add(-7 * 24 * time.Hour),
		"2026-11-01":           time.Date(2026, 11, 1, 0, 0, 0, 0, zone),
		"2026-11-01 08:20":     time.Date(2026, 11, 1, 8, 20, 0, 0, zone),
		"2026-11-01T08:20:30":  time.Date(2026, 11, 1, 8, 20, 30, 0, zone),
		"2026-11-01T08:20:30Z": time.Date(2026, 11, 1, 8, 20, 30, 0, time.UTC),
	} {
		got, err := parseMoment("since", value, now, zone)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q: got %v, %v; want %v", value, got, err, want)
		}
	}
	for _, value := range []string{"yesterday", "2026-13-01", "-1h", "24"} {
		if got, err := parseMoment("since", value, now, zone); err == nil {
			t.Errorf("%q: got %v, want an error", value, got)
		} else if exitCode(err) != exitUsage {
			t.Errorf("%q: got exit code %d, want %d", value, exitCode(err), exitUsage)
		}
	}
}

func TestWriteEntraCSV(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	paths, err := writeEntraCSV(dir, []store.Entry{failedEntry()})
	if err != nil || len(paths) != 3 {
		t.Fatalf("got %v, %v; want three files", paths, err)
	}
	files := make([][][]string, len(paths))
	for i, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, %v; want 0600", path, info.Mode(), err)
		}
		if files[i], err = csv.NewReader(f).ReadAll(); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		_ = f.Close() // read only
	}
	if got, want := []int{len(files[0]), len(files[1]), len(files[2])}, []int{2, 3, 3}; !cmp.Equal(got, want) {
		t.Errorf("rows with header: got %v, want %v", got, want)
	}
	at := func(column string) string {
		for i, name := range files[0][0] {
			if name == column {
				return files[0][1][i]
			}
		}
		return "no such column"
	}
	for column, want := range map[string]string{
		"changeId": "91ab40f7", "status": "failure", "errorCode": "DuplicateTargetEntries", "activityDateTime": "2026-11-22T08:20:07Z",
		"sourceIdentityUserPrincipalName": "j.doe@contoso.com", "durationInMilliseconds": "410",
	} {
		if got := at(column); got != want {
			t.Errorf("%s: got %q, want %q", column, got, want)
		}
	}
	if got, want := files[2][1], []string{"91ab40f7", "displayName", "", "'=1+1"}; !cmp.Equal(got, want) {
		t.Errorf("modified property: got %q, want %q (a formula must be neutralised)", got, want)
	}
	if got, want := files[1][2], []string{"91ab40f7", "EntryMatch", "matching", "failure", "two users found", `{"count":"2"}`}; !cmp.Equal(got, want) {
		t.Errorf("step: got %q, want %q", got, want)
	}
}

func TestMonitorRecord(t *testing.T) {
	e := failedEntry()
	b, err := json.Marshal(monitorOf(&e))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for column, want := range map[string]any{
		"TimeGenerated": "2026-11-22T08:20:07Z", "ResultType": "failure", "ResultSignature": "DuplicateTargetEntries",
		"ResultDescription": `two users have mail "j.doe@contoso.com"`, "Action": "create", "JobId": "contoso-to-fabrikam", "CycleId": "6f3e", "ChangeId": "91ab40f7",
		"DurationMs": 410.0, "AADTenantId": "t",
	} {
		if got[column] != want {
			t.Errorf("%s: got %v, want %v", column, got[column], want)
		}
	}
	for _, column := range []string{"SourceIdentity", "TargetIdentity", "ServicePrincipal", "ModifiedProperties", "ProvisioningSteps"} {
		text, ok := got[column].(string)
		if !ok || !json.Valid([]byte(text)) {
			t.Errorf("%s: got %v, want JSON as text", column, got[column])
		}
	}
}

func TestExportsAreOneLineEach(t *testing.T) {
	entries := []store.Entry{failedEntry(), failedEntry()}
	for schema, want := range map[string]int{"json": 1, "ndjson": 2, "azure-monitor": 2} {
		var b strings.Builder
		if err := writeExport(&b, schema, entries); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("%s: got %d lines, want %d", schema, got, want)
		}
		for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: not JSON: %s", schema, line)
			}
		}
	}
}

func TestCompleteEntryLeavesNoNullLists(t *testing.T) {
	e := store.Entry{Steps: []store.Step{{}}}
	completeEntry(&e)
	empty := store.Entry{}
	completeEntry(&empty)
	for _, b := range []string{jsonText(e), jsonText(empty)} {
		for _, bad := range []string{`"details":null`, `"provisioningSteps":null`, `"modifiedProperties":null`} {
			if strings.Contains(b, bad) {
				t.Errorf("got %s in %s", bad, b)
			}
		}
	}
}
