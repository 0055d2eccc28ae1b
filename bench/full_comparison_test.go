package bench_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crypto/tls"
	"crypto/x509"

	"tenantsync/entra"
)

// users is how many users each tenant of the full comparison has;
// TENANTSYNC_BENCH_USERS changes it for a quick look.
const users = 100_000

// The limits of the full comparison: process CPU as a multiple of the CPU of
// decoding the same pages alone, and resident memory.
const (
	maxRatio    = 4.0
	maxResident = 250 << 20
)

// decodeChild is set in the process that only decodes.
const decodeChild = "TENANTSYNC_BENCH_DECODE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(decodeChild); dir != "" {
		if err := decodeAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// BenchmarkIdleFullComparison measures `sync --initial` with nothing changed over
// 100 000 users in each tenant: CPU against decoding the same pages alone, in the
// same run, and resident memory. It fails above the limits, which are ratios and
// bytes, never durations.
//
//	go test ./bench -run '^$' -bench IdleFullComparison -benchtime 1x -timeout 20m
func BenchmarkIdleFullComparison(b *testing.B) {
	dir := b.TempDir()
	bin := build(b, dir)
	n := count()
	writeTenants(b, dir, n)
	sim := simulate(b, bin, dir)
	defer sim.stop()
	first := run(b, bin, dir)
	if s := first.result.Summary; s.Unchanged != n || first.result.Graph.Writes != 0 {
		b.Fatalf("adopting %d users: unchanged %d, writes %d", n, s.Unchanged, first.result.Graph.Writes)
	}
	pages := filepath.Join(dir, "pages")
	fetch(b, sim, dir, pages)
	b.ResetTimer()
	for range b.N {
		full := run(b, bin, dir)
		if s := full.result.Summary; s.Unchanged != n || full.result.Graph.Writes != 0 {
			b.Fatalf("full comparison of %d users: unchanged %d, writes %d", n, s.Unchanged, full.result.Graph.Writes)
		}
		alone := decodeAlone(b, pages)
		ratio := float64(full.cpu) / float64(alone)
		b.ReportMetric(ratio, "cpu/decode")
		b.ReportMetric(float64(full.resident)/(1<<20), "MiB-resident")
		b.ReportMetric(float64(full.cpu.Microseconds())/float64(n), "cpu-µs/user")
		b.ReportMetric(float64(full.result.Graph.Requests), "requests")
		if ratio > maxRatio {
			b.Errorf("CPU is %.2f times that of decoding alone (%v against %v), limit %.1f", ratio, full.cpu, alone, maxRatio)
		}
		if full.resident > maxResident {
			b.Errorf("%d MiB resident, limit %d", full.resident>>20, maxResident>>20)
		}
	}
}

func count() int {
	n := users
	if s := os.Getenv("TENANTSYNC_BENCH_USERS"); s != "" {
		_, _ = fmt.Sscan(s, &n) // an unreadable number leaves the default
	}
	return n
}

func build(b *testing.B, dir string) string {
	b.Helper()
	bin := filepath.Join(dir, "tenantsync")
	out, err := exec.Command("go", "build", "-o", bin, "tenantsync/cmd/tenantsync").CombinedOutput()
	if err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// writeTenants writes a source of n members and a target that holds their guests
// as a sync would have left them.
func writeTenants(b *testing.B, dir string, n int) {
	b.Helper()
	write := func(name, tenantID, domain string, user func(w io.Writer, i int)) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(f)
		fmt.Fprintf(w, `{"organization":{"id":%q,"displayName":%q,"verifiedDomains":[{"name":%q,"isDefault":true,"isInitial":true}]},"users":[`, tenantID, domain, domain)
		for i := range n {
			if i > 0 {
				fmt.Fprint(w, ",\n")
			}
			user(w, i)
		}
		fmt.Fprint(w, "]}")
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	write("source.json", "11111111-1111-4111-8111-111111111111", "contoso.example", func(w io.Writer, i int) { person(w, i, "a", "") })
	write("target.json", "22222222-2222-4222-8222-222222222222", "fabrikam.example", func(w io.Writer, i int) { person(w, i, "b", "#EXT#@fabrikam.example") })
}

// person writes user i: a member of the source, or with a suffix its guest.
func person(w io.Writer, i int, kind, suffix string) {
	upn := fmt.Sprintf("person.%06d@contoso.example", i)
	extra := `"userType":"Member"`
	if suffix != "" {
		extra = fmt.Sprintf(`"userType":"Member","creationType":"Invitation","externalUserState":"Accepted","showInAddressList":true,"otherMails":[%q],`+
			`"identities":[{"signInType":"federated","issuer":"ExternalAzureAD","issuerAssignedId":null}]`, upn)
	}
	name := upn
	if suffix != "" {
		name = strings.ReplaceAll(upn, "@", "_") + suffix
	}
	// A multiplicative scramble, so that ids come in no order, as real ones do.
	id := fmt.Sprintf("%08x-%04x-4%03x-8%s00-%012x", uint32(i)*2654435761, uint16(i*40503), i%4096, kind, i)
	fmt.Fprintf(w, `{"id":%q,"userPrincipalName":%q,"mail":%q,"displayName":"Person Number %d","givenName":"Person","surname":"Number %d",`+
		`"accountEnabled":true,"department":"Department %d","jobTitle":"Engineer %d","officeLocation":"Building %d","city":"Town %d","country":"Norway",`+
		`"state":"Viken","postalCode":"%04d","streetAddress":"Main Street %d","employeeId":"E%07d","preferredLanguage":"nb-NO","businessPhones":["+47 22 %06d"],`+
		`"proxyAddresses":["SMTP:%s"],%s}`, id, name, upn, i, i, i%97, i%31, i%211, i%503, i%9999, i%777, i, i, upn, extra)
}

type simulator struct {
	cmd   *exec.Cmd
	graph string
}

func simulate(b *testing.B, bin, dir string) *simulator {
	b.Helper()
	cmd := exec.Command(bin, "simulate", "--tenant", "source="+filepath.Join(dir, "source.json"), "--tenant", "target="+filepath.Join(dir, "target.json"), "--config-out", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		b.Fatal("the simulated tenants did not get ready: ", err)
	}
	var ready struct {
		Ready bool   `json:"ready"`
		Graph string `json:"graph"`
	}
	if err := json.Unmarshal(line, &ready); err != nil || !ready.Ready {
		b.Fatalf("not ready: %s (%v)", line, err)
	}
	return &simulator{cmd: cmd, graph: ready.Graph}
}

func (s *simulator) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone already
	_ = s.cmd.Wait()                          // its exit code is no part of this
}

type outcome struct {
	result struct {
		Summary struct{ Unchanged int }
		Graph   struct{ Requests, Writes int }
	}
	cpu      time.Duration
	resident int64
}

// run runs `sync --initial` and measures the process.
func run(b *testing.B, bin, dir string) outcome {
	b.Helper()
	cmd := exec.Command(bin, "-c", filepath.Join(dir, "config.yaml"), "sync", "source-to-target", "--initial", "-o", "json", "--no-progress")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		b.Fatalf("sync: %v\n%s%s", err, stdout.String(), stderr.String())
	}
	var out outcome
	if err := json.Unmarshal(stdout.Bytes(), &out.result); err != nil {
		b.Fatalf("sync printed %s: %v", stdout.String(), err)
	}
	out.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		out.resident = ru.Maxrss << 10
	}
	return out
}

// decodeAlone decodes the fetched pages in a process of its own and returns its CPU.
func decodeAlone(b *testing.B, pages string) time.Duration {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), decodeChild+"="+pages)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		b.Fatal("decode alone: ", err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

func decodeAll(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return err
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if _, err := entra.DecodePage(raw); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

// The properties a full comparison asks for, on each side.
const (
	sourceSelect = "id,accountEnabled,businessPhones,city,country,department,displayName,employeeId,externalUserState,givenName,identities,jobTitle,mail,manager,officeLocation,postalCode,preferredLanguage,proxyAddresses,state,streetAddress,surname,userPrincipalName,userType"
	targetSelect = "id,accountEnabled,businessPhones,city,country,creationType,department,displayName,employeeId,externalUserState,givenName,identities,jobTitle,mail,officeLocation,onPremisesSyncEnabled,otherMails,postalCode,preferredLanguage,proxyAddresses,showInAddressList,state,streetAddress,surname,userPrincipalName,userType"
)

// fetch stores the raw pages of both tenants as the sync reads them.
func fetch(b *testing.B, s *simulator, dir, pages string) {
	b.Helper()
	if err := os.Mkdir(pages, 0o700); err != nil {
		b.Fatal(err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		b.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	config, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	ids := valuesOf(string(config), "clientId:")
	tenants := valuesOf(string(config), "tenantId:")
	for i, first := range []string{"/users/delta?$select=" + sourceSelect, "/users?$top=999&$select=" + targetSelect} {
		name := []string{"source", "target"}[i]
		secret, err := os.ReadFile(filepath.Join(dir, name+".secret"))
		if err != nil {
			b.Fatal(err)
		}
		token := token(b, client, s, tenants[i], ids[i], strings.TrimSpace(string(secret)))
		for link, n := s.graph+first, 0; link != ""; n++ {
			raw := get(b, client, link, token)
			if err := os.WriteFile(filepath.Join(pages, fmt.Sprintf("%s-%05d.json", name, n)), raw, 0o600); err != nil {
				b.Fatal(err)
			}
			page, err := entra.DecodePage(raw)
			if err != nil {
				b.Fatal(err)
			}
			link = page.Next
		}
	}
}

func valuesOf(config, key string) []string {
	var out []string
	for line := range strings.Lines(config) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), key); ok {
			out = append(out, strings.Trim(strings.TrimSpace(v), `'"`))
		}
	}
	return out
}

func token(b *testing.B, client *http.Client, s *simulator, tenant, id, secret string) string {
	b.Helper()
	base := strings.TrimSuffix(s.graph, "/v1.0")
	resp, err := client.PostForm(base+"/"+tenant+"/oauth2/v2.0/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {id}, "client_secret": {secret}, "scope": {base + "/.default"}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || out.AccessToken == "" {
		b.Fatalf("no token: %s (%v)", resp.Status, err)
	}
	return out.AccessToken
}

func get(b *testing.B, client *http.Client, link, token string) []byte {
	b.Helper()
	req, err := http.NewRequest(http.MethodGet, link, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s (%v)", link, resp.Status, err)
	}
	return raw
}
