package config

import (
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"tenantsync/mapping"
)

// What the file leaves out. The numbers stand once more in the JSON Schema's
// descriptions (types.go) and in config.example.yaml; a test compares the three.

func (c *Config) setDefaults() {
	c.Store = Store{Kind: Bolt, Path: "state.db", Reserve: 64 << 20, Backups: Backups{Every: Duration(24 * time.Hour), Keep: 7}}
	c.Control = Control{Listen: "unix:control.sock"}
	c.Logs = Logs{Retention: Duration(90 * 24 * time.Hour), Level: Info, Format: JSONFormat}
}

func (t *Tenant) setDefaults() { t.Cloud = Global }

func (m *Mapping) setDefaults() { m.FlowType, m.Drift = "Always", "overwrite" }

func (j *Job) setDefaults() {
	j.Enabled = true
	j.Schedule = "@every 40m"
	j.Location = time.Local
	j.Scope.Mode = Assigned
	j.TargetObjectActions = []ObjectAction{CreateObjects, UpdateObjects, DeleteObjects}
	j.Invitation.By = ByUserPrincipalName
	j.TargetBlock = KeepBlock
	j.Deprovision = Delete
	j.Deletions = Deletions{Prevent: true, Threshold: 500, Percent: 10,
		Window: Duration(7 * 24 * time.Hour), WindowThreshold: notWritten, WindowPercent: notWritten}
	j.Guards = Guards{ScopeShrink: 50, Changes: 10, Creates: 50, Updates: 50, Members: 10}
	j.Limits = Limits{WritesPerSecond: 18, ParallelReads: 4}
}

// notWritten stands for a number of the moving window until complete knows the
// threshold of one cycle. Nobody can write it: it has no meaning as a number.
const notWritten = math.MinInt32

// complete gives the moving window its numbers: it never holds what the threshold
// of one cycle is meant to let through, and a share that is off is off here too.
func (d *Deletions) complete() {
	if d.WindowThreshold == notWritten {
		d.WindowThreshold = max(5000, 10*d.Threshold)
	}
	if d.WindowPercent == notWritten {
		d.WindowPercent = min(100, max(25, 2.5*d.Percent))
		if d.Percent == 0 {
			d.WindowPercent = 0
		}
	}
}

// endpointsOf are the addresses of a national cloud.
// https://learn.microsoft.com/graph/deployments
func endpointsOf(c Cloud) Endpoints {
	switch c {
	case USGov:
		return Endpoints{Authority: "https://login.microsoftonline.us", Graph: "https://graph.microsoft.us/v1.0"}
	case USGovDoD:
		return Endpoints{Authority: "https://login.microsoftonline.us", Graph: "https://dod-graph.microsoft.us/v1.0"}
	case China:
		return Endpoints{Authority: "https://login.chinacloudapi.cn", Graph: "https://microsoftgraph.chinacloudapi.cn/v1.0"}
	}
	return Endpoints{Authority: "https://login.microsoftonline.com", Graph: "https://graph.microsoft.com/v1.0"}
}

// complete fills in the defaults that depend on other values, and makes paths
// absolute. It runs once everything is decoded, and judges nothing.
func (c *Config) complete(env func(string) (string, bool)) {
	for name, t := range c.Tenants {
		t.Name = name
		t.complete(c.Dir, env)
	}
	if c.Store.Path != "" {
		c.Store.Path = absolute(c.Dir, c.Store.Path)
	}
	// The socket lies beside the state file: two configurations with state files
	// in different folders never meet.
	if path, isSocket := strings.CutPrefix(c.Control.Listen, "unix:"); isSocket && path != "" {
		c.Control.Listen = "unix:" + absolute(filepath.Dir(c.Store.Path), path)
	}
	for i := range c.Control.Tokens {
		makeAbsolute(c.Dir, &c.Control.Tokens[i].TokenFile)
	}
	for _, j := range c.Jobs {
		j.Deletions.complete()
		if target := c.Tenants[j.Target]; target != nil && j.Invitation.RedirectURL == "" {
			j.Invitation.RedirectURL = redirectTo(target.TenantID)
		}
		if location, err := time.LoadLocation(j.TimeZone); j.TimeZone != "" && err == nil {
			j.Location = location
		}
	}
}

// redirectTo is My Apps of a tenant, where Entra itself sends invited users.
func redirectTo(tenantID string) string {
	return "https://myapplications.microsoft.com/?tenantid=" + tenantID
}

func (t *Tenant) complete(dir string, env func(string) (string, bool)) {
	standard := endpointsOf(t.Cloud)
	if t.Endpoints.Authority == "" {
		t.Endpoints.Authority = standard.Authority
	}
	if t.Endpoints.Graph == "" {
		t.Endpoints.Graph = standard.Graph
	}
	t.Endpoints.Authority = strings.TrimRight(t.Endpoints.Authority, "/")
	t.Endpoints.Graph = strings.TrimRight(t.Endpoints.Graph, "/")
	if u, err := url.Parse(t.Endpoints.Graph); err == nil && u.Host != "" && u.Path == "" {
		t.Endpoints.Graph += "/v1.0"
	}
	makeAbsolute(dir, &t.Endpoints.CAFile)
	for _, c := range []*Credential{t.Credential, t.WriteCredential} {
		if c == nil {
			continue
		}
		if c.Kind == WorkloadIdentity && c.TokenFile == "" {
			c.TokenFile, _ = env("AZURE_FEDERATED_TOKEN_FILE")
		}
		makeAbsolute(dir, &c.CertificateFile)
		makeAbsolute(dir, &c.PasswordFile)
		makeAbsolute(dir, &c.TokenFile)
	}
}

func makeAbsolute(dir string, path *string) {
	if *path != "" {
		*path = absolute(dir, *path)
	}
}

// defaultMappings are the mappings of a job that gives none.
func defaultMappings() []mapping.Mapping { return mapping.Default() }
