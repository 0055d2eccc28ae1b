package main

import (
	"fmt"
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
		fmt.Fprintf(b, "Address collisions: %s in %s.\n", count(len(r.Collisions)), escape(r.Target))
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
	for _, l := range holderLists() {
		for _, name := range r.NotChecked {
			if name == l.name {
				fmt.Fprintf(b, "  Not checked: %s. To read them the app needs %s.\n", l.title, l.permission)
			}
		}
	}
	b.WriteByte('\n')
}

// holderWord names the type of a holder in a sentence.
func holderWord(h engine.AddressHolder) string {
	if h.Type == "deletedUser" {
		return "deleted user"
	}
	return string(h.Type)
}
