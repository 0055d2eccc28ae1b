package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"
)

// asText are the forms of the commands' output that a person reads.
var asText = [][]string{{}, {"-o", "table"}, {"-o", "wide"}, {"-v"}}

// A directory whose names are made to disturb whoever shows them disturbs nobody: no
// command gives a terminal anything to obey, a spreadsheet a formula, or a log a
// record of its own, in any form, and the user with ordinary names is in sync.
func TestHostileNamesDisturbNobody(t *testing.T) {
	t.Parallel()
	const forged = `{"level":"error","msg":"forged"}`
	formula := `=cmd|'/C calc'!A0`
	l := newLab(t, users(
		staff("plain", obj{"department": "Sales"}),
		staff("o'brien", obj{"displayName": formula, "department": "@SUM(1+1)*cmd"}),
		staff("escape", obj{"displayName": "clear\x1b[2J\x1b]0;owned\x07", "department": "red\x1b[31m"}),
		staff("bidi", obj{"displayName": "admin\u202etxt.exe\u2066", "department": "+1\u2028"}),
		staff("lines", obj{"displayName": "a\n" + forged, "department": "b\r\n" + forged}),
		staff("long", obj{"displayName": strings.Repeat("x", 64<<10)}),
	), nil)
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "department", "source": "department"}}}))
	who := []string{"o'brien", "escape", "bidi", "lines", "long"}
	commands := [][]string{{"plan", jobName, "--out", "hostile.plan", "--force"}, {"sync", jobName}, {"apply", "hostile.plan", "--yes"}, {"plan", jobName, "--initial"}, {"status"},
		{"provision", "bidi@contoso.example", "--reason", "why\x1b[2J\u202e\n" + forged}, {"audit", "list", "--limit", "0"}, {"audit", "verify"}, {"state", "check"}, {"state", "rebuild", "--plan"}, {"logs"}, {"retries", "list", jobName}, {"check"}, {"deletions", "list", jobName}}
	for _, name := range who {
		upn := name + "@contoso.example"
		commands = append(commands, []string{"explain", upn, "--job", jobName}, []string{"provision", upn, "--dry-run"}, []string{"scope", "test", upn, "-j", jobName}, []string{"logs", "--user", upn})
	}
	for _, c := range commands {
		for _, form := range asText {
			a := l.run(append(append([]string{}, c...), form...)...)
			for stream, out := range map[string][]byte{"stdout": a.stdout, "stderr": a.stderr} {
				if at := bytes.IndexFunc(out, obeyed); at >= 0 || !utf8.Valid(out) {
					t.Errorf("%q %q, %s: a terminal would obey %q", c, form, stream, out[max(0, at-40):min(len(out), at+40)])
				}
			}
			if strings.HasPrefix(string(a.stdout), forged) || strings.Contains(string(a.stderr), "\n"+forged) {
				t.Errorf("%q %q: a line of its own is forged", c, form)
			}
		}
		a := l.run(append(append([]string{}, c...), "-o", "json")...)
		lines := bufio.NewScanner(bytes.NewReader(a.stderr))
		for lines.Scan() {
			var record obj
			if err := json.Unmarshal(lines.Bytes(), &record); err != nil || record["msg"] == "forged" {
				t.Errorf("%q: a line of stderr is %s, want a record of ours", c, lines.Text())
			}
		}
		for _, r := range string(a.stdout) {
			if r < ' ' && r != '\n' && r != '\t' {
				t.Errorf("%q -o json: control character %q on stdout", c, r)
				break
			}
		}
		cells, err := csv.NewReader(bytes.NewReader(l.run(append(append([]string{}, c...), "-o", "csv")...).stdout)).ReadAll()
		if err != nil {
			continue // not every command has a table
		}
		for _, row := range cells {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !regexp.MustCompile(`^[-+]?[0-9.]+$`).MatchString(cell) {
					t.Errorf("%q -o csv: a spreadsheet would calculate %q", c, cell)
				}
			}
		}
	}
	if got := l.copyOf("plain").text("department"); got != "Sales" {
		t.Errorf("department of the ordinary user: got %q, want Sales", got)
	}
	if got := l.copyOf("o'brien").text("displayName"); got != formula {
		t.Errorf("display name in the target: got %q, want it as it is, %q", got, formula)
	}
	for _, name := range []string{"escape", "lines", "long"} {
		l.says(id(name), "failure", "AttributeValidationFailed", "displayName")
	}
}

// obeyed reports what a terminal does not just show.
func obeyed(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// A proxy named by the environment gets nothing: only the configuration says how
// the tenants are reached.
func TestProxiesOfTheEnvironmentAreNotUsed(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann", nil)), nil)
	// Loopback would never go through a proxy of the environment: a name does.
	l.head = strings.ReplaceAll(l.head, "https://127.0.0.1:", "https://tenantsync.invalid:")
	l.configure(jobWith(nil))
	ear := &stranger{}
	server := httptest.NewServer(ear)
	t.Cleanup(server.Close)
	proxy := server.URL
	a := l.runEnv([]string{"HTTPS_PROXY=" + proxy, "HTTP_PROXY=" + proxy, "ALL_PROXY=" + proxy}, "-c", l.config, "check", "-v", "-o", "json")
	if a.exit == 0 || !bytes.Contains(append(a.stdout, a.stderr...), []byte("tenantsync.invalid")) {
		t.Errorf("exit %d, %s%s, want a check that fails: the host does not exist", a.exit, a.stdout, a.stderr)
	}
	if heard := ear.told(); len(heard) != 0 {
		t.Errorf("the proxy of the environment was asked %q, want nothing", heard)
	}
}

// Not a byte of a secret or a token is in anything the commands say or write, in
// clear or encoded, whatever the tenants answer.
func TestPromise10NoSecretInAnyByte(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann", nil), staff("bob", nil)), nil)
	var mu sync.Mutex
	tokens := map[string]bool{}
	html := false
	l.bendTenant("target", func(resp *http.Response, body []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		token := strings.TrimPrefix(resp.Request.Header.Get("Authorization"), "Bearer ")
		tokens[token] = true
		switch {
		case html && strings.Contains(resp.Request.URL.Path, "organization"):
			resp.StatusCode, resp.Status = http.StatusBadRequest, "400 Bad Request"
			resp.Header.Set("Content-Type", "text/html")
			return []byte("<html><body>Bearer " + token + " " + l.access["target"].secret + "</body></html>")
		case resp.Request.Method == http.MethodPost && strings.Contains(string(body), "bob"):
			return []byte(strings.ReplaceAll(string(body), "\"displayName\"", "\"note\":\""+token+"\",\"displayName\""))
		}
		return body
	})
	l.head += "logs: {level: debug}\n"
	l.configure(jobWith(nil))
	shown := new(bytes.Buffer)
	note := func(a answer) { shown.Write(a.stdout); shown.Write(a.stderr) }
	run := func(args ...string) { note(l.run(args...)) }
	all := func() {
		for _, c := range [][]string{{"plan", jobName}, {"plan", jobName, "--initial"}, {"sync", jobName}, {"sync", jobName, "--initial"}, {"status"}, {"logs"}, {"logs", "export"}, {"check"},
			{"check", "--permissions"}, {"config", "show"}, {"config", "validate"}, {"config", "schema"}, {"explain", "bob@contoso.example", "-j", jobName}, {"retries", "list", jobName},
			{"deletions", "list", jobName}, {"provision", "bob@contoso.example"}, {"scope", "test", "bob@contoso.example", "-j", jobName}, {"mapping", "list", "-j", jobName}, {"audit", "list", "--limit", "0"}, {"audit", "export"},
			{"audit", "verify"}, {"plan", jobName, "--initial", "--out", "saved.plan", "--force"}, {"apply", "saved.plan", "--yes"}, {"state", "check"}, {"state", "backup"}, {"state", "rebuild", "--plan"}, {"version"}} {
			run(append(c, "-v")...)
			run(append(c, "-o", "json")...)
		}
		run("logs", "-o", "csv")
		run("plan", jobName, "--initial", "-o", "csv")
	}
	all()
	run("capture", "target", "-F", "captured.json")
	l.change("source", id("ann"), obj{"city": "Rome"})
	l.startDaemon()
	all()
	note(l.crash())
	mu.Lock()
	html = true
	mu.Unlock()
	run("check", "-v")
	run("sync", jobName, "-v", "-o", "json")
	// A secret that is wrong is told no more than a right one.
	secretFile := filepath.Join(l.dir, "sim", "target.secret")
	if err := os.WriteFile(secretFile, []byte("Wrong-Secret~8Q8~planted\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("check", "-v")
	run("sync", jobName, "-v", "-o", "json")

	secrets := []string{l.access["source"].secret, l.access["target"].secret, "Wrong-Secret~8Q8~planted"}
	mu.Lock()
	for token := range tokens {
		if len(token) > 20 {
			secrets = append(secrets, token[strings.LastIndexByte(token, '.')+1:])
		}
	}
	mu.Unlock()
	if len(secrets) < 4 {
		t.Fatalf("got %d secrets to look for, want a token among them", len(secrets))
	}
	l.givenAway(shown.Bytes(), secrets, ".secret")
}
