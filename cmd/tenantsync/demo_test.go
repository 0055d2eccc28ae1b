package main

import (
	"strings"
	"testing"
	"unicode"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/store"
)

func writtenFile(t *testing.T, build func() (entrasim.File, error)) string {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := file.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDemoTenantsAreTheSameAtEveryStart(t *testing.T) {
	for name, build := range map[string]func() (entrasim.File, error){"source": demoSourceFile, "target": demoTargetFile} {
		if a, b := writtenFile(t, build), writtenFile(t, build); a != b {
			t.Errorf("%s: two calls differ", name)
		}
	}
}

func TestDemoSource(t *testing.T) {
	text := writtenFile(t, demoSourceFile)
	file, err := entrasim.ParseFile(strings.NewReader(text))
	if err != nil {
		t.Fatalf("the source is no tenant file: %v", err)
	}
	if len(file.Users) != demoSize {
		t.Errorf("users: got %d, want %d", len(file.Users), demoSize)
	}
	upns, planted := map[string]bool{}, 0
	scripts := map[string]bool{}
	for _, u := range file.Users {
		upn := u.String("userPrincipalName")
		if upns[strings.ToLower(upn)] {
			t.Errorf("user principal name %s occurs twice", upn)
		}
		upns[strings.ToLower(upn)] = true
		if _, wrong := demoPlanted()[upn]; wrong {
			planted++
		}
		for _, r := range upn {
			if r > unicode.MaxASCII {
				t.Errorf("user principal name %s is not plain", upn)
			}
		}
		for name, table := range map[string]*unicode.RangeTable{"Latin": unicode.Latin, "Greek": unicode.Greek, "Cyrillic": unicode.Cyrillic, "Arabic": unicode.Arabic,
			"Hebrew": unicode.Hebrew, "Devanagari": unicode.Devanagari, "Han": unicode.Han, "Hiragana": unicode.Hiragana, "Hangul": unicode.Hangul, "Thai": unicode.Thai} {
			if strings.ContainsFunc(u.String("displayName"), func(r rune) bool { return unicode.Is(table, r) }) {
				scripts[name] = true
			}
		}
	}
	if planted != len(demoPlanted()) {
		t.Errorf("planted users: got %d, want %d", planted, len(demoPlanted()))
	}
	if len(scripts) != 10 {
		t.Errorf("scripts of names: got %v, want ten", scripts)
	}
}

func TestDemoJudgesExactlyThePlanted(t *testing.T) {
	all := make([]demoFailure, 0, len(demoPlanted()))
	var planted []string
	for upn := range demoPlanted() {
		planted = append(planted, upn)
		all = append(all, demoFailure{UPN: upn})
	}
	tests := []struct {
		name     string
		failures []demoFailure
		failed   int
		want     string // in the error, "" for none
	}{
		{"exactly those", all, len(all), ""},
		{"one too few", all[1:], len(all) - 1, all[0].UPN + " did not fail"},
		{"one too many", append([]demoFailure{{UPN: "anna.berg@contoso.example"}}, all...), len(all) + 1, "anna.berg@contoso.example failed"},
		{"a count that does not fit", all, len(all) + 1, "5 of 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &demoResult{SyncResult: engine.SyncResult{Summary: store.Summary{Failed: tt.failed}}, Planted: planted, Failures: tt.failures}
			err := r.judge()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if err != nil && exitCode(err) != exitFailed {
				t.Errorf("exit code: got %d, want %d", exitCode(err), exitFailed)
			}
		})
	}
}
