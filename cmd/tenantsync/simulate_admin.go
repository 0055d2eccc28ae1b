package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/entra/entrasim"
	"tenantsync/internal/config"
)

func newSimulateLoadCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "load NAME FILE", Short: "Bring a running simulated tenant to the state of a file",
		Long: `Changes the running tenant NAME of the configuration to the state of FILE, as its
administrators would have: objects are created, changed, soft-deleted, restored
and regrouped, and delta queries report it. A section that the file leaves out
stays as it is. The same file twice changes nothing.`,
		Example: examples("tenantsync simulate load -c trial/config.yaml contoso tomorrow.json",
			"tenantsync simulate load -c trial/config.yaml contoso tomorrow.json -o json"),
		Args:        cobra.ExactArgs(2),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			return runSimulateLoad(ctx, env, args[0], args[1])
		}),
	}
}

func newSimulateDumpCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "dump NAME", Short: "Print the state of a running simulated tenant",
		Long:        "Prints the tenant file of the present state of the running tenant NAME of the\nconfiguration. Loading it again changes nothing.",
		Example:     examples("tenantsync simulate dump -c trial/config.yaml fabrikam > fabrikam.json", "tenantsync simulate dump -c trial/config.yaml fabrikam | jq '.users | length'"),
		Args:        cobra.ExactArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			admin, err := newSimulationAdmin(env, args[0])
			if err != nil {
				return err
			}
			body, err := admin.do(ctx, http.MethodGet, nil)
			if err != nil {
				return err
			}
			_, err = env.stdout.Write(body)
			return err
		}),
	}
}

func runSimulateLoad(ctx context.Context, env *environment, name, path string) error {
	admin, err := newSimulationAdmin(env, name)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read tenant file: %w", err)
	}
	// The file is judged here as well: its name belongs into the error.
	if _, err := entrasim.ParseFile(bytes.NewReader(content)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	body, err := admin.do(ctx, http.MethodPut, content)
	if err != nil {
		return err
	}
	var changes entrasim.Changes
	if err := json.Unmarshal(body, &changes); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if changes.Sections == nil {
		changes.Sections = []string{}
	}
	return env.printer().Print(result{
		Document: changes,
		Text: func(w io.Writer, _ *printer) error {
			_, err := fmt.Fprintf(w, "%s: %s.\n", escape(name), escape(changesText(changes)))
			return err
		},
	})
}

// changesText tells what a load changed.
func changesText(c entrasim.Changes) string {
	if c.None() {
		return "nothing changed"
	}
	var words []string
	for _, part := range []struct {
		n         int
		one, many string
		did       string
	}{
		{c.Created, "user", "users", "created"}, {c.Updated, "user", "users", "updated"}, {c.Deleted, "user", "users", "deleted"},
		{c.Restored, "user", "users", "restored"}, {c.GroupsCreated, "group", "groups", "created"}, {c.GroupsUpdated, "group", "groups", "updated"},
		{c.GroupsDeleted, "group", "groups", "deleted"}, {c.MembersAdded, "member", "members", "added"}, {c.MembersRemoved, "member", "members", "removed"},
	} {
		if part.n > 0 {
			words = append(words, plural(part.n, part.one, part.many)+" "+part.did)
		}
	}
	for _, name := range c.Sections {
		words = append(words, name+" changed")
	}
	return strings.Join(words, ", ")
}

// simulationAdmin speaks to the administrators' door of a simulated tenant, with
// the credential that the configuration has for it.
type simulationAdmin struct {
	tenant *config.Tenant
	origin *url.URL
	http   *http.Client
}

// adminTimeout bounds one request; a large tenant takes a few seconds to load.
const adminTimeout = 2 * time.Minute

func newSimulationAdmin(env *environment, name string) (*simulationAdmin, error) {
	cfg, err := env.LoadConfig()
	if err != nil {
		return nil, err
	}
	tenant, ok := cfg.Tenants[name]
	if !ok {
		return nil, unknownWord("tenant", name, cfg.TenantNames())
	}
	origin, err := url.Parse(tenant.Endpoints.Graph)
	if err != nil {
		return nil, fmt.Errorf("graph of %s: %w", name, err)
	}
	// A token of a real tenant must not be sent to a door that only simulations have.
	if tenant.Credential.Kind != config.ClientSecret || !simulatedHost(origin.Hostname()) {
		return nil, usagef("use the configuration that tenantsync simulate --config-out wrote", "%s is not a simulated tenant.", name)
	}
	if err := tenant.Credential.Err; err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if file := tenant.Endpoints.CAFile; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read certificate authority of %s: %w", name, err)
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read certificate authority of %s: %s holds no certificate", name, file)
		}
	}
	return &simulationAdmin{
		tenant: tenant, origin: origin,
		http: &http.Client{
			Timeout:       adminTimeout,
			Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// simulatedHost reports that a host is none of Microsoft's.
func simulatedHost(host string) bool {
	host = strings.ToLower(host)
	return !strings.Contains(host, "microsoft") && !strings.HasSuffix(host, ".azure.com") && !strings.HasSuffix(host, ".chinacloudapi.cn")
}

// do carries out one request on the tenant's state and returns the answer's body.
func (a *simulationAdmin) do(ctx context.Context, method string, body []byte) ([]byte, error) {
	token, err := a.token(ctx)
	if err != nil {
		return nil, err
	}
	door := url.URL{Scheme: a.origin.Scheme, Host: a.origin.Host, Path: "/simulation/tenant"}
	request, err := http.NewRequestWithContext(ctx, method, door.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return a.send(request)
}

// token signs in with the client's secret.
func (a *simulationAdmin) token(ctx context.Context) (string, error) {
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {a.tenant.Credential.ClientID},
		"client_secret": {a.tenant.Credential.Secret.Reveal()}, "scope": {a.origin.Scheme + "://" + a.origin.Host + "/.default"},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost,
		a.tenant.Endpoints.Authority+"/"+url.PathEscape(a.tenant.TenantID)+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	body, err := a.send(request)
	if err != nil {
		return "", fmt.Errorf("sign in to %s: %w", a.tenant.Name, err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return "", fmt.Errorf("sign in to %s: the answer has no token", a.tenant.Name)
	}
	return answer.AccessToken, nil
}

// maxAdminAnswer bounds an answer; a tenant file of 100 000 users has about 100 MB.
const maxAdminAnswer = 1 << 30

func (a *simulationAdmin) send(request *http.Request) ([]byte, error) {
	response, err := a.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach the simulated tenants: %w", err)
	}
	defer response.Body.Close() // read to its end
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAdminAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	var graph struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	var authority struct {
		Description string `json:"error_description"`
	}
	switch {
	case json.Unmarshal(body, &graph) == nil && graph.Error.Message != "":
		return nil, errors.New(graph.Error.Message)
	case json.Unmarshal(body, &authority) == nil && authority.Description != "":
		return nil, errors.New(strings.SplitN(authority.Description, "\n", 2)[0])
	}
	return nil, fmt.Errorf("the answer is %s", response.Status)
}
