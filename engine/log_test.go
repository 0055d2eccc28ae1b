package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
	"tenantsync/mapping"
	"tenantsync/store"
)

// effects is what a journal did to each target user, sorted: "create ID",
// "write ID", "delete ID", "restore ID". The update that completes an invitation
// belongs to the create; the invitation itself names no user.
func effects(journal []string) (changed []string, invitations int) {
	for _, line := range journal {
		method, rest, _ := strings.Cut(line, " ")
		path, _, _ := strings.Cut(rest, " ")
		parts := strings.Split(strings.Trim(path, "/"), "/")
		switch {
		case path == "/invitations":
			invitations++
		case method == "DELETE" && len(parts) == 2:
			changed = append(changed, "delete "+parts[1])
		case parts[0] == "directory":
			changed = append(changed, "restore "+parts[2])
		default:
			changed = append(changed, "write "+parts[1])
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed), invitations
}

func TestEveryWriteHasItsEntryAndEveryEntryItsWrite(t *testing.T) {
	story(t, func(w *world) {
		w.mixed()
		var journal []string
		last := w.log(store.LogQuery{Limit: 1})[0].Seq
		journal = w.journal(func() { w.sync(store.OutcomePartial) })
		entries := w.log(store.LogQuery{Follow: true, AfterSeq: last})
		written, invitations := effects(journal)
		var told []string
		creates, each := 0, map[string]int{}
		for _, e := range entries {
			each[e.SourceIdentity.ID+" "+e.Action+" "+steps(e)]++
			if e.StatusInfo.Status != "success" && e.StatusInfo.Status != "warning" {
				if len(e.Modified) > 0 && e.StatusInfo.Status != "failure" {
					t.Errorf("entry %s of %s: got modified properties %v, want none", e.Action, e.SourceIdentity.DisplayName, e.Modified)
				}
				continue
			}
			id := e.TargetIdentity.ID
			switch e.Action {
			case "create":
				creates++
				told = append(told, "write "+id)
			case "delete":
				told = append(told, "delete "+id)
			case "update", "disable":
				if slices.ContainsFunc(e.Modified, func(p store.Property) bool { return p.DisplayName == "IsSoftDeleted" }) {
					told = append(told, "restore "+id)
					if len(e.Modified) == 1 {
						continue
					}
				}
				if len(e.Modified) > 0 {
					told = append(told, "write "+id)
				}
			}
		}
		slices.Sort(told)
		told = slices.Compact(told)
		if diff := cmp.Diff(written, told); diff != "" {
			t.Errorf("effects (-journal +log):\n%s", diff)
		}
		if creates != invitations {
			t.Errorf("creates: got %d entries for %d invitations", creates, invitations)
		}
		for what, n := range each {
			if n > 1 {
				t.Errorf("entries for %s: got %d, want one for an object and action", what, n)
			}
		}
	})
}

// steps tells the reference pass, which has an entry of its own, from the rest.
func steps(e store.Entry) string {
	if len(e.Steps) > 0 && e.Steps[len(e.Steps)-1].Type == "referenceResolution" {
		return "manager"
	}
	return ""
}

func TestEntriesAreGraphsOwn(t *testing.T) {
	story(t, func(w *world) {
		w.mixed()
		r := w.sync(store.OutcomePartial)
		actions := []string{"other", "create", "delete", "disable", "update", "stagedDelete"}
		types := []string{"import", "scoping", "matching", "processing", "referenceResolution", "export"}
		for _, e := range w.log(store.LogQuery{}) {
			b, err := json.Marshal(e)
			w.must(err)
			var fields map[string]any
			w.must(json.Unmarshal(b, &fields))
			for _, name := range []string{"id", "activityDateTime", "tenantId", "jobId", "cycleId", "changeId", "provisioningAction", "durationInMilliseconds",
				"initiatedBy", "servicePrincipal", "sourceSystem", "targetSystem", "sourceIdentity", "targetIdentity",
				"provisioningStatusInfo", "provisioningSteps", "modifiedProperties"} {
				if v, ok := fields[name]; !ok || v == nil {
					t.Errorf("entry %s: got %s = %v, want it there", e.ID, name, v)
				}
			}
			if e.ID == "" || e.ChangeID == "" || e.JobID != jobName || e.TenantID != w.contoso.ID || e.SourceIdentity.ID == "" ||
				!slices.Contains(actions, e.Action) || e.ActivityDateTime.Location().String() != "UTC" {
				t.Errorf("entry: got %+v", e)
			}
			if len(e.Steps) == 0 {
				t.Errorf("entry %s of %s: got no step", e.Action, e.SourceIdentity.DisplayName)
			}
			for _, s := range e.Steps {
				if !slices.Contains(types, s.Type) || s.Name == "" || s.Status == "" {
					t.Errorf("step of %s: got %+v", e.SourceIdentity.DisplayName, s)
				}
			}
			if e.StatusInfo.Status != "success" && (e.StatusInfo.Error == nil || e.StatusInfo.Error.Code == "" || e.StatusInfo.Error.Reason == "" ||
				e.StatusInfo.Error.RecommendedAction == "") {
				t.Errorf("entry of %s: got %+v, want code, reason and what to do", e.SourceIdentity.DisplayName, e.StatusInfo)
			}
		}
		if got := w.log(store.LogQuery{Cycle: r.CycleID}); len(got) == 0 {
			t.Error("entries of the cycle: got none")
		}
	})
}

// A value of a mapping marked sensitive is to be found nowhere.
func TestSensitiveValuesAppearNowhere(t *testing.T) {
	story(t, func(w *world) {
		const secret = "TOPSECRET"
		expression := mapping.Mapping{Target: "companyName", Expression: `Append("` + "x" + `", [employeeId])`, Sensitive: true}
		w.mapped(defaultsWith(expression, mapping.Mapping{Target: "employeeId", Source: "employeeId", Sensitive: true})...)
		w.person(1, map[string]any{"employeeId": secret})
		w.person(2, map[string]any{"employeeId": secret + strings.Repeat("0", 40)}) // too long: refused
		w.guest(3, upn(3), map[string]any{"employeeId": secret + "OLD"})
		w.person(3, map[string]any{"employeeId": secret + "3"})
		show := func(what string, v any) {
			t.Helper()
			b, err := json.Marshal(v)
			w.must(err)
			if i := strings.Index(string(b), secret); i >= 0 {
				t.Errorf("%s shows a sensitive value: …%s…", what, b[max(0, i-120):min(len(b), i+40)])
			}
		}
		show("plan", w.plan(engine.PlanRequest{}))
		dry := w.provision(engine.ProvisionRequest{User: upn(1), DryRun: true})
		show("dry run", dry)
		for n := 1; n <= 3; n++ {
			show(fmt.Sprint("provision ", n), w.provision(engine.ProvisionRequest{User: upn(n)}))
		}
		r, err := w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		show("sync", r)
		w.update(w.contoso, userID(1), map[string]any{"employeeId": secret + "NEW"})
		show("plan of an update", w.plan(engine.PlanRequest{}))
		_, err = w.engine.Sync(w.Context(), engine.SyncRequest{Job: jobName}, nil)
		w.must(err)
		show("log", w.log(store.LogQuery{}))
		show("status", w.status())
		retries, err := w.engine.Retries(w.Context(), jobName)
		w.must(err)
		show("retries", retries)
		for n := 1; n <= 3; n++ {
			e, err := w.engine.Explain(w.Context(), upn(n), jobName)
			w.must(err)
			show("explain", e)
			s, err := w.engine.ScopeTest(w.Context(), upn(n), jobName)
			w.must(err)
			show("scope test", s)
		}
		if got := w.targetUser(1).String("employeeId"); got != secret+"NEW" {
			t.Errorf("employeeId in the target: got %q, want the value itself", got)
		}
	})
}
