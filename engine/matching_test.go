package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
	"tenantsync/store"
)

// guestID is the id of the n-th user that was in the target before.
func guestID(n int) string { return fmt.Sprintf("dddddddd-0000-4000-8000-%012d", n) }

// guest puts a pending guest into the target who was invited under an address.
func (w *world) guest(n int, address string, more map[string]any) {
	w.Helper()
	p := map[string]any{"id": guestID(n), "userPrincipalName": strings.ReplaceAll(address, "@", "_") + fmt.Sprintf("%d#EXT#@fabrikam.onmicrosoft.com", n),
		"displayName": "Guest", "mail": address, "otherMails": []string{address}, "externalUserState": "PendingAcceptance"}
	for k, v := range more {
		p[k] = v
	}
	_, err := w.fabrikam.CreateUser(p)
	w.must(err)
}

// native puts an internal user into the target.
func (w *world) native(n int, more map[string]any) {
	w.Helper()
	p := map[string]any{"id": guestID(n), "userPrincipalName": fmt.Sprintf("native%d@fabrikam.example", n), "displayName": "Native"}
	for k, v := range more {
		p[k] = v
	}
	_, err := w.fabrikam.CreateUser(p)
	w.must(err)
}

// bothWays runs a test with an initial cycle, which matches in a spool, and with
// an incremental one, which looks users up.
func bothWays(t *testing.T, f func(w *world)) {
	t.Run("initial", func(t *testing.T) { story(t, f) })
	t.Run("incremental", func(t *testing.T) {
		story(t, func(w *world) {
			w.people(9, 9)
			w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
			f(w)
		})
	})
}

// refused expects the failure of one source user with a code and a reason, and
// that it is linked to nobody.
func (w *world) refused(n int, code string, says ...string) {
	w.Helper()
	w.absent(n)
	entries := w.log(store.LogQuery{User: userID(n), Statuses: []string{"failure"}, Limit: 1})
	if len(entries) == 0 {
		w.Errorf("user %d: got no failure in the log, want %s", n, code)
		return
	}
	e := entries[0].StatusInfo.Error
	if e.Code != code {
		w.Errorf("user %d: got %s (%s), want %s", n, e.Code, e.Reason, code)
	}
	for _, s := range says {
		if !strings.Contains(e.Reason, s) {
			w.Errorf("user %d: got reason %q, want it to name %q", n, e.Reason, s)
		}
	}
	if e.RecommendedAction == "" {
		w.Errorf("user %d: no action is recommended", n)
	}
}

// expectLinkedTo expects whom a source user is linked to.
func (w *world) expectLinkedTo(n int, target string) {
	w.Helper()
	if got := w.targetID(n); got != target {
		w.Errorf("user %d: got linked to %s, want %s", n, got, target)
	}
}

func TestMatchByAddress(t *testing.T) {
	for _, c := range []struct {
		name   string
		source map[string]any
		guest  string
		more   map[string]any
	}{
		{"logon name in mail", nil, upn(1), nil},
		{"case does not matter", nil, "USER001@Contoso.Example", nil},
		{"mail in mail", map[string]any{"mail": "one@contoso.example"}, "one@contoso.example", nil},
		{"proxy address in mail", map[string]any{"proxyAddresses": []string{"SMTP:" + upn(1), "smtp:alias@contoso.example"}}, "alias@contoso.example", nil},
		{"mail in other mails", nil, "someone@contoso.example", map[string]any{"otherMails": []string{upn(1)}}},
		{"logon name in proxy addresses", nil, "someone@contoso.example", map[string]any{"proxyAddresses": []string{"SMTP:someone@contoso.example", "smtp:" + upn(1)}}},
		{"redeemed by the home account", nil, upn(1), map[string]any{"externalUserState": "Accepted"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothWays(t, func(w *world) {
				w.guest(1, c.guest, c.more)
				w.person(1, c.source)
				r := w.sync(store.OutcomeSuccess)
				if r.Summary.Create != 0 || r.Summary.Update != 1 {
					t.Errorf("summary: got %+v, want one update and no create", r.Summary)
				}
				w.expectLinkedTo(1, guestID(1))
			})
		})
	}
}

func TestMatchIsRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		more   map[string]any
		source map[string]any
		code   string
		says   string
	}{
		{"a Microsoft account", map[string]any{"externalUserState": "Accepted", "identities": []any{
			map[string]any{"signInType": "federated", "issuer": "MicrosoftAccount", "issuerAssignedId": nil}}}, nil, "ForeignIdentity", "MicrosoftAccount"},
		{"a one-time passcode", map[string]any{"externalUserState": "Accepted", "identities": []any{
			map[string]any{"signInType": "federated", "issuer": "mail", "issuerAssignedId": nil}}}, nil, "ForeignIdentity", "mail"},
		{"an address of somebody else's domain", map[string]any{"mail": "ann@other.example", "otherMails": []string{"ann@other.example"}},
			map[string]any{"mail": "ann@other.example"}, "ForeignIdentity", "other.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bothWays(t, func(w *world) {
				w.guest(1, upn(1), c.more)
				w.person(1, c.source)
				w.journalIs(func() {
					if r := w.sync(store.OutcomePartial); r.Summary.Failed != 1 {
						t.Errorf("summary: got %+v, want one failure", r.Summary)
					}
				})
				w.refused(1, c.code, c.says, guestID(1))
			})
		})
	}
}

func TestAddressOfAnInternalAccount(t *testing.T) {
	for name, more := range map[string]map[string]any{
		"mail":             {"mail": upn(1)},
		"proxy address":    {"mail": "x@fabrikam.example", "proxyAddresses": []string{"SMTP:x@fabrikam.example", "smtp:" + upn(1)}},
		"from on-premises": {"mail": upn(1), "onPremisesSyncEnabled": true},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(w *world) {
				w.native(1, more)
				w.people(1, 1)
				w.journalIs(func() { w.sync(store.OutcomePartial) })
				w.refused(1, "InvitationCreationFailureAmbiguousUser", guestID(1))
			})
		})
	}
}

func TestTwoGuestsForOneUser(t *testing.T) {
	bothWays(t, func(w *world) {
		w.guest(1, upn(1), nil)
		w.guest(2, "alias@contoso.example", nil)
		w.person(1, map[string]any{"proxyAddresses": []string{"SMTP:" + upn(1), "smtp:alias@contoso.example"}})
		w.journalIs(func() { w.sync(store.OutcomePartial) })
		w.refused(1, "DuplicateTargetEntries", guestID(1), guestID(2))

		// One of the two goes: the retry of the next cycle links the other.
		w.must(w.fabrikam.Delete(guestID(2)))
		w.sync(store.OutcomeSuccess)
		w.expectLinkedTo(1, guestID(1))
	})
}

func TestMatchedGuestIsLinkedToOther(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		// The address moves on to a new person, and the target keeps it with the old one.
		w.update(w.contoso, userID(1), map[string]any{"userPrincipalName": "old@contoso.example", "mail": "old@contoso.example",
			"proxyAddresses": []string{"SMTP:old@contoso.example"}})
		w.sync(store.OutcomeSuccess)
		w.person(2, map[string]any{"userPrincipalName": upn(1), "mail": upn(1)})
		w.journalIs(func() { w.sync(store.OutcomePartial) })
		w.refused(2, "LinkedToOtherUser", w.targetID(1), userID(1))
	})
}

// An invitation may answer with a user that is there already: the guest of the
// same home account under another address.
func TestInvitationLeadsToALinkedUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 2)
		w.sync(store.OutcomeSuccess)
		first := w.targetID(1)
		before := w.targetUser(1).Map()
		// User 3 is invited under an address of user 1's account in the target's eyes.
		w.person(3, nil)
		w.wire.set(nil, answerInvitation(upn(3), first))
		w.sync(store.OutcomePartial)
		w.refused(3, "LinkedToOtherUser", first)
		w.expectLinkedTo(1, first)
		if got := w.targetUser(1).String("displayName"); got != before["displayName"] {
			t.Errorf("the linked user: got displayName %q, want %q", got, before["displayName"])
		}
	})
}

func TestInvitationLeadsToAForeignUser(t *testing.T) {
	story(t, func(w *world) {
		w.people(2, 2)
		w.sync(store.OutcomeSuccess)
		w.guest(1, "ann@other.example", map[string]any{"externalUserState": "Accepted", "identities": []any{
			map[string]any{"signInType": "federated", "issuer": "MicrosoftAccount", "issuerAssignedId": nil}}})
		w.people(1, 1)
		w.wire.set(nil, answerInvitation(upn(1), guestID(1)))
		got := w.journal(func() { w.sync(store.OutcomePartial) })
		if len(got) != 1 || !strings.HasPrefix(got[0], "POST /invitations") {
			t.Errorf("writes: got %q, want the invitation alone", got)
		}
		w.refused(1, "ForeignIdentity", "MicrosoftAccount", guestID(1))
	})
}

// matchedByEmployeeID makes employeeId the only matching attribute.
func (w *world) matchedByEmployeeID() {
	w.Helper()
	ms := mapping.Default()
	for i := range ms {
		if ms[i].Target == "employeeId" {
			ms[i].MatchingPriority = 1
		}
	}
	w.mapped(ms...)
}

// The invitation leads to a guest who was there before and whose sign-in somebody
// has blocked: the block stays, whether the guest has signed in before or looks as
// one does who was invited and never came.
func TestInvitationLeadsToABlockedGuest(t *testing.T) {
	for name, more := range map[string]map[string]any{
		"redeemed": {"externalUserState": "Accepted", "department": "Old", "identities": []any{
			map[string]any{"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": nil}}},
		"pending": {},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(w *world) {
				w.matchedByEmployeeID() // so that the guest is not found beforehand
				w.guest(1, upn(1), more)
				w.update(w.fabrikam, guestID(1), map[string]any{"accountEnabled": false})
				w.person(1, map[string]any{"employeeId": "E1"})
				got := w.journal(func() { w.saidIs(func() { w.sync(store.OutcomeSuccess) }, "create success "+upn(1)) })
				if i := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, "accountEnabled") }); i >= 0 {
					t.Errorf("writes: got %q, want none of accountEnabled", got[i])
				}
				w.expectLinkedTo(1, guestID(1))
				w.enabled(1, false)
				if got := w.targetUser(1).String("department"); got != "Sales" {
					t.Errorf("department: got %q, want Sales: other attributes go on", got)
				}
				w.journalIs(func() { w.sync(store.OutcomeSuccess) })
				w.journalIs(func() { w.syncInitial(store.OutcomeSuccess) })
				w.enabled(1, false)
			})
		})
	}
}

func TestTwoSourceUsersWithOneAddress(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"proxyAddresses": []string{"SMTP:" + upn(1), "smtp:info@contoso.example"}})
		w.sync(store.OutcomeSuccess)

		// Both new: neither is created. The service itself refuses such a tenant, so
		// the answer is changed on its way.
		w.people(2, 4)
		w.wire.set(nil, replaceInAnswers(`"mail":"`+upn(3)+`"`, `"mail":"`+upn(2)+`"`))
		w.journal(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Create: 1, Failed: 2}) })
		w.refused(2, "DuplicateSourceEntries", upn(2), "("+upn(3)+")")
		w.refused(3, "DuplicateSourceEntries", "("+upn(2)+")")
		w.linked(1, 4)

		// One alone in the next cycle is still not created behind the other's back.
		w.update(w.contoso, userID(2), map[string]any{"city": "Bergen"})
		w.summary(w.sync(store.OutcomePartial), store.Summary{Failed: 2})
		w.linked(1, 4)

		// The address is one user's again; the other one waits for its retry.
		w.wire.set(nil, nil)
		w.update(w.contoso, userID(3), map[string]any{"city": "Bergen"})
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.pass(24 * time.Hour)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Create: 1})
		w.linked(1, 2, 3, 4)
	})
}

func TestNewUserWithTheAddressOfALinkedOne(t *testing.T) {
	story(t, func(w *world) {
		w.people(1, 1)
		w.sync(store.OutcomeSuccess)
		w.people(2, 2)
		w.update(w.contoso, userID(1), map[string]any{"city": "Bergen"})
		w.wire.set(nil, replaceInAnswers(`"mail":"`+upn(2)+`"`, `"mail":"`+upn(1)+`"`))
		w.summary(w.sync(store.OutcomePartial), store.Summary{Update: 1, Failed: 1})
		w.refused(2, "DuplicateSourceEntries", upn(1))
		w.linked(1)
		w.equal(1)
		w.summary(w.syncInitial(store.OutcomePartial), store.Summary{Unchanged: 1, Failed: 1})
	})
}

func TestInvalidDomains(t *testing.T) {
	const target = `{"organization": {"displayName": "Fabrikam", "verifiedDomains": [
		{"name": "fabrikam.onmicrosoft.com", "isInitial": true}, {"name": "fabrikam.example", "isDefault": true}]}}`
	storyOf(t, entrasim.Options{}, target, func(w *world) {
		w.person(1, map[string]any{"userPrincipalName": "one@fabrikam.example", "mail": nil})
		w.person(2, map[string]any{"userPrincipalName": "two@elsewhere.example", "mail": nil})
		w.person(3, map[string]any{"mail": "three@elsewhere.example"})
		w.journal(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Create: 1, Failed: 2}) })
		w.refused(1, "InvalidDomain", "one@fabrikam.example", "lies in fabrikam.example, a domain of the target tenant")
		w.refused(2, "InvalidDomain", "two@elsewhere.example", "not a verified domain")
		w.linked(3)
		if got := w.targetUser(3).String("mail"); got != "three@elsewhere.example" {
			t.Errorf("mail is only a mapped attribute: got %q, want three@elsewhere.example", got)
		}
	})
}

func TestRefusedAddressIsNamedWithTheRule(t *testing.T) {
	story(t, func(w *world) {
		w.person(1, map[string]any{"userPrincipalName": "one+two@contoso.example"})
		w.people(2, 2)
		w.summary(w.sync(store.OutcomePartial), store.Summary{Create: 1, Failed: 1})
		w.refused(1, "InvitationCreationFailureInvalidPropertyValue", "one+two@contoso.example", "characters")
	})
}

func TestInviteByMail(t *testing.T) {
	story(t, func(w *world) {
		w.configure(true, func(j *engine.Job) { j.Invitation.ByMail = true })
		w.person(1, map[string]any{"userPrincipalName": "one@elsewhere.example", "mail": "one@contoso.example"})
		w.person(2, map[string]any{"mail": nil})
		got := w.journal(func() { w.summary(w.sync(store.OutcomePartial), store.Summary{Create: 1, Failed: 1}) })
		if len(got) == 0 || !strings.Contains(got[0], `"invitedUserEmailAddress":"one@contoso.example"`) {
			t.Errorf("writes: got %q, want an invitation of one@contoso.example first", got)
		}
		w.refused(2, "ImportSkipped", "no address")
	})
}

func TestMatchingPriorityOnEmployeeID(t *testing.T) {
	bothWays(t, func(w *world) {
		id := direct("employeeId", "employeeId")
		id.MatchingPriority = 1
		mail := direct("mail", "mail")
		mail.MatchingPriority = 2
		w.mapped(defaultsWith(id, mail)...)
		w.guest(1, "first@contoso.example", map[string]any{"employeeId": "E1"})
		w.guest(2, upn(2), map[string]any{"employeeId": "other"})
		w.guest(3, upn(3), nil)
		w.native(4, map[string]any{"employeeId": "E5"})
		w.person(1, map[string]any{"employeeId": "E1", "mail": "first@contoso.example"})
		w.person(2, map[string]any{"employeeId": "E2"})
		w.person(3, nil)
		w.person(4, map[string]any{"employeeId": "E4"})
		w.person(5, map[string]any{"employeeId": "E5"})
		if r := w.sync(store.OutcomePartial); r.Summary.Create != 1 || r.Summary.Failed != 1 {
			t.Errorf("summary: got %+v, want one create and one failure", r.Summary)
		}
		w.expectLinkedTo(1, guestID(1)) // by employeeId
		w.expectLinkedTo(2, guestID(2)) // nobody has its employeeId, the mail leads on
		w.expectLinkedTo(3, guestID(3)) // no employeeId: the mail leads
		w.refused(5, "InvitationCreationFailureAmbiguousUser", guestID(4))
	})
}

func TestMatchingOnMailAlone(t *testing.T) {
	bothWays(t, func(w *world) {
		mail := direct("mail", "mail")
		mail.MatchingPriority = 1
		w.mapped(defaultsWith(mail)...)
		w.guest(1, "mail1@contoso.example", nil)
		w.person(1, map[string]any{"mail": "mail1@contoso.example"})
		w.guest(2, "alias@contoso.example", nil)
		w.person(2, map[string]any{"proxyAddresses": []string{"SMTP:" + upn(2), "smtp:alias@contoso.example"}})
		r := w.sync(store.OutcomeSuccess)
		if r.Summary.Create != 1 {
			t.Errorf("summary: got %+v, want one create: an alias is no matching attribute any more", r.Summary)
		}
		w.expectLinkedTo(1, guestID(1))
	})
}

func TestMatchingWithoutTheRightToCreate(t *testing.T) {
	story(t, func(w *world) {
		w.configure(false, func(j *engine.Job) { j.Actions.Create = false })
		w.guest(1, upn(1), nil)
		w.people(1, 2)
		w.summary(w.sync(store.OutcomeSuccess), store.Summary{Update: 1, Skipped: 1})
		w.expectLinkedTo(1, guestID(1))
		w.absent(2)
	})
}

// A guest to whom an invitation leads, and whom no address would have led to, may
// have a manager by hand: it is compared as that of any adopted user.
func TestInvitationLeadsToAGuestWithAManager(t *testing.T) {
	story(t, func(w *world) {
		w.matchedByEmployeeID() // so that the guest is not found beforehand
		w.person(2, map[string]any{"employeeId": "E2"})
		w.sync(store.OutcomeSuccess)
		w.guest(1, upn(1), map[string]any{"externalUserState": "Accepted", "department": "Old"})
		w.must(w.fabrikam.SetManager(guestID(1), w.targetID(2)))
		w.person(1, map[string]any{"employeeId": "E1"})
		got := w.journal(func() { w.sync(store.OutcomeSuccess) })
		w.expectLinkedTo(1, guestID(1))
		if want := "DELETE /users/" + guestID(1) + "/manager/$ref"; !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("writes: got %q, want %s: the source has no manager", got, want)
		}
		w.journalIs(func() { w.sync(store.OutcomeSuccess) })
	})
}
