package e2e_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Not a byte of the key of a certificate, or of its password, is in anything the
// commands say or write: while it serves, when the file is damaged or another one, and
// when the process crashes.
func TestPromise10NoKeyInAnyByte(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]keyFile{"PEM": newPEM(t), "PKCS 12 with a password": readPFX(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann"), staff("bob")), nil)
			file, password := l.useCertificate(k)
			shown := new(bytes.Buffer)
			note := func(a answer) answer { shown.Write(a.stdout); shown.Write(a.stderr); return a }
			run := func(args ...string) answer { return note(l.run(args...)) }

			run("sync", jobName, "-v", "-o", "json").exits(t, 0)
			l.change("source", id("ann"), obj{"city": "Rome"})
			run("plan", jobName, "--out", "saved.plan").exits(t, 0)
			run("apply", "saved.plan", "--yes").exits(t, 0)
			l.startDaemon()
			for _, c := range [][]string{{"check", "-v"}, {"sync", jobName, "-o", "json"}, {"config", "show"}, {"config", "show", "-o", "json"}, {"logs", "export"},
				{"logs", "-o", "csv"}, {"audit", "export"}, {"audit", "list", "-o", "csv"}, {"state", "check"}, {"state", "backup"}} {
				run(c...).exits(t, 0)
			}
			note(l.crash())

			block := regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{60,}$`)
			lines := block.FindAll(k.content, -1)
			for what, text := range map[string][]byte{
				"cut":          k.content[:len(k.content)*3/4],
				"a line lost":  bytes.Replace(k.content, lineOf(lines), nil, 1),
				"its end":      k.content[len(k.content)/2:],
				"one bit less": flipped(k.content),
			} {
				l.putFile(file, text)
				if a := run("check", "-v"); a.exit == 0 {
					t.Errorf("%s: exit 0, want a check that fails", what)
				}
				run("sync", jobName, "-v", "-o", "json")
				run("config", "validate", "-v")
			}
			l.putFile(file, k.content)
			if k.password != "" {
				l.putFile(password, []byte(k.password+"-mistyped\n"))
				run("check", "-v").exits(t, 1)
				run("sync", jobName, "-v", "-o", "json")
			}
			l.givenAway(shown.Bytes(), k.secrets(t), k.ending, ".password", ".secret")
		})
	}
}

// keyFile is a certificate with its key, as a file holds it.
type keyFile struct {
	content  []byte
	password string
	ending   string
	key      *rsa.PrivateKey
}

// newPEM makes a key of its own.
func newPEM(t *testing.T) keyFile {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tenantsync"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	content := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	return keyFile{content: content, ending: ".pem", key: key}
}

// readPFX reads a key that was made for this test and opens nothing.
func readPFX(t *testing.T) keyFile {
	t.Helper()
	const password = "Pfx~Planted-Password-7Q"
	content, err := os.ReadFile(filepath.Join("testdata", "app.pfx"))
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := azidentity.ParseCertificates(content, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	return keyFile{content: content, password: password, ending: ".pfx", key: key.(*rsa.PrivateKey)}
}

// secrets are what to look for: the numbers of the key as bytes, and as a number is
// written; the lines of the file from the middle of the key; and the password.
func (k keyFile) secrets(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, n := range append([]*big.Int{k.key.D}, k.key.Primes...) {
		raw := n.Bytes()
		list = append(list, string(raw[8:40]), n.String()[8:60], strings.ToUpper(n.Text(16))[8:60])
	}
	if k.password != "" {
		return append(list, k.password, string(k.content[len(k.content)/2:len(k.content)/2+40]))
	}
	_, key, _ := bytes.Cut(k.content, []byte("-----BEGIN PRIVATE KEY-----\n"))
	lines := strings.Split(string(key), "\n")
	if len(lines) < 20 {
		t.Fatalf("the key has %d lines, want more", len(lines))
	}
	return append(list, lines[2:20]...)
}

// lineOf returns a line of Base64 from the middle, a byte that is there where it is
// another kind of file.
func lineOf(lines [][]byte) []byte {
	if len(lines) == 0 {
		return []byte{0x30}
	}
	return lines[len(lines)*3/4]
}

// flipped changes one byte in the middle of the key.
func flipped(content []byte) []byte {
	out := bytes.Clone(content)
	out[len(out)*3/4] ^= 1
	return out
}

// useCertificate lets both apps sign in by a certificate, and logs everything. It
// returns the files of the source.
func (l *lab) useCertificate(k keyFile) (file, password string) {
	l.t.Helper()
	for _, name := range []string{"source", "target"} {
		file, password = filepath.Join(l.dir, "sim", name+k.ending), filepath.Join(l.dir, "sim", name+".password")
		l.putFile(file, k.content)
		credential := "kind: certificate, clientId: " + l.access[name].clientID + ", certificateFile: " + filepath.Base(file)
		if k.password != "" {
			l.putFile(password, []byte(k.password+"\n"))
			credential += ", passwordFile: " + filepath.Base(password)
		}
		block := regexp.MustCompile(`credential:\n +kind: secret\n +clientId: ` + l.access[name].clientID + `\n.*\n`)
		if !block.MatchString(l.head) {
			l.t.Fatalf("no credential of %s in\n%s", name, l.head)
		}
		l.head = block.ReplaceAllLiteralString(l.head, "credential: {"+credential+"}\n")
	}
	l.head += "logs: {level: debug}\n"
	l.configure(jobWith(nil))
	return filepath.Join(l.dir, "sim", "target"+k.ending), filepath.Join(l.dir, "sim", "target.password")
}

func (l *lab) putFile(path string, content []byte) {
	l.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// crash ends the daemon with what the runtime has to say of all its goroutines, as a
// panic does.
func (l *lab) crash() answer {
	l.t.Helper()
	_ = l.daemon.cmd.Process.Signal(syscall.SIGQUIT) // the exit code tells
	a := l.daemon.wait().exits(l.t, 2)
	if !bytes.Contains(a.stderr, []byte("goroutine ")) {
		l.t.Errorf("got %s, want a stack", a.stderr)
	}
	l.daemon = nil
	// The socket of a process that crashed is left, and would be asked.
	_ = os.Remove(filepath.Join(l.dir, "sim", "control.sock"))
	return a
}

// givenAway expects none of the secrets in what the commands said, nor in any file of
// the lab: state and backups, plans, captures. Files with one of these endings are
// where the secrets come from.
func (l *lab) givenAway(said []byte, secrets []string, own ...string) {
	l.t.Helper()
	texts := map[string][]byte{"what the commands said": said}
	looked := map[string]bool{}
	err := filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		for _, ending := range own {
			if strings.HasSuffix(path, ending) {
				return nil
			}
		}
		texts[path], err = os.ReadFile(path)
		looked[filepath.Ext(path)] = true
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	backups, _ := filepath.Glob(filepath.Join(l.dir, "sim", "backups", "*.db")) // the pattern is right
	if !looked[".db"] || !looked[".plan"] || len(backups) == 0 {
		l.t.Errorf("looked into files that end in %v and %d backups, want a state, a backup and a plan among them", looked, len(backups))
	}
	for what, text := range texts {
		for _, secret := range secrets {
			for form, encoded := range encodings(secret) {
				if at := bytes.Index(text, []byte(encoded)); at >= 0 {
					l.t.Errorf("%s has a secret, %s: …%s…", what, form, text[max(0, at-120):at])
				}
			}
		}
	}
}

// encodings are the forms in which a secret could get into a text.
func encodings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret) // a string always encodes
	forms := map[string]string{"in clear": secret, "URL-encoded": url.QueryEscape(secret), "in hex": hex.EncodeToString([]byte(secret)),
		"as JSON": string(quoted[1 : len(quoted)-1])}
	for shift := range 3 { // wherever in a longer text it began
		for name, encoding := range map[string]*base64.Encoding{"Base64": base64.RawStdEncoding, "Base64 for URLs": base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			forms[name+" shifted by "+string(rune('0'+shift))] = encoded[4 : len(encoded)-4]
		}
	}
	return forms
}
