package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tenantsync/engine"
)

func TestPlanCollisionsAsText(t *testing.T) {
	r := samplePlan()
	r.Changes, r.Mails, r.Redemption = nil, 1200, engine.RedemptionMissing
	source := engine.ChangeSource{ID: "1", UPN: "Anna.Berg@contoso.com"}
	r.Collisions = []engine.Collision{
		{Source: source, Address: "anna.berg@contoso.com", Holder: engine.AddressHolder{Type: "group", ID: "6f3e", DisplayName: "Sales\x1b"},
			Effect: engine.EffectRefused, Detail: "the invitation is refused"},
		{Source: source, Address: "anna@contoso.com", Holder: engine.AddressHolder{Type: "deletedUser", ID: "7d3e", DisplayName: "Anna"},
			Effect: engine.EffectRestoreConflict, Detail: "the mail is written"},
	}
	r.NotChecked = []string{"contacts"}
	want := `Job contoso-to-fabrikam   contoso.com -> fabrikam.com   incremental since 2026-11-22 08:20 UTC
In scope 9,406 users, 12,480 changes read

Address collisions: 2 in fabrikam.com.
  ! anna.berg@contoso.com is held by group "Sales\u001b" (6f3e)
      the invitation is refused.
  ~ anna@contoso.com of Anna.Berg@contoso.com is held by deleted user "Anna" (7d3e)
      the mail is written.
  Not checked: contacts. To read them the app needs OrgContact.Read.All.

Plan: 1 to create, 1 to update, 0 to disable, 1 to delete, 9,371 unchanged, 1 would fail.
Deletion threshold: 4 of 500 (0.04 % of 9,377 linked; limit 10 %). The cycle would run without approval.
Mails: 1,200 people may get a mail from Microsoft and will be asked for consent: automatic redemption is not set on both sides.
Requests: about 62 writes to fabrikam.com.
Nothing was written. To run the cycle: tenantsync sync contoso-to-fabrikam
`
	if diff := cmp.Diff(want, printed(t, planResult(r, planShown, false))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r.Collisions = []engine.Collision{}
	if got := printed(t, planResult(r, planShown, false)); !strings.Contains(got, "\nAddress collisions: none in fabrikam.com.\n") {
		t.Errorf("no collisions: got\n%s\nwant a line that says so", got)
	}
}

// Matching does not know of every holder: who would be created according to the plan,
// and is refused, is counted.
func TestPlanCountsRefusedCreates(t *testing.T) {
	r := samplePlan()
	r.Changes = nil
	for _, id := range []string{"1", "2", "3", "4"} {
		r.Changes = append(r.Changes, engine.Change{Action: "create", Source: engine.ChangeSource{ID: id}})
	}
	r.Changes[3].Action = "fail"
	for i, effect := range []engine.Effect{engine.EffectRefused, engine.EffectRestoreConflict, engine.EffectRestoreFirst, engine.EffectRefused} {
		r.Collisions = append(r.Collisions, engine.Collision{Source: r.Changes[i].Source, Address: "a@contoso.com", Effect: effect})
	}
	want := "\nAddress collisions: 4 in fabrikam.com; of 3 users to create, 2 would be refused.\n"
	if got := printed(t, planResult(r, planShown, false)); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant the line %q", got, want)
	}
}

func TestPlanTellsOfMails(t *testing.T) {
	for want, r := range map[string]*engine.PlanResult{
		"": {},
		"Mails: 1 person may get a mail from Microsoft, one for each invitation.\n":                               {Mails: 1},
		"Mails: 2 people would get an invitation from Microsoft by mail (invitation.sendMessage).\n":              {Mails: 2, InvitationMail: true},
		"Mails: 2 people may get a mail from Microsoft, a notice only: invitations are redeemed automatically.\n": {Mails: 2, Redemption: engine.RedemptionAutomatic},
	} {
		var b strings.Builder
		planMails(&b, r)
		if b.String() != want {
			t.Errorf("%d mails, redemption %q: got %q, want %q", r.Mails, r.Redemption, b.String(), want)
		}
	}
}
