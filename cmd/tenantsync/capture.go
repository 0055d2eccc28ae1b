package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"tenantsync/entra/entrasim"
	"tenantsync/internal/config"
)

// captureOptions are the options of capture.
type captureOptions struct {
	File         string
	Pseudonymize bool
	Key          string
	Keep         []string
}

func newCaptureCommand(env *environment) *cobra.Command {
	opts := &captureOptions{}
	cmd := &cobra.Command{
		Use: "capture TENANT -F FILE", Short: "Write a tenant file of a real tenant, to rehearse with",
		Long: `Reads a tenant of the configuration through Microsoft Graph into a tenant file that
tenantsync simulate can serve: the organization, users with their managers, groups
with their members, deleted users, contacts, directory roles, cross-tenant policies,
the applications whose assignments decide about scope, and the jobs of Microsoft's
own synchronization out of the tenant, for import entra. Only reads. The file
holds personal data: it gets mode 0600 and is yours to protect. Sections that the
app may not read are left out and named.

With --pseudonymize the names of people, groups and contacts become invented ones
of the same length, the same word everywhere the same one, so that equal addresses
stay equal. Domains, ids, departments, places, titles, types and states stay, and
so does the value of every attribute named with --keep. Capture both tenants with
the same key: the file is made beside the first tenant file. Values that scoping
filters compare with, and the texts of mappings, stay too, so that EQUALS judges
and expressions write as before. Whoever has the key can undo it: delete it when
both files are written.`,
		Example: examples("tenantsync capture contoso -F contoso.json",
			"tenantsync capture fabrikam -F rehearsal/fabrikam.json --pseudonymize --keep extensionAttribute1", "tenantsync capture contoso -F - | jq '.users | length'"),
		Args:        cobra.ExactArgs(1),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUsage, exitConfig, exitInterrupted),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			return runCapture(ctx, env, opts, args[0])
		}),
	}
	cmd.Flags().StringVarP(&opts.File, "file", "F", "", "the `FILE` to write, - for standard output")
	cmd.Flags().BoolVar(&opts.Pseudonymize, "pseudonymize", false, "replace the names of people, groups and contacts by invented ones")
	cmd.Flags().StringVar(&opts.Key, "key", "", "the `FILE` with the key of the pseudonyms, made if it is not there (default: "+keyFile+" beside the tenant file)")
	cmd.Flags().StringSliceVar(&opts.Keep, "keep", nil, "user attributes whose values stay: `ATTRIBUTE,…`")
	return cmd
}

func runCapture(ctx context.Context, env *environment, opts *captureOptions, name string) error {
	if opts.File == "" {
		return usagef("tenantsync capture "+name+" -F "+name+".json", "name the file to write with -F.")
	}
	cfg, err := env.LoadConfig()
	if err != nil {
		return err
	}
	tenant, ok := cfg.Tenants[name]
	if !ok {
		return unknownWord("tenant", name, cfg.TenantNames())
	}
	masks, err := opts.masking(env, cfg)
	if err != nil {
		return err
	}
	content, err := newWiring(env.log(nil)).capture(ctx, tenant, needsOfCapture(cfg, name), func(section string, err error) {
		env.warn(fmt.Sprintf("%s of %s could not be read and are left out: %s.", section, name, err), "")
	})
	if err != nil {
		return err
	}
	if content, err = masks.apply(env, content); err != nil {
		return err
	}
	// What is written must be what simulate accepts; this also orders it.
	file, err := entrasim.ParseFile(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("the tenant has something that simulated tenants do not know: %w", err)
	}
	if opts.File == "-" {
		return file.Write(env.stdout)
	}
	if err := writeFile(opts.File, file.Write); err != nil {
		return fmt.Errorf("write tenant file: %w", err)
	}
	env.note("%s written to %s: %s, %s. %s", name, opts.File,
		plural(len(file.Users), "user", "users"), plural(len(file.Groups), "group", "groups"), masks.notice())
	return nil
}

// captureNeeds is what a capture reads besides the usual: service principals by
// their ids, user attributes, and Microsoft's own synchronization.
type captureNeeds struct {
	Principals, Attributes []string
	Synchronization        bool
}

// needsOfCapture returns what the jobs that read or write a tenant use besides the
// usual. Microsoft's own synchronization is of interest unless the tenant is
// nothing but a target.
func needsOfCapture(cfg *config.Config, tenant string) captureNeeds {
	var o captureNeeds
	source, target := false, false
	for _, j := range cfg.Jobs {
		if j.Source == tenant {
			source = true
			if id := j.Scope.ServicePrincipalID; id != "" && !slices.Contains(o.Principals, id) {
				o.Principals = append(o.Principals, id)
			}
			o.Attributes = append(o.Attributes, j.Schema.SourceAttributes()...)
			o.Attributes = append(o.Attributes, j.Filter.Attributes()...)
		}
		if j.Target == tenant {
			target = true
			o.Attributes = append(o.Attributes, j.Schema.TargetAttributes()...)
			for _, m := range j.Schema.Matching() {
				o.Attributes = append(o.Attributes, m.Target)
			}
		}
	}
	o.Synchronization = source || !target
	return o
}
