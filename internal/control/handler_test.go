package control_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tenantsync/internal/control"
)

func TestWhoIsLetIn(t *testing.T) {
	const token = "secret-token"
	type request struct {
		method, path, host, body string
		header                   map[string]string
	}
	good := map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json"}
	with := func(name, value string) map[string]string {
		h := map[string]string{}
		for k, v := range good {
			h[k] = v
		}
		h[name] = value
		return h
	}
	status := `{"job":""}`
	cases := map[string]struct {
		request
		want int
	}{
		"the command line":         {request{"POST", "/v1/status", "127.0.0.1:7070", status, good}, 200},
		"IPv6 loopback":            {request{"POST", "/v1/status", "[::1]:7070", status, good}, 200},
		"localhost":                {request{"POST", "/v1/status", "localhost:7070", status, good}, 200},
		"health needs the token":   {request{"GET", "/v1/health", "127.0.0.1:7070", "", nil}, 401},
		"no token":                 {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Authorization", "")}, 401},
		"wrong token":              {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Authorization", "Bearer secret-tokem")}, 401},
		"token as a prefix":        {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Authorization", "Bearer secret-token2")}, 401},
		"a name that was rebound":  {request{"POST", "/v1/status", "attacker.example:7070", status, good}, 421},
		"a name like loopback":     {request{"POST", "/v1/status", "127.0.0.1.attacker.example", status, good}, 421},
		"a page of another origin": {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Origin", "https://attacker.example")}, 403},
		"a page of no origin":      {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Origin", "null")}, 403},
		"a form":                   {request{"POST", "/v1/status", "127.0.0.1:7070", status, with("Content-Type", "text/plain")}, 415},
		"unknown route":            {request{"POST", "/v1/nothing", "127.0.0.1:7070", "{}", good}, 404},
		"wrong method":             {request{"GET", "/v1/status", "127.0.0.1:7070", "", good}, 405},
		"unknown field":            {request{"POST", "/v1/status", "127.0.0.1:7070", `{"jobb":"x"}`, good}, 400},
		"not JSON":                 {request{"POST", "/v1/status", "127.0.0.1:7070", `{`, good}, 400},
		"two documents":            {request{"POST", "/v1/status", "127.0.0.1:7070", status + status, good}, 400},
		"too large":                {request{"POST", "/v1/status", "127.0.0.1:7070", `{"job":"` + strings.Repeat("x", 1<<20) + `"}`, good}, 413},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := &fake{}
			h := control.NewHandler(t.Context(), serving(f), token)
			r := httptest.NewRequest(c.method, "http://"+c.host+c.path, strings.NewReader(c.body))
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				body, _ := io.ReadAll(w.Body)
				t.Errorf("got %d %s, want %d", w.Code, body, c.want)
			}
			if reached := f.last() != nil; reached != (c.want == 200) {
				t.Errorf("the service was asked: %v, want %v", reached, c.want == 200)
			}
			if got := w.Body.String(); strings.Contains(got, token) {
				t.Errorf("the answer gives the token away: %s", got)
			}
		})
	}
}

func TestOverASocketNoTokenIsAskedForButPagesAreRefused(t *testing.T) {
	h := control.NewHandler(t.Context(), serving(&fake{}), "")
	for name, c := range map[string]struct {
		origin string
		want   int
	}{"command": {"", 200}, "page": {"http://localhost", 403}} {
		r := httptest.NewRequest(http.MethodGet, "http://tenantsync/v1/health", nil)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d", name, w.Code, c.want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	cases := map[string]struct {
		want string // "" = refused
	}{
		"unix:/run/tenantsync/control.sock": {"unix:/run/tenantsync/control.sock"},
		"unix:///run/control.sock":          {"unix:/run/control.sock"},
		"unix:control.sock":                 {"unix:control.sock"},
		"127.0.0.1:7070":                    {"127.0.0.1:7070"},
		"[::1]:7070":                        {"[::1]:7070"},
		"localhost:7070":                    {"localhost:7070"},
		"http://127.0.0.1:7070":             {"127.0.0.1:7070"},
		"http://127.0.0.1:7070/":            {"127.0.0.1:7070"},
		"https://127.0.0.1:7070":            {""},
		"http://127.0.0.1:7070/v1":          {""},
		"http://user@127.0.0.1:7070":        {""},
		"0.0.0.0:7070":                      {""},
		"10.0.0.1:7070":                     {""},
		"example.com:7070":                  {""},
		":7070":                             {""},
		"unix:":                             {""},
		"":                                  {""},
		"control.sock":                      {""},
	}
	for text, c := range cases {
		got, err := control.ParseAddress(text)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("ParseAddress(%q): got %s, want an error", text, got)
		case c.want != "" && (err != nil || got.String() != c.want):
			t.Errorf("ParseAddress(%q): got %s, %v, want %s", text, got, err, c.want)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"unix:/a", "127.0.0.1:1", "http://[::1]:2/", "unix:", "::", "http://%zz"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := control.ParseAddress(text)
		if err != nil {
			return
		}
		again, err := control.ParseAddress(a.String())
		if err != nil || again != a {
			t.Errorf("ParseAddress(%q) = %v, which reads back as %v, %v", text, a, again, err)
		}
	})
}
