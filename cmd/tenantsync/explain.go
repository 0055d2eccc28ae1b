package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantsync/engine"
	"tenantsync/internal/control"
)

func newExplainCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use:         "explain USER",
		Short:       "Why a user is, or is not, in the target: scope, link, last change, retry",
		Example:     examples("tenantsync explain anna.berg@contoso.com", "tenantsync explain anna.berg@contoso.com --job contoso-to-fabrikam -o json"),
		Annotations: exitCodes(exitDone, exitFailed, exitSignIn, exitUnreachable, exitUsage, exitConfig, exitInterrupted),
		Args:        cobra.ExactArgs(1),
		RunE: env.runs(func(ctx context.Context, args []string) error {
			job, err := env.jobName(ctx, nil)
			if err != nil {
				return err
			}
			return env.withService(ctx, func(s control.Service) error {
				e, err := s.Explain(ctx, args[0], job)
				if err != nil {
					return err
				}
				if e.Reasons == nil {
					e.Reasons = []string{}
				}
				return env.printer().Print(explainResult(e))
			})
		}),
	}
}

func explainResult(e *engine.Explanation) result {
	return result{
		Document: e,
		Table: func() *table {
			t := &table{Columns: []column{{Key: "user", Title: "USER"}, {Key: "inScope", Title: "IN SCOPE"}, {Key: "targetId", Title: "TARGET ID"},
				{Key: "state", Title: "LINK"}, {Key: "reasons", Title: "REASONS", Flex: true}}}
			target, state := "", ""
			if e.Link != nil {
				target, state = e.Link.TargetID, e.Link.State
			}
			t.Rows = [][]string{{e.User.UPN, fmt.Sprint(e.InScope), target, state, strings.Join(e.Reasons, " ")}}
			return t
		},
		Text: func(w io.Writer, p *printer) error {
			var b strings.Builder
			explainText(&b, p, e)
			_, err := io.WriteString(w, b.String())
			return err
		},
	}
}

// topicLabels stand before the sentences of an explanation.
var topicLabels = map[string]string{
	"scope": "Scope", "link": "Link", "owner": "Owner", "block": "Block", "refused": "Refused", "pending": "Next",
	"held": "Deletion", "failure": "Failure", "retry": "Retry",
}

func explainText(b *strings.Builder, p *printer, e *engine.Explanation) {
	verdict, colour := "not in scope", "skipped"
	if e.InScope {
		verdict, colour = "in scope", "success"
	}
	fmt.Fprintf(b, "%s   %s   job %s\n", escape(cmp.Or(e.User.UPN, e.User.ID)), p.paint(actionColour(colour), verdict), escape(e.Job))
	for i, reason := range e.Reasons {
		topic := ""
		if i < len(e.Topics) {
			topic = e.Topics[i]
		}
		if i > 0 && i < len(e.Topics) && e.Topics[i-1] == topic {
			topic = ""
		}
		fmt.Fprintf(b, "%-12s %s\n", topicLabels[topic], escape(reason))
	}
	if c := e.LastChange; c != nil {
		fmt.Fprintf(b, "%-12s %s %s at %s UTC", "Last change", escape(c.Action), escape(c.StatusInfo.Status), shortTime(c.ActivityDateTime))
		if x := c.StatusInfo.Error; x != nil && x.Code != "" {
			b.WriteString(", " + escape(x.Code))
			if told := strings.Join(e.Reasons, "\n"); x.Reason != "" && !strings.Contains(told, x.Reason) {
				b.WriteString(": " + escape(x.Reason))
			}
		}
		fmt.Fprintf(b, "\n%-12s details: tenantsync logs show %s\n", "", escape(c.ChangeID))
	}
}
