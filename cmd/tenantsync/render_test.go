package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/store"
)

func ptr(s string) *string { return &s }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// printed returns what a result looks like as plain text for people.
func printed(t *testing.T, r result) string {
	t.Helper()
	var b bytes.Buffer
	p := printer{w: &b, format: formatTable}
	if err := p.Print(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func samplePlan() *engine.PlanResult {
	return &engine.PlanResult{
		Job: "contoso-to-fabrikam", Cycle: "incremental", Source: "contoso.com", Target: "fabrikam.com",
		Since: time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC), InScope: 9406, Read: 12480, Linked: 9377, Writes: 62,
		Summary:   store.Summary{Create: 1, Update: 1, Delete: 1, Failed: 1, Unchanged: 9371},
		Threshold: engine.DeletionThreshold{Count: 4, Limit: 500, Percent: 10},
		Changes: []engine.Change{
			{Action: "fail", Source: engine.ChangeSource{ID: "4", UPN: "j.doe@contoso.com"}, Code: "DuplicateTargetEntries",
				Reason: `2 users in fabrikam.com have mail "j.doe@contoso.com"`, Advice: "give one another address, or change the match rule"},
			{Action: "none", Source: engine.ChangeSource{ID: "5", UPN: "same@contoso.com"}},
			{Action: "delete", Source: engine.ChangeSource{ID: "3", UPN: "tom.orr@contoso.com"}, Target: &engine.ChangeTarget{ID: "0be3d1c7-77a0"},
				Reason: `clause 1 of filter "Staff" is false`},
			{Action: "update", Source: engine.ChangeSource{ID: "2", UPN: "li.wei@contoso.com"}, Target: &engine.ChangeTarget{ID: "5f0c7a52-9d41"},
				Modified: []engine.ChangeProperty{{Name: "department", Old: ptr("Sales"), New: ptr("Finance\x1b[2J")},
					{Name: "manager", New: ptr("anna.berg@contoso.com"), Note: "resolved after the create above"},
					{Name: "salary", Old: ptr("(sensitive)"), New: ptr("(sensitive)")}}},
			{Action: "create", Source: engine.ChangeSource{ID: "1", UPN: "anna.berg@contoso.com"},
				Modified: []engine.ChangeProperty{{Name: "displayName", New: ptr("Berg, Anna"), From: `Join(", ", [surname], [givenName])`},
					{Name: "mail", New: ptr("anna.berg@contoso.com")}}},
		},
	}
}

// A share above its limit that holds nothing says why.
func TestPlanShareOfFewDeletions(t *testing.T) {
	for deletions, want := range map[int]string{
		2:  "2 of 500 (2.00 % of 100 linked; limit 10 %). The cycle",
		9:  "9 of 500 (9.00 % of 100 linked; limit 10 %). The cycle",
		12: "12 of 500 (12.00 % of 100 linked; limit 10 %). The",
	} {
		r := samplePlan()
		r.Linked, r.Threshold.Count = 100, deletions
		if got := printed(t, planResult(r, planShown, false)); !strings.Contains(got, want) {
			t.Errorf("%d of 100: got %q, want %q", deletions, got, want)
		}
	}
	r := samplePlan()
	r.Linked, r.Threshold.Count = 2, 1
	if got, want := printed(t, planResult(r, planShown, false)), "1 of 500 (50.00 % of 2 linked; limit 10 % from 10 deletions on). The cycle would run without approval."; !strings.Contains(got, want) {
		t.Errorf("1 of 2: got %q, want %q", got, want)
	}
}

func TestPlanAsText(t *testing.T) {
	r := samplePlan()
	arrange(r, nil, false)
	want := `Job contoso-to-fabrikam   contoso.com -> fabrikam.com   incremental since 2026-11-22 08:20 UTC
In scope 9,406 users, 12,480 changes read

  + create  anna.berg@contoso.com
      displayName        "Berg, Anna"          <- Join(", ", [surname], [givenName])
      mail               "anna.berg@contoso.com"
  ~ update  li.wei@contoso.com               -> 5f0c7a52-9d41
      department         "Sales" -> "Finance\u001b[2J"
      manager            (none) -> "anna.berg@contoso.com"   resolved after the create above
      salary             (sensitive) -> (sensitive)
  - delete  tom.orr@contoso.com              -> 0be3d1c7-77a0
      because            clause 1 of filter "Staff" is false
  ! fail    j.doe@contoso.com                DuplicateTargetEntries
      2 users in fabrikam.com have mail "j.doe@contoso.com": give one another address, or change the match rule

Plan: 1 to create, 1 to update, 0 to disable, 1 to delete, 9,371 unchanged, 1 would fail.
Deletion threshold: 4 of 500 (0.04 % of 9,377 linked; limit 10 %). The cycle would run without approval.
Requests: about 62 writes to fabrikam.com.
Nothing was written. To run the cycle: tenantsync sync contoso-to-fabrikam
`
	if diff := cmp.Diff(want, printed(t, planResult(r, planShown, false))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What somebody else changed in the target is marked where it is overwritten, and
// named where it is kept.
func TestPlanTellsOfDrift(t *testing.T) {
	r := samplePlan()
	for i := range r.Changes {
		if r.Changes[i].Action == "update" {
			r.Changes[i].Modified[0].Drift = true
		}
	}
	r.Kept = []engine.KeptInTarget{{Attributes: []string{"department", "companyName"}}, {Attributes: []string{"department"}}}
	got := printed(t, planResult(r, planShown, false))
	for _, want := range []string{
		`"Sales" -> "Finance\u001b[2J"       (changed in the target)` + "\n",
		"Changed in fabrikam.com by somebody else, and kept: companyName, department of 2 users.\n",
	} {
		if strings.Count(got, want) != 1 {
			t.Errorf("got %s\nwant once: %s", got, want)
		}
	}
}

func TestPlanSaysWhetherDeletionsWait(t *testing.T) {
	for _, c := range []struct {
		held    int
		changes *engine.HeldChanges
		want    string
	}{
		{0, nil, "The cycle would run without approval."},
		{1, nil, "1 deletion would wait for approval."},
		{107, &engine.HeldChanges{Count: 107}, "No deletion would be held."},
		{110, &engine.HeldChanges{Count: 107}, "3 deletions would wait for approval."},
	} {
		r := samplePlan()
		r.Summary.Held, r.HeldChanges = c.held, c.changes
		if got := heldSentence(r); got != c.want {
			t.Errorf("%d held, %+v: got %q, want %q", c.held, c.changes, got, c.want)
		}
	}
}

func TestPlanListsNoMoreThanAPersonReads(t *testing.T) {
	r := samplePlan()
	arrange(r, nil, false)
	got := printed(t, planResult(r, 1, false))
	if !strings.Contains(got, "anna.berg") || strings.Contains(got, "li.wei") || !strings.Contains(got, "… 3 more; all: --output ndjson") {
		t.Errorf("got\n%s\nwant the first change and that 3 more follow", got)
	}
}

func TestArrange(t *testing.T) {
	order := func(r *engine.PlanResult) (list []string) {
		for _, c := range r.Changes {
			list = append(list, c.Action)
		}
		return list
	}
	for name, c := range map[string]struct {
		only    []string
		verbose bool
		want    []string
	}{
		"everything that changes":  {nil, false, []string{"create", "update", "delete", "fail"}},
		"unchanged on request":     {nil, true, []string{"create", "update", "delete", "fail", "none"}},
		"chosen actions":           {[]string{"fail", "create"}, false, []string{"create", "fail"}},
		"unchanged when asked for": {[]string{"none"}, false, []string{"none"}},
	} {
		r := samplePlan()
		arrange(r, c.only, c.verbose)
		if diff := cmp.Diff(c.want, order(r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, change := range r.Changes {
			if change.Modified == nil {
				t.Errorf("%s: modifiedProperties of %s would be null in JSON", name, change.Action)
			}
		}
	}
}

func TestProvisionAsText(t *testing.T) {
	r := &engine.ProvisionResult{Job: "contoso-to-fabrikam", ChangeID: "4d0f8c1e-1", Status: "failure", SourceName: "contoso.com", TargetName: "fabrikam.com",
		Code: "ForeignIdentity", Reason: "the guest belongs to google.com", Advice: "remove that guest", DurationMS: 2500, DryRun: false,
		Steps: []engine.ProvisionStep{
			{Name: "Import user", Type: "import", Status: "success", DurationMS: 212, Description: "17 attributes read"},
			{Name: "Match user between source and target", Type: "matching", Status: "failure", DurationMS: 340,
				Details: map[string]string{"mail": "anna", "otherMails": "none"}},
		}}
	want := `Provision on demand   contoso.com -> fabrikam.com   job contoso-to-fabrikam

1 Import user                                    success    212 ms
    17 attributes read
2 Match user between source and target           failure    340 ms
    mail         anna
    otherMails   none

Failed: ForeignIdentity
Why:   the guest belongs to google.com.
Do:    remove that guest
Done in 2.5 s. Change 4d0f8c1e-1   details: tenantsync logs show 4d0f8c1e-1
`
	if diff := cmp.Diff(want, printed(t, provisionResult(r, false))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.DryRun = true
	if got := printed(t, provisionResult(r, false)); !strings.Contains(got, "dry run, nothing is written") || strings.Contains(got, "logs show") {
		t.Errorf("dry run: got\n%s\nwant it to say so in its heading and to name no change", got)
	}
}

func TestStatusAsText(t *testing.T) {
	today, later := noon.Add(-3*time.Hour), noon.Add(48*time.Hour)
	list := []engine.JobStatus{
		{Name: "contoso-to-fabrikam", State: "Active", InScope: 9406, Enabled: true, NextStart: &today,
			Running: &engine.Progress{Cycle: "incremental", Phase: "writing", Done: 63, Total: 100, StartedAt: noon.Add(-130 * time.Second),
				Summary: store.Summary{Create: 12, Update: 21}}},
		{Name: "contoso-to-northwind", State: "Quarantine", InScope: 2118, Held: 612, Enabled: true, NextStart: &later,
			Quarantine: &engine.Quarantine{Reason: "TooManyDeletes", Message: "612 deletions are above the threshold of 500", Since: today},
			LastCycle:  &engine.CycleInfo{Cycle: "incremental", Outcome: store.OutcomeQuarantine, Summary: store.Summary{Update: 4}, EndedAt: today}},
		{Name: "new", State: "NotRun", SkippedStarts: 3},
	}
	want := `JOB                   STATE       CYCLE                            IN SCOPE  CREATED  UPDATED   DELETED  FAILED  NEXT (UTC)
contoso-to-fabrikam   Active      incremental 63 %  2:10              9,406       12       21         0       0  09:00
contoso-to-northwind  Quarantine  TooManyDeletes 2026-11-22 09:00     2,118        0        4  held 612       0  2026-11-24 12:00
new                   NotRun      none                                    0        0        0         0       0  disabled
! contoso-to-northwind: TooManyDeletes: 612 deletions are above the threshold of 500. Review: tenantsync deletions list contoso-to-northwind
! new lags: the last cycle by schedule ran into 3 further starts, left out. A longer interval, or more writesPerSecond, ends that.
`
	if diff := cmp.Diff(want, printed(t, statusResult(list, noon, true, formatTable))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a reload refused is the daemon's, not a job's: it is said once.
func TestStatusTellsARefusedConfiguration(t *testing.T) {
	for _, x := range []struct {
		name    string
		refused engine.ConfigurationRefused
		want    string
	}{
		{"one mistake", engine.ConfigurationRefused{At: noon, Message: `config.yaml:3:5: unknown key "tenant".`, Action: "write tenants"},
			`! The daemon refused the configuration at 2026-11-22 12:00 and goes on with the one before: config.yaml:3:5: unknown key "tenant". Write tenants, then reload again.`},
		{"several", engine.ConfigurationRefused{At: noon, Message: "config.yaml:3:5: no.", Action: "write yes", More: 2},
			`! The daemon refused the configuration at 2026-11-22 12:00 and goes on with the one before: config.yaml:3:5: no. And 2 further problems. See tenantsync config validate, then reload again.`},
	} {
		list := []engine.JobStatus{{Name: "a", ConfigurationRefused: &x.refused}, {Name: "b", ConfigurationRefused: &x.refused}}
		got := printed(t, statusResult(list, noon, true, formatTable))
		if n := strings.Count(got, x.want+"\n"); n != 1 {
			t.Errorf("%s: got %d times in\n%s\nwant once:\n%s", x.name, n, got, x.want)
		}
	}
}

// Programs get digits, a moment or nothing as the next start, and whether it is past.
func TestStatusAsCSV(t *testing.T) {
	past := noon.Add(-3 * time.Hour)
	list := []engine.JobStatus{
		{Name: "late", State: "Active", InScope: 9406, Held: 1612, Enabled: true, NextStart: &past,
			LastCycle: &engine.CycleInfo{Cycle: "incremental", Outcome: store.OutcomeSuccess, Summary: store.Summary{Delete: 1204}, EndedAt: past}},
		{Name: "idle", State: "Paused", NextStart: &past},
		{Name: "new", State: "NotRun", Enabled: true},
	}
	want := "name,inScope,deleted,held,next,due,enabled\r\n" +
		"late,9406,1204,1612,2026-11-22T09:00:00Z,true,true\r\n" +
		"idle,0,0,0,,false,false\r\n" +
		"new,0,0,0,,false,true\r\n"
	var b bytes.Buffer
	p := printer{w: &b, format: formatCSV, columns: []string{"name", "inScope", "deleted", "held", "next", "due", "enabled"}}
	if err := p.Print(statusResult(list, noon, true, formatCSV)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestProgressText(t *testing.T) {
	for name, c := range map[string]struct {
		p    engine.Progress
		want string
	}{
		"known total":   {engine.Progress{Phase: "writing", Done: 12480, Total: 20000, StartedAt: noon.Add(-80 * time.Second)}, "writing 12,480 of 20,000 (62 %), 1m20s"},
		"unknown total": {engine.Progress{Phase: "reading contoso.com", Done: 999}, "reading contoso.com 999"},
		"just begun":    {engine.Progress{Phase: "evaluating"}, "evaluating"},
	} {
		if got := progressText(c.p, noon); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestPlainProgressIsALineEvery30Seconds(t *testing.T) {
	now := noon
	for name, c := range map[string]struct {
		format outputFormat
		want   string
	}{
		"text": {formatTable, "a: writing 31\na: writing 61\n"},
		"json": {formatJSON, `{"level":"info","ts":"2026-11-22T12:00:31Z","msg":"a: writing 31"}` + "\n" +
			`{"level":"info","ts":"2026-11-22T12:01:01Z","msg":"a: writing 61"}` + "\n"},
	} {
		now = noon
		var b bytes.Buffer
		env := newEnvironment(nil, nil, nil, &b, func(string) (string, bool) { return "", false })
		env.now = func() time.Time { return now }
		env.options.Output = c.format
		show := env.progress()
		for i := range 75 {
			now = noon.Add(time.Duration(i) * time.Second)
			show.Report(engine.Progress{Job: "a", Phase: "writing", Done: i})
			if i == 30 {
				continue
			}
		}
		show.Stop()
		want := strings.NewReplacer("31", "30", "61", "60", "01:01Z", "01:00Z").Replace(c.want)
		if b.String() != want {
			t.Errorf("%s: got\n%swant\n%s", name, b.String(), want)
		}
	}
}

func TestQuietShowsNoProgress(t *testing.T) {
	for _, o := range []globalOptions{{Quiet: true}, {NoProgress: true}} {
		var b bytes.Buffer
		now := noon
		env := newEnvironment(nil, nil, nil, &b, func(string) (string, bool) { return "", false })
		env.now = func() time.Time { return now }
		env.options = o
		show := env.progress()
		now = noon.Add(time.Hour)
		show.Report(engine.Progress{Phase: "writing"})
		show.Stop()
		if b.Len() > 0 {
			t.Errorf("%+v: got %q, want nothing", o, b.String())
		}
	}
}

func TestBarsEndWhetherOrNotTheyEverMoved(t *testing.T) {
	for _, reports := range []int{0, 5} {
		var b bytes.Buffer
		env := newEnvironment(nil, nil, nil, &b, func(string) (string, bool) { return "", false })
		show := newBars(env)
		for i := range reports {
			show.Report(engine.Progress{Phase: "reading contoso.com", Done: i, Total: reports})
		}
		show.Stop()
		show.Stop()
		show.Report(engine.Progress{Phase: "late"})
		if got := b.String(); (reports > 0) != strings.Contains(got, "Reading contoso.com") || strings.Contains(got, "late") {
			t.Errorf("%d reports: got %q", reports, got)
		}
	}
}

func TestConfirmWithoutATerminalNeedsYes(t *testing.T) {
	env := newEnvironment(nil, strings.NewReader("y\n"), nil, &bytes.Buffer{}, func(string) (string, bool) { return "", false })
	if got := exitCode(env.confirm(t.Context(), "Delete?")); got != exitUsage {
		t.Errorf("without --yes: got exit code %d, want %d", got, exitUsage)
	}
	env.options.Yes = true
	if err := env.confirm(t.Context(), "Delete?"); err != nil {
		t.Errorf("with --yes: got %v, want nil", err)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 340 * time.Millisecond: "340 ms", 1900 * time.Millisecond: "1.9 s", 130 * time.Second: "2:10",
		3*time.Hour + 5*time.Minute + 7*time.Second: "3:05:07", -time.Second: "0 ms",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v): got %q, want %q", d, got, want)
		}
	}
}
