package importer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/internal/config"
	"tenantsync/internal/config/importer"
	"tenantsync/internal/sharedtest"
)

// tenants are what a job needs around it to be a whole configuration.
const tenants = `version: 1
tenants:
  source: {tenantId: 11111111-1111-1111-1111-111111111111, credential: {kind: managedIdentity}}
  target: {tenantId: 22222222-2222-2222-2222-222222222222, credential: {kind: managedIdentity}}
`

// load loads a job as part of a configuration, from its YAML and from its JSON.
func load(t *testing.T, j *importer.Job) (fromYAML, fromJSON *config.Job) {
	t.Helper()
	var y bytes.Buffer
	if err := j.WriteYAML(&y); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []*config.Job
	for _, text := range []string{y.String(), "  " + string(raw) + "\n"} {
		if strings.HasPrefix(text, "  {") {
			text = "  [" + strings.TrimSpace(text) + "]\n"
		}
		c, err := config.Parse("config.yaml", []byte(tenants+"jobs:\n"+text), config.Options{Env: func(string) (string, bool) { return "", false }})
		if err != nil {
			t.Fatalf("the job is not valid: %v\n%s", err, text)
		}
		if len(c.Jobs) != 1 {
			t.Fatalf("got %d jobs, want 1\n%s", len(c.Jobs), text)
		}
		jobs = append(jobs, c.Jobs[0])
	}
	return jobs[0], jobs[1]
}

func imported(t *testing.T, schema string) *importer.Job {
	t.Helper()
	j, err := importer.Schema([]byte(schema), importer.Settings{})
	if err != nil {
		t.Fatalf("%v\n%s", err, schema)
	}
	return j
}

// of wraps attribute mappings, or other members of the object mapping, into a schema.
func of(attributeMappings string, members ...string) string {
	return fmt.Sprintf(`{"synchronizationRules":[{"name":"r","objectMappings":[{"name":"Users","sourceObjectName":"User","targetObjectName":"User",
"attributeMappings":[%s]%s}]}]}`, attributeMappings, strings.Join(append([]string{""}, members...), ","))
}

// notes are the notes of a job, a line each.
func notes(j *importer.Job) []string {
	var list []string
	for _, n := range j.Notes {
		list = append(list, n.Message())
	}
	return list
}

// shared finds a file of the reference material, which is no part of the
// repository.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(sharedtest.File(t, "reference/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The default schema of cross-tenant synchronization comes over with nothing
// reported but the rows that public Graph cannot carry.
func TestDefaultSchema(t *testing.T) {
	raw := shared(t, "azure2azure-schema.json")
	j, err := importer.Schema(raw, importer.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var where []string
	for _, n := range j.Notes {
		where = append(where, n.Kind.String()+" "+n.Where)
	}
	want := []string{"left out alternativeSecurityIds", "left out IsSoftDeleted", "left out mailNickname", "left out userPrincipalName"}
	if d := cmp.Diff(want, where); d != "" {
		t.Errorf("notes (-want +got):\n%s", d)
	}
	if got, want := len(j.Mappings), 20; got != want {
		t.Errorf("got %d mappings, want %d", got, want)
	}
	job, _ := load(t, j)
	if !job.Enabled {
		t.Error("the job is not enabled; nothing of its scope was lost")
	}
	if !slices.Equal(job.Schema.References(), []string{"manager"}) {
		t.Errorf("got references %v, want manager", job.Schema.References())
	}
}
