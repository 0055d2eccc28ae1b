package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The run on a real directory: seven snapshots of the same organization over
// twelve years are loaded into a simulated source one after the other, and two
// jobs carry each into their targets. After every cycle both targets must equal
// the mapping of the source, user by user.

// chambersJob takes everybody; committeesJob the members of four committees and
// their subcommittees.
const (
	chambersJob   = "capitol-to-archive"
	committeesJob = "capitol-to-senate"
)

var committees = []string{
	"Senate Committee on Appropriations", "Senate Committee on Finance",
	"Senate Committee on Banking, Housing, and Urban Affairs", "Senate Select Committee on Intelligence",
}

// direct are the default mappings that copy.
var direct = []string{"accountEnabled", "streetAddress", "city", "state", "postalCode", "country", "department", "employeeId",
	"displayName", "givenName", "jobTitle", "officeLocation", "preferredLanguage", "surname", "businessPhones", "mail"}

type tenantFile struct {
	Users []map[string]any `json:"users"`
	Group []struct {
		ID          string   `json:"id"`
		DisplayName string   `json:"displayName"`
		Members     []string `json:"members"`
	} `json:"groups"`
}

// snapshots returns the files of the run in time order, or ends the test.
func snapshots(t *testing.T) []string {
	t.Helper()
	shared := os.Getenv("TENANTSYNC_SHARED")
	named := shared != ""
	if !named {
		shared = filepath.Join("..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(shared, "data", "congress", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 2 && named {
		t.Fatalf("TENANTSYNC_SHARED is %s, which has no data/congress", shared)
	}
	if len(files) < 2 {
		t.Skipf("the data of this run is not part of the repository, and %s is not there: not run", filepath.Join(shared, "data", "congress"))
	}
	slices.Sort(files)
	for i := range files {
		if files[i], err = filepath.Abs(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func readTenantFile(t *testing.T, raw []byte) tenantFile {
	t.Helper()
	var f tenantFile
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatalf("tenant file: %v", err)
	}
	return f
}

// within returns the users of some groups and of the groups inside them.
func within(f tenantFile, names []string) map[string]bool {
	members := map[string][]string{}
	var open []string
	for _, g := range f.Group {
		members[g.ID] = g.Members
		if slices.Contains(names, g.DisplayName) {
			open = append(open, g.ID)
		}
	}
	found, seen := map[string]bool{}, map[string]bool{}
	for len(open) > 0 {
		id := open[0]
		open = open[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		for _, m := range members[id] {
			if _, group := members[m]; group {
				open = append(open, m)
			} else {
				found[m] = true
			}
		}
	}
	return found
}

// flat makes values of two tenants comparable: what is empty is absent.
func flat(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case []any:
		if len(x) == 0 {
			return ""
		}
	}
	raw, _ := json.Marshal(v)
	return strings.Trim(string(raw), `"`)
}

func employee(u map[string]any) string { return flat(u["employeeId"]) }

func managerOf(u map[string]any) string {
	m, _ := u["manager"].(map[string]any)
	id, _ := m["id"].(string)
	return id
}

// compare reports where a target is not the mapping of the source, and returns
// the target's ids by employee.
func compare(t *testing.T, where string, source tenantFile, inScope func(id string) bool, target tenantFile) map[string]string {
	t.Helper()
	ids, got, active := map[string]string{}, map[string]map[string]any{}, map[string]bool{}
	for _, u := range target.Users {
		if got[employee(u)] != nil {
			t.Errorf("%s: two target users have employeeId %q", where, employee(u))
		}
		got[employee(u)] = u
		ids[employee(u)], _ = u["id"].(string)
		active[ids[employee(u)]] = true
	}
	sourceID := map[string]string{} // id → employee
	for _, u := range source.Users {
		sourceID[u["id"].(string)] = employee(u)
	}
	wanted := 0
	for _, u := range source.Users {
		id := u["id"].(string)
		if !inScope(id) {
			continue
		}
		wanted++
		have := got[employee(u)]
		if have == nil {
			t.Errorf("%s: %v is missing in the target", where, u["userPrincipalName"])
			continue
		}
		for _, name := range direct {
			// A cleared source value does not clear the target (flowNull is off), so only values are compared.
			if want := flat(u[name]); want != "" && flat(have[name]) != want {
				t.Errorf("%s: %v: %s is %s, want %s", where, u["userPrincipalName"], name, flat(have[name]), want)
			}
		}
		if flat(have["userType"]) != "Member" || flat(have["showInAddressList"]) != "true" {
			t.Errorf("%s: %v: userType %v, showInAddressList %v, want Member, true", where, u["userPrincipalName"], have["userType"], have["showInAddressList"])
		}
		wantManager := ""
		if m := managerOf(u); m != "" && inScope(m) {
			wantManager = ids[sourceID[m]]
		}
		haveManager := managerOf(have)
		if !active[haveManager] {
			haveManager = "" // a reference to a soft-deleted user is not there for anybody who asks
		}
		if haveManager != wantManager {
			t.Errorf("%s: %v: manager is %q, want %q", where, u["userPrincipalName"], haveManager, wantManager)
		}
	}
	if wanted != len(target.Users) {
		t.Errorf("%s: %d users in the target, want %d", where, len(target.Users), wanted)
	}
	return ids
}

// cycleRow is what one cycle did, as the page shows it.
type cycleRow struct {
	Summary struct{ Create, Update, Disable, Delete, Restore, Unchanged, Failed, Held int }
	Graph   struct{ Requests, Writes int }
	Cycle   string
}

// sync runs a cycle and, if it held deletions, allows and counts them.
func (s *session) sync(job string) (row cycleRow, allowed int) {
	s.t.Helper()
	out, exit := s.run("tenantsync sync " + job + " -o json 2>sync.err")
	if exit != 0 && exit != 5 {
		raw, _ := os.ReadFile(filepath.Join(s.dir, "sync.err"))
		s.t.Fatalf("sync %s: exit %d\n%s%s", job, exit, out, raw)
	}
	if err := json.Unmarshal([]byte(out), &row); err != nil {
		s.t.Fatalf("sync %s: %v\n%s", job, err, out)
	}
	if (row.Summary.Held > 0) != (exit == 5) {
		s.t.Errorf("sync %s: exit %d with %d held", job, exit, row.Summary.Held)
	}
	if row.Summary.Held == 0 {
		return row, 0
	}
	if out, exit := s.run("tenantsync deletions allow " + job + " --all --yes"); exit != 0 {
		s.t.Fatalf("deletions allow %s: exit %d\n%s", job, exit, out)
	}
	return row, row.Summary.Held
}

func TestCongressOverTwelveYears(t *testing.T) {
	files := snapshots(t)
	s := newSession(t)
	s.start("tenantsync simulate --tenant capitol=" + files[0] + " --tenant archive --tenant senate --config-out sim")
	s.env = append(s.env, "TENANTSYNC_CONFIG=sim/config.yaml")
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	s.congressJobs(readTenantFile(t, raw))

	var table strings.Builder
	table.WriteString("| Day | Job | Cycle | Created | Restored | Updated | Failed at first | Held, then deleted | Deleted at once | Unchanged | Requests | Writes |\n" +
		"|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	known := map[string]map[string]string{chambersJob: {}, committeesJob: {}}
	for i, file := range files {
		if i > 0 {
			if out, exit := s.run("tenantsync simulate load -c sim/config.yaml capitol " + file); exit != 0 {
				t.Fatalf("load %s: exit %d\n%s", file, exit, out)
			}
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source := readTenantFile(t, raw)
		inCommittees := within(source, committees)
		day := strings.TrimSuffix(filepath.Base(file), ".json")
		for _, job := range []string{chambersJob, committeesJob} {
			row, allowed := s.sync(job)
			// An update may wait for a value that a held user still has; allowing the deletion lets it through.
			if row.Summary.Failed > 0 && allowed == 0 {
				log, _ := s.run("tenantsync logs --status failure --limit 3 -o json")
				t.Errorf("%s %s: %d failed\n%s", day, job, row.Summary.Failed, log)
			}
			fmt.Fprintf(&table, "| %s | %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %d |\n", day, job, row.Cycle, row.Summary.Create, row.Summary.Restore,
				row.Summary.Update, row.Summary.Failed, allowed, row.Summary.Delete, row.Summary.Unchanged, row.Graph.Requests, row.Graph.Writes)
			dump, exit := s.run("tenantsync simulate dump -c sim/config.yaml " + strings.TrimPrefix(job, "capitol-to-"))
			if exit != 0 {
				t.Fatalf("dump: exit %d\n%s", exit, dump)
			}
			inScope := func(id string) bool { return job == chambersJob || inCommittees[id] }
			ids := compare(t, day+" "+job, source, inScope, readTenantFile(t, []byte(dump)))
			for who, id := range ids {
				if before, ok := known[job][who]; ok && before != id {
					t.Errorf("%s %s: %s has target id %s, had %s", day, job, who, id, before)
				}
			}
			maps.Copy(known[job], ids)
			out, _ := s.run("tenantsync retries list " + job + " -o json")
			var waiting struct{ Retries []any }
			if err := json.Unmarshal([]byte(out), &waiting); err != nil || len(waiting.Retries) > 0 {
				t.Errorf("%s %s: retries are waiting (%v), want none:\n%s", day, job, err, out)
			}
			if again, held := s.sync(job); again.Graph.Writes != 0 || held != 0 {
				t.Errorf("%s %s: a second cycle sent %d writes, want none", day, job, again.Graph.Writes)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	page := readPage(t, "worked-example-congress.md").Text
	checkTable(t, "worked-example-congress.md", nearFigures(table.String(), page))
}

// nearFigures takes the page's Requests and Writes for each row where the
// measured ones are within a fifth of them: they tell how batches filled, not
// what happened to whom. With -update the measured ones stay.
func nearFigures(table, page string) string {
	if *update {
		return table
	}
	const figures = 2 // the last cells of a row
	key := func(cells []string) string { return cells[0] + cells[1] }
	shown := map[string][]string{}
	for line := range strings.SplitSeq(page, "\n") {
		if cells := strings.Split(strings.TrimSuffix(line, " |"), " | "); len(cells) > 2+figures {
			shown[key(cells)] = cells[len(cells)-figures:]
		}
	}
	lines := strings.Split(table, "\n")
	for i, line := range lines {
		cells := strings.Split(strings.TrimSuffix(line, " |"), " | ")
		if len(cells) <= 2+figures || shown[key(cells)] == nil {
			continue
		}
		for j, was := range shown[key(cells)] {
			at := len(cells) - figures + j
			before, _ := strconv.Atoi(was)
			if now, err := strconv.Atoi(cells[at]); err == nil && max(before-now, now-before)*5 <= before {
				cells[at] = was
			}
		}
		lines[i] = strings.Join(cells, " | ") + " |"
	}
	return strings.Join(lines, "\n")
}

// congressJobs replaces the jobs of the simulator's configuration.
func (s *session) congressJobs(source tenantFile) {
	s.t.Helper()
	var groups []string
	for _, g := range source.Group {
		if slices.Contains(committees, g.DisplayName) {
			groups = append(groups, g.ID)
		}
	}
	if len(groups) != len(committees) {
		s.t.Fatalf("found %d of the %d committees", len(groups), len(committees))
	}
	path := filepath.Join(s.dir, "sim", "config.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	head, tail, ok := strings.Cut(string(raw), "\njobs:")
	if !ok {
		s.t.Fatalf("no jobs in %s", raw)
	}
	rest := ""
	for _, key := range []string{"\nstore:", "\ncontrol:", "\nlogs:"} {
		if i := strings.Index(tail, key); i >= 0 && (rest == "" || i < strings.Index(tail, rest)) {
			rest = tail[i:]
		}
	}
	jobs := fmt.Sprintf(`
jobs:
  - name: %s
    source: capitol
    target: archive
    scope: {mode: all}
    deletions: {threshold: 50, percent: 0}
    limits: {writesPerSecond: 1000}
  - name: %s
    source: capitol
    target: senate
    scope: {mode: assigned, groups: [%s], nestedGroups: true}
    limits: {writesPerSecond: 1000}
`, chambersJob, committeesJob, strings.Join(groups, ", "))
	if err := os.WriteFile(path, []byte(head+jobs+rest), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
