package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tenantsync/store"
)

// The program of the page on the audit verifies what an export holds, and finds a
// record that was changed.
func TestAuditRecipe(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("TENANTSYNC_FOREIGN") == "required" {
			t.Fatal(err)
		}
		t.Skip("python3 is not there, with which the page verifies an export")
	}
	program := ""
	for _, b := range readPage(t, "control.md").Blocks {
		if b.Lang == "text" && strings.HasPrefix(b.Text[0], "import ") {
			program = strings.Join(b.Text, "\n")
		}
	}
	at := time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)
	list := []store.Audit{
		{At: at, Actor: "anna", Via: "socket", Act: "sync", Outcome: "begun", Job: "j", Reason: "Grüße \"7\"", NewHash: "abc"},
		{At: at.Add(120 * time.Millisecond), Actor: "anna", Via: "socket", Act: "sync", Outcome: "failed", Of: 1, Job: "j",
			Details: map[string]string{"summary": strings.Repeat("x", 300), "error": "StateMoved", "Ö": "<&>", "z": ""}},
		{At: at.Add(time.Hour + 123456*time.Microsecond), Actor: "token desk", Via: "tcp", Act: "pause", Outcome: "begun", OldHash: "d"},
	}
	for i := range list {
		var before *store.Audit
		if i > 0 {
			before = &list[i-1]
		}
		list[i].Seal(before)
	}
	verify := func() (string, error) {
		var export bytes.Buffer
		for i := range list {
			if err := json.NewEncoder(&export).Encode(list[i]); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.CommandContext(t.Context(), python, "-c", program)
		cmd.Stdin = &export
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if got, err := verify(); err != nil || got != fmt.Sprintf("whole: 3:%s", list[2].Hash) {
		t.Errorf("got %q and error %v, want the hash %s", got, err, list[2].Hash)
	}
	list[1].Outcome = "done"
	if got, err := verify(); err == nil || got != "record 2 does not hold" {
		t.Errorf("with a record that was changed: got %q and error %v, want record 2 named", got, err)
	}
}
