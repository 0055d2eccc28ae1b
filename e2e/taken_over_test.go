package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entraTenant is a tenant file of a pair that Microsoft's own service keeps in sync.
func entraTenant(t *testing.T, name string) obj {
	t.Helper()
	return tenantObject(t, filepath.Join("..", "testdata", "entra", name+".json"))
}

func tenantObject(t *testing.T, path string) obj {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file obj
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

// entraJob is the synchronization job of the tenant file, with its schema.
func entraJob(file obj) obj {
	principal := file["servicePrincipals"].(list)[0].(obj)
	return principal["synchronization"].(obj)["jobs"].(list)[0].(obj)
}

// takeOver imports into a configuration of its own, which is used from then on.
func (l *lab) takeOver(args ...string) {
	l.t.Helper()
	out := filepath.Join(l.dir, "sim", "taken.yaml")
	if a := l.run(append(append([]string{"import"}, args...), "--source", "source", "--out", out)...); a.exit != 0 {
		l.t.Fatalf("import %q: exit %d\n%s%s", args, a.exit, a.stdout, a.stderr)
	}
	l.config = out
	l.json(0, nil, "config", "validate")
}

// adopts expects that a plan announces nothing, that the first cycle links so
// many users without a write, and that the next one asks the target nothing.
func (l *lab) adopts(users, skipped int) {
	l.t.Helper()
	before := l.section("target", "users")
	want := summary{Unchanged: users, Skipped: skipped}
	var plan struct{ Summary summary }
	l.json(0, &plan, "plan", jobName)
	expectEqual(l.t, "summary of the plan", plan.Summary, want)
	writes := l.during("target", func() {
		c := l.sync(0, "success")
		expectEqual(l.t, "cycle", c.Cycle, "initial")
		expectEqual(l.t, "summary", c.Summary, want)
		expectEqual(l.t, "writes by its own account", c.Graph.Writes, 0)
	})
	if len(writes) > 0 {
		l.t.Errorf("%d writes, want none; the first: %v", len(writes), writes[0])
	}
	expectEqual(l.t, "users of the target", l.section("target", "users"), before)
	var status struct {
		Jobs []struct{ InScope, Linked, Retries int }
	}
	l.json(0, &status, "status", jobName)
	if got := status.Jobs[0]; got.Linked != users || got.InScope != users || got.Retries != 0 {
		l.t.Errorf("status: got %d linked, %d in scope, %d retries, want %d, %[4]d and none", got.Linked, got.InScope, got.Retries, users)
	}
	l.counts("target")
	c := l.sync(0, "success")
	expectEqual(l.t, "second cycle", c.Summary, summary{})
	expectEqual(l.t, "requests to the target in the second cycle", l.counts("target").Requests, 0)
}

// A pair that Microsoft's own service synchronized, taken over as it is: members
// and one who was a guest before, redeemed and pending, disabled, without a mail,
// with one that is not the user principal name, a manager who stayed; beside them
// employees of the target, a guest from elsewhere, and one who was deleted.
func TestTakenOverFromEntra(t *testing.T) {
	t.Parallel()
	l := newLab(t, entraTenant(t, "contoso"), entraTenant(t, "fabrikam"))
	l.takeOver("entra")
	l.adopts(9, 1)

	// From now on it follows the source as before, managers and leavers included.
	members := l.section("source", "groups")[0]["members"].(list)
	group := l.section("source", "groups")[0]
	group["members"] = members[1:] // Anna leaves
	sam := "c0ffee06-0000-4000-8000-000000000006"
	l.put("source", obj{"groups": list{group}})
	l.change("source", sam, obj{"jobTitle": "Trainer"})
	writes := l.during("target", func() {
		expectEqual(t, "afterwards", l.sync(0, "success").Summary, summary{Update: 1, Delete: 1})
	})
	if len(writes) != 2 || writes[0].fields(t)["jobTitle"] != "Trainer" || writes[1].Method != "DELETE" || !strings.HasSuffix(writes[1].Path, "fab00000-0000-4000-8000-000000000001") {
		t.Errorf("writes afterwards: got %v, want Sam's title and Anna's deletion", writes)
	}
}

// The same from captures of both tenants without names: the import reads from the
// copy what it reads from the tenant, and the pair of copies is taken over as the
// pair itself.
func TestTakenOverFromACapture(t *testing.T) {
	t.Parallel()
	real := newLab(t, entraTenant(t, "contoso"), entraTenant(t, "fabrikam"))
	for _, name := range []string{"source", "target"} {
		real.run("capture", name, "-F", name+".captured", "--pseudonymize").exits(t, 0)
	}
	copied := newLab(t, readObject(t, filepath.Join(real.dir, "source.captured")), readObject(t, filepath.Join(real.dir, "target.captured")))
	want := real.run("import", "entra", "--tenant", "source", "-o", "json").exits(t, 0)
	got := copied.run("import", "entra", "--tenant", "source", "-o", "json").exits(t, 0)
	expectEqual(t, "imported from the copy", string(got.stdout), string(want.stdout))
	copied.takeOver("entra")
	copied.adopts(9, 1)
	nobodyNamed(t, entraTenant(t, "contoso"), filepath.Join(real.dir, "source.captured"), filepath.Join(real.dir, "target.captured"))
}

// check warns of the second writer while there is one.
func TestTakenOverCheckSeesTheOtherJob(t *testing.T) {
	t.Parallel()
	l := newLab(t, entraTenant(t, "contoso"), entraTenant(t, "fabrikam"))
	verdict := func() (status, text string) {
		t.Helper()
		var out struct {
			Checks []struct{ Tenant, Name, Status, Detail, Action string }
		}
		l.json(0, &out, "check", jobName)
		for _, c := range out.Checks {
			if c.Name == "other synchronization" {
				return c.Status, c.Detail + " " + c.Action
			}
		}
		t.Fatalf("no check of other synchronization among %+v", out.Checks)
		return "", ""
	}
	job := entraJob(entraTenant(t, "contoso"))
	status, text := verdict()
	expectEqual(t, "while it is active", status, "warning")
	for _, want := range []string{job["id"].(string), `"Fabrikam"`, "two writers fight", "Stop, not unassign", "deletes the users in target"} {
		if !strings.Contains(text, want) {
			t.Errorf("the warning lacks %q: %s", want, text)
		}
	}
	a := l.access["source"]
	l.put("source", obj{"applications": list{obj{"appId": a.clientID, "secret": a.secret,
		"roles": list{"User.Read.All", "Policy.Read.All", "Organization.Read.All", "Synchronization.ReadWrite.All", "Application.Read.All"}}}})
	delete(l.tokens, "source")
	principal := "/v1.0/servicePrincipals/5e7f1c00-0000-4000-8000-000000000001/synchronization/jobs/"
	if got := l.call("source", "POST", principal+job["id"].(string)+"/pause", nil, nil); got != 204 {
		t.Fatalf("pause: got status %d, want 204", got)
	}
	status, _ = verdict()
	expectEqual(t, "when it is stopped", status, "success")
	l.put("source", obj{"applications": list{obj{"appId": a.clientID, "secret": a.secret,
		"roles": list{"User.Read.All", "Policy.Read.All", "Organization.Read.All"}}}})
	status, text = verdict()
	expectEqual(t, "when the jobs may not be read", status, "skipped")
	if !strings.Contains(text, "Synchronization.Read.All") {
		t.Errorf("it does not say which permission lets it look: %s", text)
	}
}

// A real directory, synchronized by a first cycle, loses its state file and is
// taken over by the job that is imported from a schema.
func TestTakenOverCongress(t *testing.T) {
	t.Parallel()
	source := tenantObject(t, snapshots(t)[0])
	users := len(source["users"].(list))
	l := newLab(t, source, nil)
	first := l.sync(0, "success")
	expectEqual(t, "first cycle", first.Summary, summary{Create: users})
	l.forget()
	l.takeOver("file", l.write("schema.json", entraJob(entraTenant(t, "contoso"))["schema"]), "--all")
	l.adopts(users, 0)
}
