package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// obj is a JSON object as a test writes or reads it.
type obj = map[string]any

// list is a JSON array.
type list = []any

// The ids of the two tenants that every lab has.
const (
	sourceTenant = "11111111-1111-4111-8111-111111111111"
	targetTenant = "22222222-2222-4222-8222-222222222222"
)

// lab is a simulator with the tenants "source" (contoso.example) and "target"
// (fabrikam.example), perhaps more, and a configuration that the test writes.
type lab struct {
	t      *testing.T
	dir    string
	config string
	head   string // version and tenants, as simulate wrote them
	graph  string
	root   string // scheme, host and port of the simulator
	http   *http.Client
	access map[string]access
	tokens map[string]string
	daemon *process

	simulator *process
}

// access is what the configuration has for a tenant.
type access struct{ tenantID, clientID, secret string }

// newLab simulates the two tenants with these users in the source, and whatever
// other sections the files give. The job is the default one: see jobWith.
func newLab(t *testing.T, source, target obj, more ...string) *lab {
	t.Helper()
	// Short, because the path of a unix socket is limited to about a hundred bytes.
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l := &lab{t: t, dir: dir, access: map[string]access{}, tokens: map[string]string{}}
	l.http = &http.Client{Timeout: limit, Transport: &http.Transport{
		// The simulator is a process of this test.
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: 4,
	}}
	t.Cleanup(l.http.CloseIdleConnections)
	args := []string{"simulate", "--config-out", "sim",
		"--tenant", "source=" + l.write("source.json", tenantOf(sourceTenant, "contoso", source)),
		"--tenant", "target=" + l.write("target.json", tenantOf(targetTenant, "fabrikam", target))}
	l.simulate(append(args, more...))
	l.configure(jobWith(nil))
	return l
}

// tenantOf completes a tenant file by the organization.
func tenantOf(id, name string, file obj) obj {
	full := obj{"organization": obj{"id": id, "displayName": name, "verifiedDomains": list{
		obj{"name": name + ".onmicrosoft.com", "isInitial": true}, obj{"name": name + ".example", "isDefault": true}}}}
	maps.Copy(full, file)
	return full
}

// simulate starts the simulator and reads what it wrote.
func (l *lab) simulate(args []string) {
	l.t.Helper()
	p := launch(l.t, l.dir, args...)
	l.simulator = p
	p.until("ready", func() bool { return bytes.Contains(p.stdout.Bytes(), []byte("\n")) })
	var ready struct {
		Ready            bool
		Graph, Authority string
		Config           string
	}
	if err := json.Unmarshal(p.stdout.Bytes(), &ready); err != nil || !ready.Ready {
		l.t.Fatalf("simulate printed %s (%v), want one line of JSON with ready: true", p.stdout.Bytes(), err)
	}
	l.graph, l.root, l.config = ready.Graph, ready.Authority, ready.Config
	raw, err := os.ReadFile(ready.Config)
	if err != nil {
		l.t.Fatal(err)
	}
	head, _, found := strings.Cut(string(raw), "\njobs:")
	if !found {
		l.t.Fatalf("%s has no jobs:\n%s", ready.Config, raw)
	}
	l.head = head + "\n"
	var name string
	for line := range strings.SplitSeq(head, "\n") {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		a := l.access[name]
		switch {
		case strings.HasPrefix(line, "  ") && line[2] != ' ':
			name = key
			secret, err := os.ReadFile(filepath.Join(l.dir, "sim", name+".secret"))
			if err != nil {
				l.t.Fatal(err)
			}
			l.access[name] = access{secret: strings.TrimSpace(string(secret))}
			continue
		case key == "tenantId":
			a.tenantID = strings.TrimSpace(value)
		case key == "clientId":
			a.clientID = strings.TrimSpace(value)
		default:
			continue
		}
		l.access[name] = a
	}
}

// write puts a JSON file into the lab's folder and returns its path.
func (l *lab) write(name string, v any) string {
	l.t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		l.t.Fatal(err)
	}
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// jobName is the job that most tests look at.
const jobName = "source-to-target"

// jobWith is a job over everybody from source to target, with these keys changed; a
// nil value takes a key away.
func jobWith(edit obj) obj {
	j := obj{"name": jobName, "source": "source", "target": "target", "scope": obj{"mode": "all"}, "limits": obj{"writesPerSecond": 1000}}
	maps.Copy(j, edit)
	maps.DeleteFunc(j, func(_ string, v any) bool { return v == nil })
	return j
}

// configure writes the configuration with these jobs. JSON is YAML.
func (l *lab) configure(jobs ...obj) {
	l.t.Helper()
	raw, err := json.Marshal(jobs)
	if err != nil {
		l.t.Fatal(err)
	}
	l.configureText(l.head + "jobs: " + string(raw) + "\n")
}

// configureText writes the configuration as it is, completed by the state file.
func (l *lab) configureText(text string) {
	l.t.Helper()
	text += "store: {kind: bolt, path: state.db}\ncontrol: {listen: \"unix:control.sock\"}\n"
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// run runs a command to its end.
func (l *lab) run(args ...string) answer {
	l.t.Helper()
	return launch(l.t, l.dir, append([]string{"-c", l.config}, args...)...).wait()
}

// json runs a command that has to end with this exit code and decodes what it
// printed; v may be nil.
func (l *lab) json(exit int, v any, args ...string) answer {
	l.t.Helper()
	a := l.run(append(args, "-o", "json")...)
	if a.exit != exit {
		l.t.Fatalf("tenantsync %q: exit %d, want %d\nstdout: %s\nstderr: %s", args, a.exit, exit, a.stdout, a.stderr)
	}
	if v != nil {
		a.into(l.t, v)
	}
	return a
}

// sync runs one cycle of the job that has to end like this.
func (l *lab) sync(exit int, outcome string, args ...string) cycle {
	l.t.Helper()
	return l.syncJob(jobName, exit, outcome, args...)
}

func (l *lab) syncJob(name string, exit int, outcome string, args ...string) cycle {
	l.t.Helper()
	var c cycle
	a := l.json(exit, &c, append([]string{"sync", name}, args...)...)
	if c.Outcome != outcome {
		l.t.Fatalf("sync %s %q: outcome %s, want %s\n%s\n%s", name, args, c.Outcome, outcome, a.stdout, a.stderr)
	}
	c.Exit = a.exit
	return c
}

// startDaemon lets the commands after it go through a daemon.
func (l *lab) startDaemon() {
	l.t.Helper()
	socket := filepath.Join(l.dir, "sim", "control.sock")
	l.daemon = launch(l.t, l.dir, "-c", l.config, "run")
	l.daemon.until("answering", func() bool {
		_, err := os.Stat(socket)
		return err == nil && l.run("status").exit != 6
	})
}

// stopDaemon ends the daemon as an administrator would.
func (l *lab) stopDaemon() {
	l.t.Helper()
	l.daemon.stop()
	l.daemon = nil
}

// token signs in to a tenant with its own credential.
func (l *lab) token(tenant string) string {
	l.t.Helper()
	if l.tokens[tenant] != "" {
		return l.tokens[tenant]
	}
	a, ok := l.access[tenant]
	if !ok {
		l.t.Fatalf("the lab has no tenant %q", tenant)
	}
	resp, err := l.http.PostForm(l.root+"/"+a.tenantID+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {a.clientID}, "client_secret": {a.secret}, "scope": {l.root + "/.default"}})
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close() // read to its end
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		l.t.Fatalf("token of %s: %s (%v)", tenant, resp.Status, err)
	}
	l.tokens[tenant] = answer.AccessToken
	return answer.AccessToken
}

// call sends one request to the simulator with the tenant's token: below /v1.0
// to its Graph, below /simulation to the administrators' door. It returns the
// status, and decodes the answer into v unless that is nil.
func (l *lab) call(tenant, method, path string, body, v any) int {
	l.t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			l.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.root+path, content)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+l.token(tenant))
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.http.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close() // read to its end
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(raw, v); err != nil {
			l.t.Fatalf("%s %s: %s: %v\n%s", method, path, resp.Status, err, raw)
		}
	}
	return resp.StatusCode
}

// door is call at the administrators' door; anything but success is fatal.
func (l *lab) door(tenant, method, what string, body, v any) {
	l.t.Helper()
	if status := l.call(tenant, method, "/simulation/"+what, body, v); status >= 300 {
		l.t.Fatalf("%s /simulation/%s of %s: status %d", method, what, tenant, status)
	}
}

// state is a tenant's present state.
func (l *lab) state(tenant string) obj {
	l.t.Helper()
	var file obj
	l.door(tenant, "GET", "tenant", nil, &file)
	return file
}

// put brings a tenant to the state of a file.
func (l *lab) put(tenant string, file obj) {
	l.t.Helper()
	l.door(tenant, "PUT", "tenant", file, nil)
}

// section is the objects of one section of a tenant's state.
func (l *lab) section(tenant, name string) []user {
	l.t.Helper()
	found, _ := l.state(tenant)[name].(list)
	objects := make([]user, len(found))
	for i, o := range found {
		objects[i] = o.(obj)
	}
	return objects
}

// user is one user of a tenant, nil when there is none of that id.
func (l *lab) user(tenant, id string) user {
	l.t.Helper()
	for _, u := range l.section(tenant, "users") {
		if u.id() == id {
			return u
		}
	}
	return nil
}

// edit lets the administrators of a tenant change one of its sections.
func (l *lab) edit(tenant, name string, change func([]user) []user) {
	l.t.Helper()
	l.put(tenant, obj{name: change(l.section(tenant, name))})
}

// change sets properties of a user.
func (l *lab) change(tenant, id string, fields obj) {
	l.t.Helper()
	l.edit(tenant, "users", func(users []user) []user {
		at := slices.IndexFunc(users, func(u user) bool { return u.id() == id })
		if at < 0 {
			l.t.Fatalf("%s has no user %s", tenant, id)
		}
		maps.Copy(users[at], fields)
		return users
	})
}

// add adds users; one that was soft-deleted is restored.
func (l *lab) add(tenant string, users ...obj) {
	l.t.Helper()
	l.edit(tenant, "users", func(all []user) []user {
		for _, u := range users {
			all = append(all, u)
		}
		return all
	})
}

// remove soft-deletes users.
func (l *lab) remove(tenant string, ids ...string) {
	l.t.Helper()
	l.edit(tenant, "users", func(all []user) []user {
		return slices.DeleteFunc(all, func(u user) bool { return slices.Contains(ids, u.id()) })
	})
}

// members sets who is in a group.
func (l *lab) members(group string, ids ...string) {
	l.t.Helper()
	l.edit("source", "groups", func(groups []user) []user {
		for _, g := range groups {
			if g.id() == group {
				g["members"] = append([]string{}, ids...) // none is an empty list
			}
		}
		return groups
	})
}

// faults replaces the faults of a tenant.
func (l *lab) faults(tenant string, faults ...obj) {
	l.t.Helper()
	if faults == nil {
		faults = []obj{}
	}
	l.door(tenant, "PUT", "faults", faults, nil)
}

// tally is the counts of a tenant.
type tally struct {
	Requests, Batches, Refused, Throttled int
	Reads, Writes                         map[string]int
	MaxWritesIn10s                        map[string]int
}

// counts takes what a tenant was asked since it was last taken.
func (l *lab) counts(tenant string) tally {
	l.t.Helper()
	var c tally
	l.door(tenant, "GET", "counts", nil, &c)
	l.door(tenant, "DELETE", "counts", nil, nil)
	return c
}

// wrote is one write in a tenant's journal.
type wrote struct {
	Time               time.Time
	AppID              string
	Kind, Method, Path string
	Body               string
	Status             int
	Code               string
}

func (w wrote) String() string {
	return fmt.Sprintf("%s %s %s (%d %s)", w.Method, w.Path, w.Body, w.Status, w.Code)
}

// fields is the body of a write.
func (w wrote) fields(t *testing.T) obj {
	t.Helper()
	var o obj
	if err := json.Unmarshal([]byte(w.Body), &o); err != nil {
		t.Fatalf("%s: %v", w, err)
	}
	return o
}

// journal returns the writes that a tenant saw, oldest first.
func (l *lab) journal(tenant string) []wrote {
	l.t.Helper()
	var all []wrote
	l.door(tenant, "GET", "journal", nil, &all)
	return all
}

// during returns the writes that reach a tenant while f runs.
func (l *lab) during(tenant string, f func()) []wrote {
	l.t.Helper()
	before := len(l.journal(tenant))
	f()
	return l.journal(tenant)[before:]
}

// kinds lists the kinds of writes in their order.
func kinds(writes []wrote) []string {
	names := make([]string, len(writes))
	for i, w := range writes {
		names[i] = w.Kind
	}
	return names
}

// record is an entry of the provisioning log.
type record struct {
	ID, ChangeID, CycleID, JobID, ProvisioningAction string
	SourceIdentity, TargetIdentity                   struct{ ID, DisplayName string }
	ProvisioningStatusInfo                           struct {
		Status           string
		ErrorInformation struct{ ErrorCode, Reason, RecommendedAction string }
	}
	ProvisioningSteps []struct {
		Name, ProvisioningStepType, Status, Description string
		Details                                         map[string]string
	}
	ModifiedProperties []struct {
		DisplayName        string
		OldValue, NewValue any
	}
}

func (r record) status() string { return r.ProvisioningStatusInfo.Status }
func (r record) code() string   { return r.ProvisioningStatusInfo.ErrorInformation.ErrorCode }
func (r record) reason() string { return r.ProvisioningStatusInfo.ErrorInformation.Reason }

// modified is the values that a record says were written, by property.
func (r record) modified() map[string]any {
	values := map[string]any{}
	for _, p := range r.ModifiedProperties {
		values[p.DisplayName] = p.NewValue
	}
	return values
}

// logs lists the provisioning log, newest first.
func (l *lab) logs(args ...string) []record {
	l.t.Helper()
	var all []record
	l.json(0, &all, append([]string{"logs", "--limit", "1000"}, args...)...)
	return all
}

// logOf lists what the log says of one source user, newest first.
func (l *lab) logOf(sourceID string) []record {
	l.t.Helper()
	return slices.DeleteFunc(l.logs(), func(r record) bool { return r.SourceIdentity.ID != sourceID })
}

// says expects the newest entry of a source user to have this status and code,
// and its reason to name what is given.
func (l *lab) says(sourceID, status, code string, names ...string) record {
	l.t.Helper()
	all := l.logOf(sourceID)
	if len(all) == 0 {
		l.t.Errorf("log of %s: nothing, want %s %s", sourceID, status, code)
		return record{}
	}
	r := all[0]
	if r.status() != status || r.code() != code {
		l.t.Errorf("log of %s: got %s %s (%s), want %s %s", sourceID, r.status(), r.code(), r.reason(), status, code)
	}
	for _, name := range names {
		if !strings.Contains(r.reason(), name) {
			l.t.Errorf("log of %s: got reason %q, want it to name %q", sourceID, r.reason(), name)
		}
	}
	return r
}

// copyOf is the user of the target that came from a source user, nil when there
// is none; two are a failure.
func (l *lab) copyOf(name string) user {
	l.t.Helper()
	var found user
	for _, u := range l.section("target", "users") {
		if u.home() != id(name) {
			continue
		}
		if found != nil {
			l.t.Errorf("%s has two users in the target: %s and %s", name, found.id(), u.id())
		}
		found = u
	}
	return found
}

// linkOf is the target id that a source user is linked to, or empty.
func (l *lab) linkOf(name string) string {
	l.t.Helper()
	var e struct{ Link *struct{ TargetID string } }
	l.json(0, &e, "explain", id(name), "--job", jobName)
	if e.Link == nil {
		return ""
	}
	return e.Link.TargetID
}

// id is an object's id, made from a name.
func id(name string) string {
	h := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%x-%x-4%03x-8%03x-%x", h[0:4], h[4:6], int(h[6])<<4|int(h[7])>>4, int(h[8])<<4|int(h[9])>>4, h[10:16])
}

// staff is an enabled internal user of the source with default properties.
func staff(name string, more ...obj) obj {
	u := obj{"id": id(name), "userPrincipalName": name + "@contoso.example", "mail": name + "@contoso.example",
		"displayName": "User " + name, "accountEnabled": true}
	for _, m := range more {
		maps.Copy(u, m)
	}
	return u
}

// team is n users named prefix01, prefix02 …
func team(prefix string, n int) list {
	all := make(list, n)
	for i := range all {
		all[i] = staff(member(prefix, i+1))
	}
	return all
}

// member is the name of the i-th of a team.
func member(prefix string, i int) string { return fmt.Sprintf("%s%02d", prefix, i) }

// ids are those of the members from..to of a team.
func ids(prefix string, from, to int) []string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, id(member(prefix, i)))
	}
	return all
}

// native is an internal user of the target.
func native(name string, more ...obj) obj {
	return staff(name, append([]obj{{"userPrincipalName": name + "@fabrikam.example", "mail": name + "@fabrikam.example"}}, more...)...)
}

// guest is a pending guest of the target, invited under an address.
func guest(name, address string, more ...obj) obj {
	upn := strings.ReplaceAll(address, "@", "_") + "#EXT#@fabrikam.onmicrosoft.com"
	u := obj{"id": id(name), "userPrincipalName": upn, "mail": address, "otherMails": list{address}, "displayName": "Guest " + name,
		"proxyAddresses": list{"SMTP:" + address}, "accountEnabled": true, "userType": "Guest", "creationType": "Invitation",
		"externalUserState": "PendingAcceptance",
		"identities":        list{obj{"signInType": "userPrincipalName", "issuer": "fabrikam.onmicrosoft.com", "issuerAssignedId": upn}}}
	for _, m := range more {
		maps.Copy(u, m)
	}
	return u
}

// redeemedBy is a guest whose identity comes from an issuer.
func redeemedBy(issuer string) obj {
	return obj{"externalUserState": "Accepted", "identities": list{obj{"signInType": "federated", "issuer": issuer, "issuerAssignedId": nil}}}
}

// users is a tenant file of users.
func users(all ...any) obj { return obj{"users": append(list{}, all...)} }

// forget loses the state file.
func (l *lab) forget() {
	l.t.Helper()
	if err := os.Remove(filepath.Join(l.dir, "sim", "state.db")); err != nil {
		l.t.Fatal(err)
	}
}

// rewriteState changes the bytes of the state file.
func (l *lab) rewriteState(change func([]byte) []byte) {
	l.t.Helper()
	path := filepath.Join(l.dir, "sim", "state.db")
	b, err := os.ReadFile(path)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		l.t.Fatal(err)
	}
}
