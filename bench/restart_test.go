package bench_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tenantsync/directory"
	"tenantsync/internal/crashpoint"
	"tenantsync/store"
	"tenantsync/store/bolt"
)

// BenchmarkRestart measures how long a process takes from its start to the request
// with which it resumes a cycle that was killed between two pages, over a state file
// with 100 000 links. A build with crash points kills it just before that request.
//
//	go test ./bench -run '^$' -bench Restart -benchtime 5x
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	bin := buildCrashing(b, dir)
	writeTenants(b, dir, 500) // three pages
	sim := simulate(b, bin, dir)
	defer sim.stop()
	killed(b, bin, dir, crashpoint.After+"-commit:"+crashpoint.StagePage+":1")
	n := count()
	fillLinks(b, filepath.Join(dir, "state.db"), n)
	var took, cpu time.Duration
	b.ResetTimer()
	for range b.N {
		began := time.Now()
		cpu += killed(b, bin, dir, crashpoint.Before+"-request:"+crashpoint.Delta+":1")
		took += time.Since(began)
	}
	b.ReportMetric(float64(n), "links")
	b.ReportMetric(float64(took.Milliseconds())/float64(b.N), "ms-to-resume")
	b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms")
}

func buildCrashing(b *testing.B, dir string) string {
	b.Helper()
	bin := filepath.Join(dir, "tenantsync")
	out, err := exec.Command("go", "build", "-tags", "crashpoints", "-o", bin, "tenantsync/cmd/tenantsync").CombinedOutput()
	if err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// killed runs a cycle that dies at a point and returns the CPU it used until then.
func killed(b *testing.B, bin, dir, point string) time.Duration {
	b.Helper()
	cmd := exec.Command(bin, "-c", filepath.Join(dir, "config.yaml"), "sync", "source-to-target", "--no-progress")
	cmd.Env = append(os.Environ(), crashpoint.At+"="+point)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		b.Fatalf("%s: got %v, want the process to be killed\n%s", point, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// fillLinks adds links as cycles would have left them.
func fillLinks(b *testing.B, path string, n int) {
	b.Helper()
	s, err := bolt.Open(path, bolt.Options{NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}()
	pair := store.Pair{Source: "11111111-1111-4111-8111-111111111111", Target: "22222222-2222-4222-8222-222222222222"}
	exported := directory.AttributesOf(map[string]directory.Value{"displayName": directory.TextOf("Person"), "city": directory.TextOf("Bern"),
		"department": directory.TextOf("Research"), "accountEnabled": directory.BoolOf(true), "userType": directory.TextOf("Member")})
	for first := 0; first < n; first += 1000 {
		var batch store.Batch
		for i := first; i < min(first+1000, n); i++ {
			batch.PutLinks = append(batch.PutLinks, store.Link{Pair: pair, Job: "source-to-target", InScope: true, Exported: exported,
				SourceID: fmt.Sprintf("cccccccc-0000-4000-8000-%012d", i), TargetID: fmt.Sprintf("dddddddd-0000-4000-8000-%012d", i),
				UPN: fmt.Sprintf("other%06d@contoso.example", i), DisplayName: "Person", Addresses: []string{fmt.Sprintf("other%06d@contoso.example", i)}})
		}
		if err := s.Apply(context.Background(), &batch); err != nil {
			b.Fatal(err)
		}
	}
}
