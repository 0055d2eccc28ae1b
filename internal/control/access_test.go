package control_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/internal/token"
)

// ownSecret is the token that a daemon drew for its own commands.
const ownSecret = "the-daemons-own"

// bearers are a named token for each role.
func bearers() (list []control.Token, secrets map[control.Role]string) {
	secrets = map[control.Role]string{}
	for r := control.Reader; r <= control.Approver; r++ {
		secrets[r] = token.Draw()
		list = append(list, control.Token{Name: r.String(), Role: r, Hashes: []token.Digest{token.Hash("old"), token.Hash(secrets[r])}})
	}
	return list, secrets
}

// ask sends one request over TCP as a client does, and changes it by edit.
func ask(h http.Handler, path, body, secret string, edit func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:7070/v1/"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if secret != "" {
		r.Header.Set("Authorization", "Bearer "+secret)
	}
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// bodies are requests of every row of the table of routes.
func bodyOf(r control.Route) string {
	if r.When == "" {
		return "{}"
	}
	return fmt.Sprintf(`{%q:true}`, r.When)
}

func TestEveryRouteNeedsItsRole(t *testing.T) {
	list, secrets := bearers()
	for _, r := range control.Routes() {
		if r.Name == "health" {
			continue // GET, and for everybody who is let in
		}
		for role, secret := range secrets {
			f := &fake{}
			h := control.NewHandler(t.Context(), control.Options{Service: func(control.Caller) control.Service { return f },
				Tokens: func() []control.Token { return list }}, ownSecret)
			w := ask(h, r.Name, bodyOf(r), secret, nil)
			allowed := role >= r.Needs
			want := http.StatusOK
			if !allowed {
				want = http.StatusForbidden
			}
			if w.Code != want {
				t.Errorf("%s %s as %s: got %d %s, want %d", r.Name, r.When, role, w.Code, w.Body, want)
			}
			if reached := f.last() != nil; reached != allowed && r.Name != "cancel" {
				t.Errorf("%s %s as %s: the service was asked: %v, want %v", r.Name, r.When, role, reached, allowed)
			}
			if !allowed && (!strings.Contains(w.Body.String(), `"permission":"role `+r.Needs.String()) || !strings.Contains(w.Body.String(), "RoleTooLow")) {
				t.Errorf("%s as %s: the refusal does not name the role: %s", r.Name, role, w.Body)
			}
		}
	}
}

// A method that somebody adds to Service and forgets in the table has no row: this
// names it. Unlisted, it needs an approver.
func TestEveryMethodHasARole(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range control.Routes() {
		if listed[r.Name+" "+r.When] {
			t.Errorf("%s %s is there twice", r.Name, r.When)
		}
		listed[r.Name+" "+r.When] = true
	}
	kind := reflect.TypeFor[control.Service]()
	for i := range kind.NumMethod() {
		name := strings.ToLower(kind.Method(i).Name)
		if name == "checkstate" {
			name = "state" // the one route that is not called as its method
		}
		if !listed[name+" "] {
			t.Errorf("%s has no role", name)
		}
	}
}

func TestTokensOfTheTable(t *testing.T) {
	list, secrets := bearers()
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"the daemon's own":         {"Bearer " + ownSecret, 200},
		"another case of Bearer":   {"bearer " + ownSecret, 200},
		"a named one":              {"Bearer " + secrets[control.Reader], 200},
		"an older one of the file": {"Bearer old", 200},
		"the hash of a named one":  {"Bearer " + token.Hash(secrets[control.Reader]).String(), 401},
		"without its scheme":       {ownSecret, 401},
		"another scheme":           {"Basic " + ownSecret, 401},
		"empty":                    {"Bearer ", 401},
		"none":                     {"", 401},
		"a part":                   {"Bearer " + ownSecret[:5], 401},
		"with more":                {"Bearer " + ownSecret + "x", 401},
	} {
		var refused []string
		h := control.NewHandler(t.Context(), control.Options{Service: func(control.Caller) control.Service { return &fake{} },
			Tokens: func() []control.Token { return list }, Refused: func(_ control.Caller, code string) { refused = append(refused, code) }}, ownSecret)
		w := ask(h, "status", "{}", "", func(r *http.Request) { r.Header.Set("Authorization", c.header) })
		if w.Code != c.want {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
		}
		if told := len(refused) == 1 && refused[0] == "TokenRefused"; told != (c.want == 401) {
			t.Errorf("%s: told of the refusals %q", name, refused)
		}
		for _, secret := range append([]string{ownSecret}, secrets[1], secrets[2], secrets[3]) {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s: the answer gives a token away: %s", name, w.Body)
			}
		}
	}
}

// Tokens that a reload takes away are worthless at once.
func TestTokensChangeWhileTheDaemonRuns(t *testing.T) {
	list, secrets := bearers()
	h := control.NewHandler(t.Context(), control.Options{Service: func(control.Caller) control.Service { return &fake{} },
		Tokens: func() []control.Token { return list }}, ownSecret)
	before := ask(h, "status", "{}", secrets[control.Reader], nil).Code
	list = list[1:]
	if after := ask(h, "status", "{}", secrets[control.Reader], nil).Code; before != 200 || after != 401 {
		t.Errorf("before and after it was taken away: got %d and %d, want 200 and 401", before, after)
	}
}

func TestNoBrowserAndNoForeignNameIsLetIn(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, c := range map[string]struct {
		edit func(*http.Request)
		want int
	}{
		"loopback":                      {host("127.0.0.1:7070"), 200},
		"another loopback address":      {host("127.8.9.10:7070"), 200},
		"localhost in capitals":         {host("LOCALHOST:7070"), 200},
		"localhost without a port":      {host("localhost"), 200},
		"IPv6":                          {host("[::1]:7070"), 200},
		"IPv6 without a port":           {host("[::1]"), 200},
		"IPv4 in IPv6":                  {host("[::ffff:127.0.0.1]:7070"), 200},
		"IPv6 with a zone":              {host("[::1%eth0]:7070"), 421},
		"all addresses":                 {host("0.0.0.0:7070"), 421},
		"all IPv6 addresses":            {host("[::]:7070"), 421},
		"no host":                       {host(""), 421},
		"a name that resolves here":     {host("attacker.example:7070"), 421},
		"a name that begins as here":    {host("127.0.0.1.attacker.example"), 421},
		"a name that ends as here":      {host("attacker.localhost:7070"), 421},
		"a user in the host":            {host("127.0.0.1@attacker.example:7070"), 421},
		"a number as address":           {host("2130706433:7070"), 421},
		"a short address":               {host("127.1:7070"), 421},
		"a page":                        {header("Origin", "https://attacker.example"), 403},
		"a page of this host":           {header("Origin", "http://127.0.0.1:7070"), 403},
		"a page without origin":         {header("Origin", "null"), 403},
		"an empty origin":               {header("Origin", ""), 403},
		"a navigation":                  {header("Sec-Fetch-Mode", "navigate"), 403},
		"another site":                  {header("Sec-Fetch-Site", "cross-site"), 403},
		"the same site":                 {header("Sec-Fetch-Site", "same-origin"), 403},
		"a link":                        {header("Referer", "https://attacker.example/"), 403},
		"a form":                        {header("Content-Type", "application/x-www-form-urlencoded"), 415},
		"a form with files":             {header("Content-Type", "multipart/form-data; boundary=x"), 415},
		"plain text":                    {header("Content-Type", "text/plain; charset=application/json"), 415},
		"JSON with a character set":     {header("Content-Type", "application/json; charset=utf-8"), 200},
		"no content type":               {header("Content-Type", ""), 415},
		"a question before the request": {func(r *http.Request) { r.Method = http.MethodOptions; r.Header.Set("Origin", "https://a.example") }, 403},
	} {
		f := &fake{}
		w := ask(control.NewHandler(t.Context(), serving(f), ownSecret), "status", "{}", ownSecret, c.edit)
		if w.Code != c.want || (f.last() != nil) != (c.want == 200) {
			t.Errorf("%s: got %d %s and the service was asked: %v; want %d", name, w.Code, w.Body, f.last() != nil, c.want)
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: the answer lets pages of %s read it", name, got)
		}
	}
}

func TestRequestsWithAnAbsoluteAddressAreJudgedByIt(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "http://attacker.example/v1/status", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+ownSecret)
	w := httptest.NewRecorder()
	control.NewHandler(t.Context(), serving(&fake{}), ownSecret).ServeHTTP(w, r)
	if w.Code != http.StatusMisdirectedRequest {
		t.Errorf("got %d, want %d", w.Code, http.StatusMisdirectedRequest)
	}
}

// One caller's haste is put off, with how long; another caller is not slowed by it.
func TestWhoAsksTooOftenIsPutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list, secrets := bearers()
		h := control.NewHandler(t.Context(), control.Options{Service: func(control.Caller) control.Service { return &fake{} },
			Tokens: func() []control.Token { return list }}, ownSecret)
		answered, putOff := 0, 0
		for range 150 {
			switch w := ask(h, "status", "{}", secrets[control.Reader], nil); w.Code {
			case 200:
				answered++
			case http.StatusTooManyRequests:
				putOff++
				if got := w.Header().Get("Retry-After"); got != "1" {
					t.Fatalf("Retry-After: got %q, want 1", got)
				}
			}
		}
		if answered != 100 || putOff != 50 {
			t.Errorf("of 150 at once: %d answered, %d put off; want 100 and 50", answered, putOff)
		}
		if w := ask(h, "status", "{}", secrets[control.Operator], nil); w.Code != 200 {
			t.Errorf("another caller: got %d, want 200", w.Code)
		}
	})
}

// Wrong tokens are bounded together, and whoever has a right one never waits for them.
func TestGuessesAreBoundedAndHinderNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := control.NewHandler(t.Context(), serving(&fake{}), ownSecret)
		codes := map[int]int{}
		for i := range 50 {
			codes[ask(h, "status", "{}", fmt.Sprint("guess", i), nil).Code]++
		}
		if codes[401] != 20 || codes[429] != 30 {
			t.Errorf("got %v, want 20 refused and 30 put off", codes)
		}
		if w := ask(h, "status", "{}", ownSecret, nil); w.Code != 200 {
			t.Errorf("a right token meanwhile: got %d, want 200", w.Code)
		}
	})
}

// What is put off is done later: the client waits as it is told.
func TestTheClientWaitsAsItIsTold(t *testing.T) {
	list, secrets := bearers()
	h := control.NewHandler(t.Context(), control.Options{Service: func(control.Caller) control.Service { return &fake{} },
		Tokens: func() []control.Token { return list }}, ownSecret)
	putOff := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "status") && putOff < 1 {
			putOff++
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := control.Dial(t.Context(), control.Address{Host: strings.TrimPrefix(server.URL, "http://")}, secrets[control.Reader])
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := client.Status(t.Context(), ""); err != nil || putOff != 1 {
		t.Errorf("got %v after %d times put off, want an answer after one", err, putOff)
	}
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("waited %s, want the second that it was told", waited)
	}
}

func TestARoleThatIsTooLowIsAMissingPermission(t *testing.T) {
	list, secrets := bearers()
	address := control.Address{Host: "127.0.0.1:0"}
	_, server, _ := serveWith(t, control.Options{Service: func(control.Caller) control.Service { return &fake{} },
		Tokens: func() []control.Token { return list }}, address)
	client, err := control.Dial(t.Context(), server.Address(), secrets[control.Reader])
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Sync(t.Context(), engine.SyncRequest{Job: "j"}, nil)
	if told := engine.AsError(err); told.Class != engine.ClassSignIn || told.Permission != "role operator" {
		t.Errorf("Sync as reader: got %+v, want class signIn and the role operator", told)
	}
	if err := client.Restart(t.Context(), "j"); engine.AsError(err).Permission != "role approver" {
		t.Errorf("Restart as reader: got %v", err)
	}
	if _, err := client.Status(t.Context(), ""); err != nil {
		t.Errorf("Status as reader: %v", err)
	}
}

// Over a socket the caller is the user at its other end, whom the kernel names; a
// token narrows him, and a wrong one lets nobody in.
func TestWhoCallsOverASocket(t *testing.T) {
	list, secrets := bearers()
	var callers []control.Caller
	address := socket(t)
	client, server, _ := serveWith(t, control.Options{Tokens: func() []control.Token { return list },
		Service: func(c control.Caller) control.Service { callers = append(callers, c); return &fake{} }}, address)
	if err := client.Because("ticket 7 & more\n").Restart(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	narrowed, err := control.Dial(t.Context(), server.Address(), secrets[control.Reader])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := narrowed.Status(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := narrowed.Restart(t.Context(), "j"); err == nil {
		t.Error("a reader's token over the socket: restart got no error")
	}
	if _, err := control.Dial(t.Context(), server.Address(), "wrong"); err == nil {
		t.Error("a wrong token over the socket is let in")
	}
	if len(callers) != 2 {
		t.Fatalf("got callers %+v, want two", callers)
	}
	if c := callers[0]; c.Name == "" || c.Via != "socket" || c.Role != control.Approver || c.Reason != "ticket 7 & more\n" {
		t.Errorf("without a token: got %+v", c)
	}
	if c := callers[1]; !strings.HasPrefix(c.Name, "token reader") || c.Role != control.Reader || c.Reason != "" {
		t.Errorf("with a token: got %+v", c)
	}
}

// Any bytes: no request is answered by the service unless it is one, and no answer
// is anything but JSON without the token.
func FuzzControlRequest(f *testing.F) {
	for _, r := range control.Routes() {
		f.Add(r.Name, bodyOf(r), "")
	}
	f.Add("sync", `{"job":"a","accept":true}`, "https://x")
	f.Add("logs", `{"since":"2026-11-22T08:20:00Z","limit":-1,"afterSeq":18446744073709551615}`, "")
	f.Add("audit", `{"follow":true}{}`, "")
	f.Add("../../x", strings.Repeat("[", 10_000), "")
	f.Fuzz(func(t *testing.T, route, body, reason string) {
		service := &fake{}
		h := control.NewHandler(t.Context(), serving(service), ownSecret)
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
		r.URL.Path = "/v1/" + route
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+ownSecret)
		r.Header.Set("Tenantsync-Reason", reason)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), ownSecret) && !strings.Contains(body, ownSecret) {
			t.Errorf("the answer gives the token away: %s", w.Body)
		}
		if service.last() != nil && !json.Valid([]byte(body)) {
			t.Errorf("%s was carried out for %q, which is no JSON", route, body)
		}
		if w.Code == http.StatusOK && service.last() == nil && route != "cancel" {
			t.Errorf("%s is answered with 200 and was not carried out", route)
		}
	})
}

// Whatever headers say, nobody is served over a port without a token that is valid,
// under a name that is not this machine's, or for a web page.
func FuzzAdmission(f *testing.F) {
	f.Add("127.0.0.1:7423", "Bearer "+ownSecret, "", "")
	f.Add("localhost", "bearer  "+ownSecret+" ", "Accept", "*/*")
	f.Add("evil.example", "Bearer "+ownSecret, "", "")
	f.Add("127.0.0.1", "Bearer "+ownSecret+"x", "Origin", "https://evil.example")
	f.Add("[::1]:1", "Basic "+ownSecret, "Sec-Fetch-Site", "none")
	f.Add("0.0.0.0", "", "Referer", "http://127.0.0.1/")
	f.Add("127.0.0.1.evil.example", "Bearer", "Content-Type", "text/plain")
	f.Fuzz(func(t *testing.T, host, authorization, name, value string) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/restart", strings.NewReader(`{"job":"j"}`))
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		r.Header.Set("Authorization", authorization)
		service := &fake{}
		w := httptest.NewRecorder()
		control.NewHandler(t.Context(), serving(service), ownSecret).ServeHTTP(w, r)
		_, token, _ := strings.Cut(authorization, " ")
		here := strings.HasPrefix(strings.ToLower(host), "localhost") || strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "[") || strings.Contains(host, ":")
		if served := len(service.calls) > 0; served && (strings.TrimSpace(token) != ownSecret || !here || r.Header.Get("Origin") != "") {
			t.Errorf("host %q, authorization %q, %q: %q was served", host, authorization, name, value)
		}
		if w.Code == http.StatusOK != (len(service.calls) > 0) || strings.Contains(w.Body.String(), ownSecret) {
			t.Errorf("got %d and %d calls: %s", w.Code, len(service.calls), w.Body)
		}
	})
}
