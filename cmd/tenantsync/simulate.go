package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/entra/entrasim"
	"tenantsync/internal/config"
)

// simulateOptions are the options of simulate.
type simulateOptions struct {
	Tenants   []string // NAME or NAME=FILE
	Listen    string
	ConfigOut string
	Jobs      string // a configuration whose jobs are taken; "" for the default ones
	Faults    string
	Quota     string
	Seed      uint64
	Delay     time.Duration
}

func newSimulateCommand(env *environment) *cobra.Command {
	opts := &simulateOptions{}
	cmd := &cobra.Command{
		Use: "simulate", Short: "Serve simulated tenants, for tests and trials",
		Long: `Serves simulated Entra tenants over TLS until it is stopped: the token endpoint
and Microsoft Graph v1.0, as strict as the service itself. Any Graph client can
talk to them. When they are ready, one line of JSON on standard output tells
their addresses.

A tenant begins with the state of its FILE; without one it is empty. With
--config-out, DIR gets a configuration with one job from the first tenant to
every other one, the certificate authority and the secrets, so that
  tenantsync -c DIR/config.yaml plan
works at once. With --jobs, that configuration has the jobs of another one instead,
with their mappings and scopes: those between tenants that are simulated under the
same names. Nothing else of it is taken over. There is no quota, no delay and no fault unless asked for.`,
		Example: examples("tenantsync simulate --tenant contoso=contoso.json --tenant fabrikam --config-out ./trial",
			"tenantsync simulate --tenant contoso=contoso.json --tenant fabrikam=fabrikam.json --config-out ./rehearsal --jobs config.yaml",
			"tenantsync simulate --tenant contoso --listen 127.0.0.1:9443 --quota documented --faults faults.json"),
		Annotations: exitCodes(exitDone, exitFailed, exitUsage),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runSimulate(ctx, env, opts) }),
	}
	f := cmd.Flags()
	f.StringArrayVar(&opts.Tenants, "tenant", nil, "a tenant to serve, `NAME[=FILE]`; may be repeated")
	f.StringVar(&opts.Listen, "listen", "127.0.0.1:0", "the `ADDRESS` to serve on; port 0 takes a free one")
	f.StringVar(&opts.ConfigOut, "config-out", "", "the `DIR` to write the configuration to")
	f.StringVar(&opts.Jobs, "jobs", "", "the `FILE` of a configuration whose jobs the written one gets")
	f.StringVar(&opts.Faults, "faults", "", "a JSON `FILE` of faults to play")
	f.StringVar(&opts.Quota, "quota", "off", "`off|documented`: whether Graph's documented quotas apply")
	f.Uint64Var(&opts.Seed, "seed", 1, "the `NUMBER` that ids and random choices follow from")
	f.DurationVar(&opts.Delay, "replication-delay", 0, "how long a new object stays unreadable by its id, a `DURATION`")
	cmd.AddCommand(newSimulateLoadCommand(env), newSimulateDumpCommand(env))
	return cmd
}

func runSimulate(ctx context.Context, env *environment, opts *simulateOptions) error {
	cloud, err := opts.cloud()
	if err != nil {
		return err
	}
	jobs, err := opts.jobs(env, cloud)
	if err != nil {
		return err
	}
	sim, err := listenSimulation(opts.Listen, cloud)
	if err != nil {
		return err
	}
	ready := struct {
		Ready     bool   `json:"ready"`
		Graph     string `json:"graph"`
		Authority string `json:"authority"`
		Config    string `json:"config,omitempty"`
	}{Ready: true, Graph: sim.graph, Authority: sim.authority}
	if opts.ConfigOut != "" {
		if ready.Config, err = sim.writeConfig(env, opts.ConfigOut, jobs); err != nil {
			_ = sim.listener.Close() // nothing was served yet
			return err
		}
	}
	if err := writeJSONLine(env.stdout, ready); err != nil {
		return err
	}
	return sim.serve(ctx)
}

// cloud builds the simulated tenants that the options describe.
func (o *simulateOptions) cloud() (*entrasim.Cloud, error) {
	if len(o.Tenants) == 0 {
		return nil, usagef("name at least one: --tenant contoso=contoso.json --tenant fabrikam", "no tenant to serve.")
	}
	settings := entrasim.Options{Seed: o.Seed, ReplicationDelay: o.Delay}
	switch o.Quota {
	case "off":
	case "documented":
		settings.Quota = entrasim.QuotaDocumented
	default:
		return nil, unknownWord("quota", o.Quota, []string{"off", "documented"})
	}
	if o.Faults != "" {
		f, err := os.Open(o.Faults)
		if err != nil {
			return nil, fmt.Errorf("read faults: %w", err)
		}
		defer f.Close() // read only
		if settings.Faults, err = entrasim.ParseFaults(f); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Faults, err)
		}
	}
	cloud := entrasim.New(settings)
	for _, arg := range o.Tenants {
		name, path, _ := strings.Cut(arg, "=")
		if !tenantName.MatchString(name) {
			return nil, usagef("use letters, digits, -, _ and .; as in --tenant contoso=contoso.json", "%q is not a name for a tenant.", name)
		}
		var file entrasim.File
		if path != "" {
			var err error
			if file, err = readTenantFile(path); err != nil {
				return nil, err
			}
		}
		_, err := cloud.AddTenant(name, file)
		if errors.Is(err, entrasim.ErrTenantExists) {
			return nil, usagef("give every tenant a name and an organization of its own", "%s.", err)
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", arg, err)
		}
	}
	return cloud, nil
}

// jobs reads the jobs that the written configuration gets, nil for the default ones.
func (o *simulateOptions) jobs(env *environment, cloud *entrasim.Cloud) ([]byte, error) {
	switch {
	case o.Jobs == "":
		return nil, nil
	case o.ConfigOut == "":
		return nil, usagef("name the folder to write to: --config-out DIR", "--jobs is about the configuration that is written, and none is.")
	}
	raw, err := readInput(env, o.Jobs)
	if err != nil {
		return nil, &configError{fmt.Errorf("read configuration: %w", err)}
	}
	var tenants []string
	for _, t := range cloud.Tenants() {
		tenants = append(tenants, t.Name)
	}
	jobs, left, err := config.JobsBetween(o.Jobs, raw, tenants)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, usagef("call the simulated tenants as the configuration does", "no job of %s is between tenants that are simulated: %s.", o.Jobs, strings.Join(tenants, ", "))
	}
	for _, name := range left {
		env.note("Job %s is left out: its tenants are not simulated.", name)
	}
	return jobs, nil
}

// tenantName is what stands as a key in the configuration and in job names.
var tenantName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// readTenantFile reads a tenant file.
func readTenantFile(path string) (entrasim.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return entrasim.File{}, fmt.Errorf("read tenant file: %w", err)
	}
	defer f.Close() // read only
	file, err := entrasim.ParseFile(f)
	if err != nil {
		return entrasim.File{}, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}

// simulation is a set of simulated tenants with a listener.
type simulation struct {
	cloud            *entrasim.Cloud
	listener         net.Listener
	cert             tls.Certificate
	ca               []byte
	authority, graph string
}

// listenSimulation takes the address and makes a certificate for it.
func listenSimulation(address string, cloud *entrasim.Cloud) (*simulation, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("write --listen 127.0.0.1:9443", "%q is not an address to listen on.", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve simulated tenants: %w", err)
	}
	hosts := []string{"127.0.0.1", "::1", "localhost"}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // an address that everybody on this machine can use
		if name, err := os.Hostname(); err == nil {
			hosts = append(hosts, name)
		}
	} else {
		hosts = append(hosts, host)
	}
	ca, cert, err := entrasim.NewCA(hosts...)
	if err != nil {
		_ = listener.Close() // the error that counts is the one returned
		return nil, fmt.Errorf("serve simulated tenants: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("serve simulated tenants: %w", err)
	}
	root := "https://" + net.JoinHostPort(host, port)
	return &simulation{cloud: cloud, listener: listener, cert: cert, ca: ca, authority: root, graph: root + "/v1.0"}, nil
}

// serve answers until ctx ends, which is the good end.
func (s *simulation) serve(ctx context.Context) error {
	err := entrasim.Serve(ctx, s.listener, s.cert, s.cloud)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// writeConfig writes a configuration for the simulated tenants with all that it
// refers to, and returns its path. Jobs take the place of the default ones. A different configuration that is there
// already is kept under another name.
func (s *simulation) writeConfig(env *environment, dir string, jobs []byte) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	var tenants []config.SimulatedTenant
	for _, t := range s.cloud.Tenants() {
		secret := t.Name + ".secret"
		if err := writeBytes(filepath.Join(dir, secret), []byte(t.Secret+"\n")); err != nil {
			return "", fmt.Errorf("write configuration: %w", err)
		}
		tenants = append(tenants, config.SimulatedTenant{Name: t.Name, TenantID: t.ID, ClientID: t.AppID, SecretFile: secret})
	}
	if err := writeBytes(filepath.Join(dir, "ca.pem"), s.ca); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	path := filepath.Join(dir, "config.yaml")
	content := config.Simulated(tenants, s.authority, s.graph, "ca.pem", jobs)
	if jobs != nil {
		_, err := config.Parse(path, content, config.Options{Env: env.lookup})
		var invalid *config.Invalid
		if errors.As(err, &invalid) {
			return "", &configError{fmt.Errorf("the jobs are not valid: %s; config validate of their configuration shows where", invalid.Problems[0].Message)}
		}
		if err != nil {
			return "", err
		}
	}
	if old, err := os.ReadFile(path); err == nil && !bytes.Equal(old, content) {
		if err := os.Rename(path, path+"~"); err != nil {
			return "", fmt.Errorf("write configuration: %w", err)
		}
		env.note("The configuration that was there is kept as %s~", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	if state := filepath.Join(dir, "state.db"); exists(state) {
		env.note("%s remembers the users of earlier simulated tenants; to begin anew, remove it", state)
	}
	if err := writeBytes(path, content); err != nil {
		return "", fmt.Errorf("write configuration: %w", err)
	}
	return path, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
