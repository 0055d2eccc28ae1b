package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantsync/internal/control"
	"tenantsync/store"
)

// auditOptions are the filters of the audit commands.
type auditOptions struct {
	Since, Until string
	Actor        string
	Act          string
	Outcome      string
	Limit        int
	After        uint64
	Out          string
	Expect       string
}

func newAuditCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "The record of administrative acts: list, export or verify it",
		Long: `Who did what, when, by which way and why: approvals, cycles by hand, pauses,
changes of the configuration, refused requests. Records are only ever appended,
each with the hash of the one before it.`,
		Example: examples("tenantsync audit list --since 7d", "tenantsync audit verify"),
	}
	cmd.AddCommand(newAuditListCommand(env), newAuditExportCommand(env), newAuditVerifyCommand(env))
	return cmd
}

func newAuditListCommand(env *environment) *cobra.Command {
	o := &auditOptions{}
	cmd := &cobra.Command{
		Use: "list", Short: "List administrative acts, newest first",
		Example:     examples("tenantsync audit list --since 7d", `tenantsync audit list --act "deletions allow" -o json`),
		Annotations: logExits(),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runAuditList(ctx, env, o) }),
	}
	o.flags(cmd)
	cmd.Flags().IntVar(&o.Limit, "limit", tableLimit, "at most `NUMBER` records, 0 = all")
	return cmd
}

func newAuditExportCommand(env *environment) *cobra.Command {
	o := &auditOptions{}
	cmd := &cobra.Command{
		Use: "export", Short: "Export administrative acts, oldest first, for a SIEM",
		Long: `Exports every record, oldest first: one JSON object a line, or with -o json one
array, or with -o csv a table. A collector goes on with --after and the seq of
the last record that it has.`,
		Example:     examples("tenantsync audit export --since 24h > audit.ndjson", "tenantsync audit export --after 1200 --out audit.ndjson"),
		Annotations: logExits(),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runAuditExport(ctx, env, o) }),
	}
	o.flags(cmd)
	cmd.Flags().Uint64Var(&o.After, "after", 0, "only records after the one with this `SEQ`")
	cmd.Flags().StringVar(&o.Out, "out", "", "write to this `FILE`, of mode 0600, instead of standard output")
	return cmd
}

func newAuditVerifyCommand(env *environment) *cobra.Command {
	o := &auditOptions{}
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that no administrative act was changed or removed",
		Long: `Recomputes the chain of hashes from the first record to the last. Records that
were cut off at the end leave a chain that is whole: --expect compares with a
record whose seq and hash were kept elsewhere, such as in the daemon's log.`,
		Example:     examples("tenantsync audit verify", "tenantsync audit verify --expect 1200:HASH"),
		Annotations: logExits(),
		RunE:        env.runs(func(ctx context.Context, _ []string) error { return runAuditVerify(ctx, env, o) }),
	}
	cmd.Flags().StringVar(&o.Expect, "expect", "", "fail unless this record is there: `SEQ:HASH`")
	return cmd
}

func (o *auditOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Since, "since", "", "only records from this `TIME` on: 24h, 7d, 2026-11-22, 2026-11-22T08:20:00Z")
	f.StringVar(&o.Until, "until", "", "only records before this `TIME`")
	f.StringVar(&o.Actor, "actor", "", "only records whose actor has this `TEXT`")
	f.StringVar(&o.Act, "act", "", "only this `ACT`, such as \"deletions allow\"")
	f.StringVar(&o.Outcome, "outcome", "", "only this `OUTCOME`: begun, done, failed, interrupted, refused")
}

// auditOutcomes returns what can come of an act.
func auditOutcomes() []string { return []string{"begun", "done", "failed", "interrupted", "refused"} }

func (o *auditOptions) query(env *environment) (q store.AuditQuery, err error) {
	q = store.AuditQuery{Actor: o.Actor, Act: o.Act, Outcome: o.Outcome, Job: env.options.Job, Limit: o.Limit, AfterSeq: o.After}
	if o.Limit < 0 {
		return q, usagef("0 means all", "--limit must not be negative.")
	}
	if o.Outcome != "" {
		if _, err := knownWords("outcome", []string{o.Outcome}, auditOutcomes()); err != nil {
			return q, err
		}
	}
	if q.Since, err = parseMoment("since", o.Since, env.now(), time.UTC); err != nil {
		return q, err
	}
	q.Until, err = parseMoment("until", o.Until, env.now(), time.UTC)
	return q, err
}

func runAuditList(ctx context.Context, env *environment, o *auditOptions) error {
	q, err := o.query(env)
	if err != nil {
		return err
	}
	return env.withService(ctx, func(s control.Service) error {
		list, err := s.Audit(ctx, q)
		if err == nil && len(list) == 0 {
			err = env.unknownJob(q.Job)
		}
		if err != nil {
			return err
		}
		p := env.printer()
		return p.Print(auditResult(list, p.format))
	})
}

// auditPage is how many records are asked for at a time.
const auditPage = 1000

// eachAct reads records page by page, oldest first.
func eachAct(ctx context.Context, s control.Service, q store.AuditQuery, visit func(*store.Audit) error) error {
	q.Follow, q.Limit = true, auditPage
	for {
		page, err := s.Audit(ctx, q)
		if err != nil {
			return err
		}
		for i := range page {
			if err := visit(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < auditPage {
			return nil
		}
		q.AfterSeq = page[len(page)-1].Seq
	}
}

func runAuditExport(ctx context.Context, env *environment, o *auditOptions) error {
	q, err := o.query(env)
	if err != nil {
		return err
	}
	list := []store.Audit{}
	err = env.withService(ctx, func(s control.Service) error {
		return eachAct(ctx, s, q, func(a *store.Audit) error { list = append(list, *a); return nil })
	})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if err := env.unknownJob(q.Job); err != nil {
			return err
		}
	}
	write := func(w io.Writer) error {
		p := env.printer()
		p.w = w
		if p.format == formatTable {
			p.format = formatNDJSON
		}
		return p.Print(auditResult(list, p.format))
	}
	if o.Out == "" {
		return write(env.stdout)
	}
	if err := writeFile(o.Out, write); err != nil {
		return fmt.Errorf("export audit: %w", err)
	}
	env.note("%s written to %s", plural(len(list), "record", "records"), o.Out)
	return nil
}

// auditVerdict is what verify found.
type auditVerdict struct {
	Whole   bool   `json:"whole"`
	Records uint64 `json:"records"`
	Hash    string `json:"hash,omitempty"` // of the last record
	Problem string `json:"problem,omitempty"`
}

// expectedAct is a record that was kept elsewhere; its Seq is 0 where none is given.
type expectedAct struct {
	Seq  uint64
	Hash string
	Met  string // the hash that the record with that Seq has here, "" without one
}

// parseExpected reads SEQ:HASH.
func parseExpected(s string) (x expectedAct, err error) {
	if s == "" {
		return x, nil
	}
	seq, hash, _ := strings.Cut(s, ":")
	x.Hash = strings.ToLower(hash)
	sum, err := hex.DecodeString(x.Hash)
	if err == nil {
		x.Seq, err = strconv.ParseUint(seq, 10, 64)
	}
	if err != nil || x.Seq == 0 || len(sum) != sha256.Size {
		return x, usagef("write it as audit verify, audit export and the daemon's log tell it: --expect 1200:HASH",
			"--expect: %q is not SEQ:HASH, a number from 1 and %d hexadecimal digits.", s, hex.EncodedLen(sha256.Size))
	}
	return x, nil
}

// problem says what is wrong with the record that was expected.
func (x *expectedAct) problem() error {
	switch {
	case x.Seq == 0 || x.Met == x.Hash:
		return nil
	case x.Met == "":
		return fmt.Errorf("there is no record %d, so that the last ones were cut off", x.Seq)
	}
	return fmt.Errorf("record %d has another hash, %s, than the one expected, so that the records were written anew", x.Seq, x.Met)
}

func runAuditVerify(ctx context.Context, env *environment, o *auditOptions) error {
	var chain store.AuditChain
	expected, err := parseExpected(o.Expect)
	if err != nil {
		return err
	}
	var broken error
	err = env.withService(ctx, func(s control.Service) error {
		return eachAct(ctx, s, store.AuditQuery{}, func(a *store.Audit) error {
			if broken == nil {
				broken = chain.Next(a)
			}
			if a.Seq == expected.Seq {
				expected.Met = a.Hash
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	v := auditVerdict{Whole: true}
	if last := chain.Last(); last != nil {
		v.Records, v.Hash = last.Seq, last.Hash
	}
	if broken == nil {
		broken = expected.problem()
	}
	if broken != nil {
		v.Whole, v.Problem = false, broken.Error()
	}
	err = env.printer().Print(result{Document: v, Text: func(w io.Writer, _ *printer) error {
		if !v.Whole {
			_, err := fmt.Fprintf(w, "The audit is NOT whole: %s.\nDo: keep the state file as it is, and compare it with the backups, audit exports and logs of the daemon from before.\n", escape(v.Problem))
			return err
		}
		_, err := fmt.Fprintf(w, "The audit is whole: %s.\n", plural(int(v.Records), "record", "records"))
		if err == nil && v.Records > 0 {
			_, err = fmt.Fprintf(w, "Last record: %d:%s\n", v.Records, v.Hash)
		}
		return err
	}})
	if err == nil && !v.Whole {
		return exitStatus(exitFailed)
	}
	return err
}

func auditResult(list []store.Audit, format outputFormat) result {
	if list == nil {
		list = []store.Audit{}
	}
	return result{
		Document: list, Items: items(list),
		Table: func() *table { return auditTable(list, format) },
		Text: func(w io.Writer, p *printer) error {
			if len(list) == 0 {
				_, err := fmt.Fprintln(w, "No administrative act matches.")
				return err
			}
			return p.table(auditTable(list, format))
		},
	}
}

// auditTable shows minutes to people, and the moment to whoever reads it as CSV.
func auditTable(list []store.Audit, format outputFormat) *table {
	moment := shortTime
	if format == formatCSV {
		moment = func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	}

	t := &table{Columns: []column{{Key: "seq", Title: "SEQ", Right: true}, {Key: "at", Title: "TIME (UTC)"}, {Key: "actor", Title: "WHO", Flex: true},
		{Key: "via", Title: "VIA"}, {Key: "act", Title: "ACT"}, {Key: "job", Title: "JOB"}, {Key: "outcome", Title: "OUTCOME"},
		{Key: "reason", Title: "WHY", Flex: true}, {Key: "details", Title: "DETAILS", Flex: true}, {Key: "of", Title: "OF", Wide: true},
		{Key: "oldHash", Title: "OLD HASH", Wide: true}, {Key: "newHash", Title: "NEW HASH", Wide: true}, {Key: "hash", Title: "HASH", Wide: true}}}
	for i := range list {
		a := &list[i]
		of := ""
		if a.Of > 0 {
			of = fmt.Sprint(a.Of)
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(a.Seq), moment(a.At), a.Actor, a.Via, a.Act, a.Job, a.Outcome, a.Reason,
			detailsText(a.Details), of, a.OldHash, a.NewHash, a.Hash})
	}
	return t
}

// detailsText shows the details that are for people: what the next configuration
// is compared with is not.
func detailsText(details map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(details)) {
		if key != "jobs" && key != "tokens" && details[key] != "" {
			parts = append(parts, key+": "+details[key])
		}
	}
	return strings.Join(parts, "; ")
}
