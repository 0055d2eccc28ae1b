package control_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tenantsync/directory"
	"tenantsync/engine"
	"tenantsync/internal/control"
	"tenantsync/store"
)

// serving answers everybody with f.
func serving(f *fake) control.Options {
	return control.Options{Service: func(control.Caller) control.Service { return f }}
}

// serve runs a daemon's control interface over f and returns a client of it.
func serve(t *testing.T, f *fake, address control.Address) (*control.Client, *control.Server, context.CancelFunc) {
	t.Helper()
	return serveWith(t, serving(f), address)
}

func serveWith(t *testing.T, o control.Options, address control.Address) (*control.Client, *control.Server, context.CancelFunc) {
	t.Helper()
	tokenFile := filepath.Join(t.TempDir(), "state.db.token")
	server, err := control.Listen(address, tokenFile)
	if err != nil {
		t.Fatalf("Listen(%s): %v", address, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := server.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := os.Stat(tokenFile); err == nil {
			t.Errorf("token file is left after Close")
		}
	})
	token := ""
	if address.Socket == "" {
		if token, err = control.ReadToken(tokenFile); err != nil {
			t.Fatal(err)
		}
	}
	client, err := control.Dial(t.Context(), server.Address(), token)
	if err != nil {
		t.Fatalf("Dial(%s): %v", server.Address(), err)
	}
	return client, server, cancel
}

func socket(t *testing.T) control.Address {
	t.Helper()
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return control.Address{Socket: filepath.Join(dir, "control.sock")}
}

// addresses are both kinds of listening; every promise holds over both.
func addresses(t *testing.T) map[string]control.Address {
	return map[string]control.Address{"unix": socket(t), "tcp": {Host: "127.0.0.1:0"}}
}

func TestEveryMethodReachesTheServiceWithItsArguments(t *testing.T) {
	query := store.LogQuery{ID: "i", Job: "j", Since: began, Until: began.Add(1), User: "u", Actions: []string{"create"},
		Statuses: []string{"failure"}, Code: "c", Cycle: "y", Change: "h", Limit: 3, Follow: true, AfterSeq: 1 << 60, BeforeSeq: 1 << 61}
	acts := store.AuditQuery{Since: began, Until: began.Add(1), Actor: "a", Act: "pause", Outcome: "done", Job: "j", Limit: 3, Follow: true, AfterSeq: 1 << 60, BeforeSeq: 1 << 61}
	list := []string{"a@x", "b@x"}
	calls := map[string]struct {
		want any
		do   func(context.Context, control.Service) error
	}{
		"sync": {engine.SyncRequest{Job: "j", Initial: true, Accept: true, Trigger: "command"}, func(ctx context.Context, s control.Service) error {
			_, err := s.Sync(ctx, engine.SyncRequest{Job: "j", Initial: true, Accept: true, Trigger: "command"}, nil)
			return err
		}},
		"plan": {engine.PlanRequest{Job: "j", User: "u"}, func(ctx context.Context, s control.Service) error {
			_, err := s.Plan(ctx, engine.PlanRequest{Job: "j", User: "u"}, nil)
			return err
		}},
		"provision": {engine.ProvisionRequest{User: "u", Job: "j", DryRun: true, Restore: true}, func(ctx context.Context, s control.Service) error {
			_, err := s.Provision(ctx, engine.ProvisionRequest{User: "u", Job: "j", DryRun: true, Restore: true})
			return err
		}},
		"status":    {"j", func(ctx context.Context, s control.Service) error { _, err := s.Status(ctx, "j"); return err }},
		"explain":   {[2]string{"u", "j"}, func(ctx context.Context, s control.Service) error { _, err := s.Explain(ctx, "u", "j"); return err }},
		"approles":  {[2]string{"u", "j"}, func(ctx context.Context, s control.Service) error { _, err := s.AppRoles(ctx, "u", "j"); return err }},
		"scopetest": {[2]string{"u", "j"}, func(ctx context.Context, s control.Service) error { _, err := s.ScopeTest(ctx, "u", "j"); return err }},
		"start":     {"j", func(ctx context.Context, s control.Service) error { return s.Start(ctx, "j") }},
		"pause":     {"j", func(ctx context.Context, s control.Service) error { return s.Pause(ctx, "j") }},
		"restart":   {"j", func(ctx context.Context, s control.Service) error { return s.Restart(ctx, "j") }},
		"held":      {users{"j", nil, true}, func(ctx context.Context, s control.Service) error { _, err := s.Held(ctx, "j", true); return err }},
		"allow": {users{"j", list, false}, func(ctx context.Context, s control.Service) error {
			_, err := s.Allow(ctx, "j", list, false)
			return err
		}},
		"reject": {users{"j", nil, true}, func(ctx context.Context, s control.Service) error {
			_, err := s.Reject(ctx, "j", nil, true)
			return err
		}},
		"retries":  {"j", func(ctx context.Context, s control.Service) error { _, err := s.Retries(ctx, "j"); return err }},
		"retrynow": {users{"j", list, false}, func(ctx context.Context, s control.Service) error { _, err := s.RetryNow(ctx, "j", list); return err }},
		"audit":    {acts, func(ctx context.Context, s control.Service) error { _, err := s.Audit(ctx, acts); return err }},
		"logs":     {query, func(ctx context.Context, s control.Service) error { _, err := s.Logs(ctx, query); return err }},
	}
	for kind, address := range addresses(t) {
		t.Run(kind, func(t *testing.T) {
			f := &fake{}
			client, _, _ := serve(t, f, address)
			for method, c := range calls {
				if err := c.do(t.Context(), client); err != nil {
					t.Errorf("%s: %v", method, err)
				}
				if got, want := f.last(), any(call{method, c.want}); !cmp.Equal(got, want) {
					t.Errorf("%s:\n got %+v\nwant %+v", method, got, want)
				}
			}
		})
	}
}

func TestResultsAreThoseOfTheService(t *testing.T) {
	for kind, address := range addresses(t) {
		t.Run(kind, func(t *testing.T) {
			f := &fake{entries: []store.Entry{{Seq: 7, ID: "e7", Action: "create"}, {Seq: 6, ID: "e6"}}}
			client, _, _ := serve(t, f, address)
			compare := func(what string, remote, local any, errs ...error) {
				t.Helper()
				if err := errors.Join(errs...); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if diff := cmp.Diff(local, remote); diff != "" {
					t.Errorf("%s differs through the daemon (-want +got):\n%s", what, diff)
				}
			}
			var near, far []engine.Progress
			local, err1 := f.Sync(t.Context(), engine.SyncRequest{Job: "j"}, func(p engine.Progress) { near = append(near, p) })
			remote, err2 := client.Sync(t.Context(), engine.SyncRequest{Job: "j"}, func(p engine.Progress) { far = append(far, p) })
			compare("Sync", remote, local, err1, err2)
			compare("progress", far, near)

			lp, err1 := f.Plan(t.Context(), engine.PlanRequest{Job: "j"}, func(engine.Progress) {})
			rp, err2 := client.Plan(t.Context(), engine.PlanRequest{Job: "j"}, nil)
			compare("Plan", rp, lp, err1, err2)

			ls, err1 := f.Status(t.Context(), "")
			rs, err2 := client.Status(t.Context(), "")
			compare("Status", rs, ls, err1, err2)

			re, err2 := client.Logs(t.Context(), store.LogQuery{})
			compare("Logs", re, f.entries, err2)

			ld, err1 := f.Allow(t.Context(), "j", nil, true)
			rd, err2 := client.Allow(t.Context(), "j", nil, true)
			compare("Allow", rd, ld, err1, err2)
		})
	}
}

func TestErrorsKeepTheirClassAndAdvice(t *testing.T) {
	known := &engine.Error{Class: engine.ClassSignIn, Code: "Authorization_RequestDenied", Message: "cannot invite users into fabrikam.com.",
		Cause: "Graph answered 403", Action: "grant User.Invite.All", Permission: "User.Invite.All", RequestID: "r1"}
	cases := map[string]struct {
		err  error
		want engine.Error
	}{
		"an engine error": {known, *known},
		"a plain error":   {errPlain, engine.Error{Class: engine.ClassFailed, Code: "Failed", Message: "disk full"}},
		"a denied call": {&directory.Error{Op: "invite user", Kind: directory.Denied, Status: 403, Code: "Denied", Permission: "P", RequestID: "r"},
			engine.Error{Class: engine.ClassSignIn, Code: "Denied", Message: "invite user: 403 Denied", Permission: "P", RequestID: "r"}},
	}
	f := &fake{}
	client, _, _ := serve(t, f, socket(t))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f.err = c.err
			_, syncErr := client.Sync(t.Context(), engine.SyncRequest{}, nil)
			_, heldErr := client.Held(t.Context(), "j", false)
			for method, err := range map[string]error{"Sync": syncErr, "Held": heldErr, "Start": client.Start(t.Context(), "j")} {
				var got *engine.Error
				if !errors.As(err, &got) {
					t.Errorf("%s: got %v, want an *engine.Error", method, err)
				} else if diff := cmp.Diff(c.want, *got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", method, diff)
				}
			}
		})
	}
}

func TestSentinelsSurviveTheWay(t *testing.T) {
	f := &fake{}
	client, _, _ := serve(t, f, socket(t))
	for _, sentinel := range []error{store.ErrNotFound, store.ErrAmbiguousID, store.ErrFormat} {
		f.err = errors.Join(errors.New("show entry"), sentinel)
		if _, err := client.Logs(t.Context(), store.LogQuery{}); !errors.Is(err, sentinel) {
			t.Errorf("got %v, want it to be %v", err, sentinel)
		}
	}
}

func TestInterruptingAClientEndsItsCycleInAnOrderlyWay(t *testing.T) {
	f := &fake{hold: true, began: make(chan struct{}, 1), ended: make(chan error, 1)}
	client, _, _ := serve(t, f, socket(t))
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-f.began
		interrupt()
	}()
	got, err := client.Sync(ctx, engine.SyncRequest{Job: "j"}, nil)
	if err != nil || got.Outcome != store.OutcomeInterrupted {
		t.Errorf("got outcome %q, error %v; want what the cycle did, interrupted", got.Outcome, err)
	}
	if err := <-f.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the cycle's context ended with %v, want %v", err, context.Canceled)
	}
}

func TestAClientInterruptedAtOnceStillStopsItsCycle(t *testing.T) {
	f := &fake{hold: true, began: make(chan struct{}, 1), ended: make(chan error, 1)}
	client, _, _ := serve(t, f, socket(t))
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	got, err := client.Sync(ctx, engine.SyncRequest{Job: "j"}, nil)
	if err != nil || got.Outcome != store.OutcomeInterrupted {
		t.Errorf("got outcome %q, error %v; want interrupted", got.Outcome, err)
	}
}

func TestStoppingTheDaemonEndsCyclesOfItsClients(t *testing.T) {
	f := &fake{hold: true, began: make(chan struct{}, 1), ended: make(chan error, 1)}
	client, _, stop := serve(t, f, socket(t))
	go func() {
		<-f.began
		stop()
	}()
	got, err := client.Sync(t.Context(), engine.SyncRequest{Job: "j"}, nil)
	if err != nil || got.Outcome != store.OutcomeInterrupted {
		t.Errorf("got outcome %q, error %v; want the client to be told that the cycle was interrupted", got.Outcome, err)
	}
}

func TestPlanEndsWithItsClient(t *testing.T) {
	f := &fake{hold: true, began: make(chan struct{}, 1), ended: make(chan error, 1)}
	client, _, _ := serve(t, f, socket(t))
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-f.began
		interrupt()
	}()
	if _, err := client.Plan(ctx, engine.PlanRequest{Job: "j"}, nil); err == nil {
		t.Error("got a plan, want an error")
	}
	if err := <-f.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the plan's context ended with %v, want %v", err, context.Canceled)
	}
}

func TestDialWithoutADaemonIsUnreachable(t *testing.T) {
	gone := socket(t)
	for name, address := range map[string]control.Address{"no socket": gone, "no port": {Host: "127.0.0.1:1"}} {
		_, err := control.Dial(t.Context(), address, "x")
		if !errors.Is(err, control.ErrUnreachable) {
			t.Errorf("%s: got %v, want ErrUnreachable", name, err)
		}
	}
}

func TestTheSocketBelongsToTheUserAlone(t *testing.T) {
	address := socket(t)
	serve(t, &fake{}, address)
	info, err := os.Lstat(address.Socket)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); runtime.GOOS != "windows" && got != 0o600 { // modes are not the access control there
		t.Errorf("mode of the socket: got %o, want 600", got)
	}
}

func TestTheTokenFileBelongsToTheUserAloneAndIsNewEachTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.db.token")
	var tokens []string
	for range 2 {
		server, err := control.Listen(control.Address{Host: "127.0.0.1:0"}, file)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); runtime.GOOS != "windows" && got != 0o600 {
			t.Errorf("mode of the token file: got %o, want 600", got)
		}
		token, err := control.ReadToken(file)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(tokens[0]) < 26 || tokens[0] == tokens[1] {
		t.Errorf("got tokens %q, want two long and different ones", tokens)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	address := socket(t)
	first, err := control.Listen(address, "")
	if err != nil {
		t.Fatal(err)
	}
	// A killed daemon leaves its file: keep it under another name over Close.
	kept := address.Socket + ".kept"
	if err := os.Rename(address.Socket, kept); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, address.Socket); err != nil {
		t.Fatal(err)
	}
	if client, _, _ := serve(t, &fake{}, address); client == nil {
		t.Error("no client")
	}
}

func TestALivingDaemonKeepsItsSocket(t *testing.T) {
	address := socket(t)
	client, _, _ := serve(t, &fake{}, address)
	if _, err := control.Listen(address, ""); !errors.Is(err, control.ErrInUse) {
		t.Errorf("second Listen: got %v, want ErrInUse", err)
	}
	if _, err := client.Status(t.Context(), ""); err != nil {
		t.Errorf("the first daemon no longer answers: %v", err)
	}
}

func TestAFileInTheWayIsLeftAlone(t *testing.T) {
	address := socket(t)
	if err := os.WriteFile(address.Socket, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(address, ""); err == nil {
		t.Error("Listen over a file: got no error")
	}
	if got, _ := os.ReadFile(address.Socket); string(got) != "mine" {
		t.Errorf("the file now holds %q, want it untouched", got)
	}
}

func TestAPathLongerThanTheSystemTakes(t *testing.T) {
	dir := filepath.Join(socketDir(t), strings.Repeat("d", 90), strings.Repeat("e", 60))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	address := control.Address{Socket: filepath.Join(dir, "control.sock")}
	if runtime.GOOS != "linux" {
		if _, err := control.Listen(address, ""); err == nil || !strings.Contains(err.Error(), "control.listen") {
			t.Errorf("got %v, want an error that says what to do", err)
		}
		return
	}
	client, _, _ := serve(t, &fake{}, address)
	if _, err := client.Status(t.Context(), ""); err != nil {
		t.Errorf("Status over a long path: %v", err)
	}
}

func socketDir(t *testing.T) string {
	t.Helper()
	return filepath.Dir(socket(t).Socket)
}

func TestServeEndsWithItsContextAndRemovesTheSocket(t *testing.T) {
	address := socket(t)
	server, err := control.Listen(address, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := server.Serve(ctx, serving(&fake{})); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := os.Lstat(address.Socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket after Close: got %v, want it gone", err)
	}
}
