package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planFile is what the file of a saved plan is read for here.
type planFile struct {
	Job     string `json:"job"`
	Changes []struct {
		Action string `json:"action"`
		Source struct {
			ID string `json:"id"`
		} `json:"source"`
	} `json:"changes"`
	Summary summary `json:"summary"`
}

// savePlan saves a plan of the lab's job and reads the file.
func (l *lab) savePlan(args ...string) (string, planFile) {
	l.t.Helper()
	path := filepath.Join(l.t.TempDir(), "today.plan")
	l.json(0, nil, append([]string{"plan", jobName, "--out", path}, args...)...)
	content, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	var p planFile
	if err := json.Unmarshal(content, &p); err != nil {
		l.t.Fatal(err)
	}
	return path, p
}

// With and without a daemon: what was shown is written, and nothing else is.
func TestApplyDoesWhatWasShownOrNothing(t *testing.T) {
	t.Parallel()
	for _, daemon := range []bool{false, true} {
		t.Run(fmt.Sprintf("daemon %v", daemon), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(team("user", 8)...), nil)
			if daemon {
				l.startDaemon()
			}
			path, p := l.savePlan()
			expectEqual(t, "changes", len(p.Changes), 8)
			if a := l.run("apply", path); a.exit != 64 || !strings.Contains(string(a.stderr), "--yes") {
				t.Errorf("without --yes: exit %d, want 64 and a word about --yes\n%s", a.exit, a.stderr)
			}
			var c cycle
			writes := l.during("target", func() { l.json(0, &c, "apply", path, "--yes") })
			expectEqual(t, "outcome", c.Outcome, "success")
			expectEqual(t, "summary", c.Summary, p.Summary)
			expectEqual(t, "writes", len(writes), 16)

			l.change("source", id("user01"), obj{"city": "Bern"})
			path, _ = l.savePlan()
			l.change("source", id("user02"), obj{"city": "Rome"})
			writes = l.during("target", func() {
				a := l.json(1, &c, "apply", path, "--yes")
				if text := string(a.stderr); !strings.Contains(text, "PlanChanged") || !strings.Contains(text, "+ update user02@") {
					t.Errorf("stderr: got %s, want it to name what differs", text)
				}
			})
			expectEqual(t, "writes of a plan that is void", len(writes), 0)
			path, p = l.savePlan()
			l.json(0, &c, "apply", path, "--yes")
			expectEqual(t, "summary", c.Summary, p.Summary)
			expectEqual(t, "city", l.copyOf("user02").text("city"), "Rome")
		})
	}
}

// §7, "A changed configuration": held until `sync --accept` or `apply`
func TestApplyLetsAChangedConfigurationThrough(t *testing.T) {
	t.Parallel()
	var all list
	for i := range 110 {
		all = append(all, staff(fmt.Sprintf("user%03d", i)))
	}
	l := newLab(t, obj{"users": all}, nil)
	l.sync(0, "success")
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "expression": `Append([displayName], " (Contoso)")`}}}))
	expectEqual(t, "summary", l.sync(5, "quarantine").Summary, summary{Held: 110})
	path, p := l.savePlan()
	expectEqual(t, "planned", p.Summary, summary{Update: 110})
	var c cycle
	l.json(0, &c, "apply", path, "--yes")
	expectEqual(t, "applied", c.Summary, summary{Update: 110})
	l.quarantine("")
}
