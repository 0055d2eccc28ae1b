package main

import (
	"fmt"
	"slices"
	"strings"

	"tenantsync/engine"
)

// planMails tells how many people may hear from Microsoft, and why.
func planMails(b *strings.Builder, r *engine.PlanResult) {
	if r.Mails == 0 {
		return
	}
	people := plural(r.Mails, "person", "people")
	switch {
	case r.InvitationMail:
		fmt.Fprintf(b, "Mails: %s would get an invitation from Microsoft by mail (invitation.sendMessage).\n", people)
	case r.Redemption == engine.RedemptionAutomatic:
		fmt.Fprintf(b, "Mails: %s may get a mail from Microsoft, a notice only: invitations are redeemed automatically.\n", people)
	case r.Redemption == engine.RedemptionMissing:
		fmt.Fprintf(b, "Mails: %s may get a mail from Microsoft and will be asked for consent: automatic redemption is not set on both sides.\n", people)
	default:
		fmt.Fprintf(b, "Mails: %s may get a mail from Microsoft, one for each invitation.\n", people)
	}
}

// holderList is the list of a tenant that a holder stands in, and the least
// permission to read it.
type holderList struct{ name, title, permission string }

func holderLists() []holderList {
	return []holderList{
		{"users", "users", "User.Read.All"}, {"deletedUsers", "deleted users", "User.Read.All"},
		{"groups", "groups", "GroupMember.Read.All"}, {"contacts", "contacts", "OrgContact.Read.All"},
		{"policies", "policies", "Policy.Read.All"},
	}
}

// planCollisions lists who holds addresses of users to be created, when that was
// asked for.
func planCollisions(b *strings.Builder, p *printer, r *engine.PlanResult, shown int) {
	if r.Collisions == nil {
		return
	}
	if len(r.Collisions) == 0 {
		fmt.Fprintf(b, "Address collisions: none in %s.\n", escape(r.Target))
	} else {
		fmt.Fprintf(b, "Address collisions: %s in %s%s.\n", count(len(r.Collisions)), escape(r.Target), refusedSentence(r))
	}
	for i, c := range r.Collisions {
		if i == max(shown, planShown) {
			fmt.Fprintf(b, "  … %s more; all: --output json\n", count(len(r.Collisions)-i))
			break
		}
		mark := p.paint(actionColour("fail"), "!")
		if c.Effect == engine.EffectWithoutProxyAddresses || c.Effect == engine.EffectRestoreConflict {
			mark = p.paint(actionColour("update"), "~")
		}
		of := ""
		if c.Address != strings.ToLower(c.Source.UPN) {
			of = "of " + escape(c.Source.UPN) + " "
		}
		fmt.Fprintf(b, "  %s %s %sis held by %s %s (%s)\n", mark, escape(c.Address), of, holderWord(c.Holder), shownValue(&c.Holder.DisplayName), escape(c.Holder.ID))
		fmt.Fprintf(b, "      %s\n", escape(sentence(c.Detail)))
	}
	for _, line := range notChecked(r) {
		b.WriteString("  " + line + "\n")
	}
	b.WriteByte('\n')
}

// notChecked tells which lists could not be read, and what that takes.
func notChecked(r *engine.PlanResult) []string {
	var lines []string
	for _, l := range holderLists() {
		if slices.Contains(r.NotChecked, l.name) {
			lines = append(lines, fmt.Sprintf("Not checked: %s. To read them the app needs %s.", l.title, l.permission))
		}
	}
	return lines
}

func planCollisionsTable(list []engine.Collision) *table {
	t := &table{Columns: []column{
		{Key: "address", Title: "ADDRESS"}, {Key: "user", Title: "USER"}, {Key: "holderType", Title: "HELD BY"}, {Key: "holder", Title: "NAME", Flex: true},
		{Key: "holderId", Title: "HOLDER ID"}, {Key: "effect", Title: "EFFECT"}, {Key: "detail", Title: "DETAIL", Flex: true},
	}}
	for _, c := range list {
		t.Rows = append(t.Rows, []string{c.Address, c.Source.UPN, string(c.Holder.Type), c.Holder.DisplayName, c.Holder.ID, string(c.Effect), c.Detail})
	}
	return t
}

// refusedSentence tells how many of the users that the plan would create are not:
// matching does not know of every holder of an address, the invitation does.
func refusedSentence(r *engine.PlanResult) string {
	refused, creates := 0, 0
	for _, c := range r.Changes {
		if c.Action != "create" {
			continue
		}
		creates++
		if slices.ContainsFunc(r.Collisions, func(col engine.Collision) bool {
			return col.Source.ID == c.Source.ID && (col.Effect == engine.EffectRefused || col.Effect == engine.EffectRestoreFirst)
		}) {
			refused++
		}
	}
	if refused == 0 {
		return ""
	}
	return fmt.Sprintf("; of %s to create, %s would be refused", plural(creates, "user", "users"), count(refused))
}

// holderWord names the type of a holder in a sentence.
func holderWord(h engine.AddressHolder) string {
	if h.Type == "deletedUser" {
		return "deleted user"
	}
	return string(h.Type)
}
