package e2e_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// §7, "Whom to read" and "External"
func TestSettledWhomToRead(t *testing.T) {
	t.Parallel()
	foreign := list{obj{"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": nil}}
	own := list{obj{"signInType": "federated", "issuer": "contoso.example", "issuerAssignedId": "x"}}
	read := map[string]obj{
		"plain": {}, "untyped": {"userType": nil}, "unclear": {"identities": list{}}, "federated-at-home": {"identities": own},
		"on-premises": {"onPremisesSyncEnabled": true},
	}
	left := map[string]obj{
		"guest": {"userType": "Guest"}, "invited": {"externalUserState": "Accepted"}, "pending": {"externalUserState": "PendingAcceptance"},
		"federated": {"identities": foreign}, "ext": {"userPrincipalName": "ext_other.example#EXT#@contoso.onmicrosoft.com"},
	}
	all := list{staff("disabled", obj{"accountEnabled": false})}
	for _, group := range []map[string]obj{read, left} {
		for name, more := range group {
			all = append(all, staff(name, more))
		}
	}
	l := newLab(t, obj{"users": all}, nil)
	expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Create: len(read), Skipped: len(left) + 1})
	for name := range read {
		if l.copyOf(name) == nil {
			t.Errorf("%s: not in the target, want an internal member synchronized", name)
		}
	}
	for name := range left {
		l.says(id(name), "skipped", "ExternalUser")
		if l.copyOf(name) != nil {
			t.Errorf("%s: in the target, want an external user left out", name)
		}
	}
	l.says(id("disabled"), "skipped", "NotEffectivelyEntitled")
	l.change("source", id("disabled"), obj{"accountEnabled": true})
	expectEqual(t, "summary once enabled", l.sync(0, "success").Summary, summary{Create: 1})
}

// §7, "Address invited"
func TestSettledAddressInvited(t *testing.T) {
	t.Parallel()
	people := users(
		staff("here", obj{"mail": "here@anywhere.example"}),
		staff("target", obj{"userPrincipalName": "target@fabrikam.example", "mail": "target@contoso.example"}),
		staff("nowhere", obj{"userPrincipalName": "nowhere@anywhere.example", "mail": nil}),
		staff("plus", obj{"userPrincipalName": "one+two@contoso.example", "mail": "plus@contoso.example"}))
	invited := func(writes []wrote) (all []string) {
		for _, w := range writes {
			if w.Kind == "invite" {
				all = append(all, fmt.Sprint(w.fields(t)["invitedUserEmailAddress"]))
			}
		}
		slices.Sort(all)
		return all
	}
	t.Run("userPrincipalName", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, people, nil)
		writes := l.during("target", func() { expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Create: 1, Failed: 3}) })
		for _, address := range invited(writes) {
			if address != "here@contoso.example" && address != "one+two@contoso.example" {
				t.Errorf("%s was invited", address)
			}
		}
		l.says(id("target"), "failure", "InvalidDomain", "target@fabrikam.example")
		l.says(id("nowhere"), "failure", "InvalidDomain", "nowhere@anywhere.example")
		l.says(id("plus"), "failure", "InvitationCreationFailureInvalidPropertyValue", "one+two@contoso.example", "character")
		expectEqual(t, "mail, which is only mapped", l.copyOf("here").text("mail"), "here@anywhere.example")
	})
	t.Run("mail", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, people, nil)
		l.configure(jobWith(obj{"invitation": obj{"by": "mail"}}))
		writes := l.during("target", func() { expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Create: 2, Failed: 2}) })
		expectEqual(t, "invited", invited(writes), []string{"plus@contoso.example", "target@contoso.example"})
		l.says(id("here"), "failure", "InvalidDomain", "here@anywhere.example")
		l.says(id("nowhere"), "failure", "ImportSkipped")
	})
}

// §7, "userType", and the invitation's settings
func TestSettledUserType(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"Member", "Guest"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann")), nil)
			l.configure(jobWith(obj{
				"mappings":   list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "userType", "constant": want}},
				"invitation": obj{"redirectUrl": "https://start.contoso.example/", "sendMessage": true},
			}))
			writes := l.during("target", func() { l.sync(0, "success") })
			expectEqual(t, "writes", kinds(writes), []string{"invite", "updateUser"})
			invitation := writes[0].fields(t)
			if kind, given := invitation["invitedUserType"]; given && kind != "Guest" {
				t.Errorf("invitedUserType: got %v, want Guest", kind)
			}
			expectEqual(t, "redirect", invitation["inviteRedirectUrl"], "https://start.contoso.example/")
			expectEqual(t, "message", invitation["sendInvitationMessage"], true)
			expectEqual(t, "userType in the update", writes[1].fields(t)["userType"], want)
		})
	}
}

// §7, "Matching, default"
func TestSettledMatching(t *testing.T) {
	t.Parallel()
	own := list{obj{"target": "displayName", "source": "displayName"}, obj{"target": "employeeId", "source": "employeeId", "matchingPriority": 1}}
	for _, c := range []struct {
		name   string
		source obj
		target obj
		edit   obj
		code   string // of the failure; empty: linked
		reason string
	}{
		{"UPN in mail", nil, guest("g", "ann@contoso.example"), nil, "", ""},
		{"case is ignored", nil, guest("g", "ANN@Contoso.example"), nil, "", ""},
		{"UPN in otherMails", nil, guest("g", "x@contoso.example", obj{"otherMails": list{"ann@contoso.example"}}), nil, "", ""},
		{"UPN in proxyAddresses", nil, guest("g", "x@contoso.example", obj{"proxyAddresses": list{"SMTP:x@contoso.example", "smtp:ann@contoso.example"}}), nil, "", ""},
		{"mail in mail", obj{"mail": "a.b@contoso.example"}, guest("g", "a.b@contoso.example"), nil, "", ""},
		{"SMTP proxy address in mail", obj{"proxyAddresses": list{"SMTP:ann@contoso.example", "smtp:alias@contoso.example"}}, guest("g", "alias@contoso.example"), nil, "", ""},
		{"redeemed at home", nil, guest("g", "ann@contoso.example", redeemedBy("ExternalAzureAD")), nil, "", ""},
		{"a Microsoft account", nil, guest("g", "ann@contoso.example", redeemedBy("MicrosoftAccount")), nil, "ForeignIdentity", "MicrosoftAccount"},
		{"an address of nobody's domain", obj{"mail": "ann@other.example"}, guest("g", "ann@other.example"), nil, "ForeignIdentity", "other.example"},
		{"by the job's attribute", obj{"employeeId": "7"}, guest("g", "old@contoso.example", obj{"employeeId": "7"}), obj{"mappings": own}, "", ""},
		{"an invitation that leads to another home", obj{"employeeId": "7"}, guest("g", "ann@contoso.example", redeemedBy("MicrosoftAccount")),
			obj{"mappings": own}, "ForeignIdentity", "MicrosoftAccount"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann", c.source, obj{"displayName": "Ann"})), users(c.target))
			l.configure(jobWith(c.edit))
			if c.code == "" {
				writes := l.during("target", func() { expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Update: 1}) })
				expectEqual(t, "writes", kinds(writes), []string{"updateUser"})
				expectEqual(t, "linked to", l.linkOf("ann"), id("g"))
				if body := writes[0].fields(t); body["userType"] != nil || body["displayName"] != "Ann" {
					t.Errorf("update of an adopted guest: got %v, want the name, and no userType, which is for creates", body)
				}
				return
			}
			writes := l.during("target", func() { expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Failed: 1}) })
			for _, w := range writes {
				if w.Kind != "invite" {
					t.Errorf("written: %s", w)
				}
			}
			l.says(id("ann"), "failure", c.code, c.reason, id("g"))
			expectEqual(t, "linked to", l.linkOf("ann"), "")
		})
	}
}

// §7, "Two source users with one address". A tenant would not take the address
// twice; what one part of it answers before another has heard may still do so.
func TestSettledTwoSourceUsersWithOneAddress(t *testing.T) {
	t.Parallel()
	shared := func(_ *http.Response, body []byte) []byte {
		return bytes.ReplaceAll(body, []byte(`"mail":"bob@contoso.example"`), []byte(`"mail":"ann@contoso.example"`))
	}
	t.Run("both are new", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(staff("ann"), staff("bob"), staff("cid")), nil)
		l.bend(shared)
		writes := l.during("target", func() { expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Create: 1, Failed: 2}) })
		expectEqual(t, "writes", kinds(writes), []string{"invite", "updateUser"})
		l.says(id("ann"), "failure", "DuplicateSourceEntries", "bob@contoso.example")
		l.says(id("bob"), "failure", "DuplicateSourceEntries", "ann@contoso.example")
	})
	t.Run("one is linked", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, users(staff("ann")), nil)
		l.bend(shared)
		l.sync(0, "success")
		l.add("source", staff("bob"))
		l.change("source", id("ann"), obj{"city": "Rome"})
		expectEqual(t, "summary", l.sync(3, "partial").Summary, summary{Update: 1, Failed: 1})
		l.says(id("bob"), "failure", "DuplicateSourceEntries", "ann@contoso.example")
		expectEqual(t, "ann in the target", l.copyOf("ann").text("city"), "Rome")
	})
}

// §7, "Several jobs on one pair of tenants"
func TestSettledSeveralJobsOnOnePair(t *testing.T) {
	t.Parallel()
	one, two := id("one"), id("two")
	l := newLab(t, obj{"users": list{staff("ann"), staff("bob"), staff("cid")}, "groups": list{
		obj{"id": one, "displayName": "One", "securityEnabled": true, "members": list{id("ann"), id("bob")}},
		obj{"id": two, "displayName": "Two", "securityEnabled": true, "members": list{id("bob"), id("cid")}}}}, nil)
	over := func(name, group string, enabled bool) obj {
		return jobWith(obj{"name": name, "scope": obj{"mode": "assigned", "groups": list{group}}, "guards": obj{"scopeShrink": 0}, "enabled": enabled})
	}
	l.configure(over(jobName, one, true), over("second", two, true))
	expectEqual(t, "first", l.syncJob(jobName, 0, "success").Summary, summary{Create: 2})
	expectEqual(t, "second", l.syncJob("second", 0, "success").Summary, summary{Create: 1, Skipped: 1})
	l.says(id("bob"), "skipped", "OwnedByOtherJob", jobName)
	was := l.copyOf("bob").id()

	// Out of the owner's scope: the ownership moves.
	l.members(one, id("ann"))
	writes := l.during("target", func() { l.syncJob(jobName, 0, "success") })
	if len(writes) != 0 {
		t.Errorf("writes when the ownership moves: got %v, want none", writes)
	}
	l.change("source", id("bob"), obj{"city": "Rome"})
	expectEqual(t, "the new owner", l.syncJob("second", 0, "success").Summary, summary{Update: 1})
	if u := l.copyOf("bob"); u == nil || u.id() != was || u.text("city") != "Rome" {
		t.Errorf("bob: got %v, want %s kept in sync by the second job", u, was)
	}

	// A job that is not enabled takes nobody over.
	l.configure(over(jobName, one, false), over("second", two, true))
	l.members(one, id("ann"), id("cid"))
	l.members(two, id("bob"))
	expectEqual(t, "nobody else wants cid", l.syncJob("second", 0, "success").Summary, summary{Delete: 1})
}

// §7, "Manager"
func TestSettledManager(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob", obj{"manager": obj{"id": id("ann")}}), staff("out", obj{"accountEnabled": false}), staff("cid")), nil)
	boss := func() string { return l.copyOf("bob").manager() }
	writes := l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "writes of three creates and a manager", len(writes), 7)
	expectEqual(t, "manager", boss(), l.copyOf("ann").id())

	l.change("source", id("bob"), obj{"manager": obj{"id": id("out")}})
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "replaced by somebody who is not linked", kinds(writes), []string{"deleteManager"})
	l.says(id("bob"), "warning", "UnableToResolveReferenceAttributeValue")
	expectEqual(t, "manager", boss(), "")

	l.change("source", id("out"), obj{"accountEnabled": true})
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "that one is linked", kinds(writes), []string{"invite", "updateUser", "putManager"})
	expectEqual(t, "manager", boss(), l.copyOf("out").id())

	l.change("source", id("bob"), obj{"manager": obj{"id": id("cid")}})
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "replaced by a linked one", kinds(writes), []string{"putManager"})

	l.change("source", id("bob"), obj{"manager": nil})
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "removed in the source", kinds(writes), []string{"deleteManager"})
	expectEqual(t, "manager", boss(), "")
}

// §7, "Manager": flowNull false is Entra's way
func TestSettledManagerIsKeptWithFlowNullFalse(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob", obj{"manager": obj{"id": id("ann")}})), nil)
	l.configure(jobWith(obj{"mappings": list{obj{"target": "displayName", "source": "displayName"},
		obj{"target": "manager", "source": "manager", "flowNull": false}}}))
	l.sync(0, "success")
	l.change("source", id("bob"), obj{"manager": nil})
	writes := l.during("target", func() { l.sync(0, "success") })
	if len(writes) != 0 {
		t.Errorf("writes: got %v, want none", writes)
	}
	expectEqual(t, "manager", l.copyOf("bob").manager(), l.copyOf("ann").id())
}

// §7, "Blocked by hand in the target"
func TestSettledBlockedInTarget(t *testing.T) {
	t.Parallel()
	on, off := obj{"accountEnabled": true}, obj{"accountEnabled": false}
	for _, way := range []string{"keep", "yield"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann"), staff("bob")), nil)
			l.configure(jobWith(obj{"targetBlock": way}))
			l.sync(0, "success")
			enabled := func() any { return l.copyOf("ann")["accountEnabled"] }

			// The source's own block comes and goes.
			l.change("source", id("ann"), off)
			expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Disable: 1})
			l.change("source", id("ann"), on)
			expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Update: 1})
			expectEqual(t, "enabled again", enabled(), true)

			// Blocked by hand: other attributes go on.
			l.change("target", l.copyOf("ann").id(), off)
			l.change("source", id("ann"), obj{"city": "Rome"})
			writes := l.during("target", func() { l.sync(0, "success") })
			expectEqual(t, "writes", len(writes), 1)
			expectEqual(t, "body", writes[0].fields(t), obj{"city": "Rome"})
			writes = l.during("target", func() { l.sync(0, "success", "--initial") })
			expectEqual(t, "writes of a full comparison", len(writes), 0)
			l.says(id("ann"), "skipped", "BlockedInTarget")
			expectEqual(t, "blocked by hand", enabled(), false)

			// The source goes off and on.
			l.change("source", id("ann"), off)
			l.sync(0, "success")
			l.change("source", id("ann"), on)
			l.sync(0, "success")
			expectEqual(t, "after the source went off and on", enabled(), way == "yield")
		})
	}
}

// §7, "Deleted by hand in the target"
func TestSettledDeletedInTarget(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann"), staff("bob")), nil)
	l.sync(0, "success")
	was := l.copyOf("ann").id()
	l.remove("target", was)
	l.change("source", id("ann"), obj{"city": "Rome"})
	writes := l.during("target", func() {
		l.sync(0, "success")
		l.sync(0, "success", "--initial")
	})
	for _, w := range writes {
		if w.Status < 300 {
			t.Errorf("written for a user deleted by hand: %s", w)
		}
	}
	l.says(id("ann"), "skipped", "DeletedInTarget")
	if u := l.copyOf("ann"); u != nil {
		t.Errorf("ann is in the target: %v", u)
	}
	l.json(0, nil, "provision", "ann@contoso.example", "--restore")
	if u := l.copyOf("ann"); u == nil || u.id() != was || u.text("city") != "Rome" {
		t.Fatalf("after provision --restore: got %v, want %s, up to date", u, was)
	}
	if r := l.logOf(id("ann"))[0]; r.ProvisioningAction != "update" || r.modified()["IsSoftDeleted"] != "False" {
		t.Errorf("the restore in the log: got %s %v, want update with IsSoftDeleted False", r.ProvisioningAction, r.modified())
	}

	// Purged: created anew, and the log says what that means.
	l.remove("target", was)
	if status := l.call("target", "DELETE", "/v1.0/directory/deletedItems/"+was, nil, nil); status != 204 {
		t.Fatalf("purge: status %d", status)
	}
	l.change("source", id("ann"), obj{"city": "Oslo"})
	l.sync(0, "success")
	u := l.copyOf("ann")
	if u == nil || u.id() == was || u.text("city") != "Oslo" || u.text("userType") != "Member" {
		t.Fatalf("after the purge: got %v, want a new user", u)
	}
	r := l.logOf(id("ann"))[0]
	said := r.reason()
	for _, s := range r.ProvisioningSteps {
		said += "\n" + s.Description
	}
	if r.ProvisioningAction != "create" || !strings.Contains(said, "access") {
		t.Errorf("log of the new user: got %s %q, want a create that says access is lost", r.ProvisioningAction, said)
	}
}

// §7, "mail or showInAddressList refused"
func TestSettledExchangeMasteredAttributes(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann")), nil)
	l.sync(0, "success")
	l.change("target", l.copyOf("ann").id(), obj{"exchangeMastered": true})
	l.change("source", id("ann"), obj{"mail": "ann.new@contoso.example", "city": "Rome"})
	writes := l.during("target", func() { expectEqual(t, "summary", l.sync(0, "success").Summary, summary{Update: 1}) })
	if len(writes) != 2 || writes[0].Status != 400 || writes[1].Status != 204 {
		t.Fatalf("writes: got %v, want one refused and one that is taken", writes)
	}
	expectEqual(t, "the second", writes[1].fields(t), obj{"city": "Rome"})
	l.says(id("ann"), "warning", "AzureActiveDirectoryCannotUpdateObjectsOriginatedInExternalService", "mail")

	// Remembered: the attribute is not tried again before the next initial cycle.
	l.change("source", id("ann"), obj{"city": "Oslo"})
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "writes", len(writes), 1)
	writes = l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "writes of an idle cycle", len(writes), 0)
	writes = l.during("target", func() { l.sync(0, "success", "--initial") })
	if len(writes) == 0 || !strings.Contains(writes[0].Body, "ann.new") {
		t.Errorf("writes of an initial cycle: got %v, want mail tried again", writes)
	}
}

// §7, "403 on a user with a directory role or in a restricted administrative unit"
func TestSettledProtectedUsers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string
		protect    func(l *lab, id string)
		others     bool // whether the attributes that are not sensitive are taken
	}{
		{"directory role", "InsufficientRights", func(l *lab, target string) {
			l.put("target", obj{"directoryRoles": list{obj{"id": id("role"), "displayName": "Helpdesk Administrator", "members": list{target}}}})
		}, true},
		{"restricted unit", "RestrictedManagement", func(l *lab, target string) { l.change("target", target, obj{"isManagementRestricted": true}) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, users(staff("ann"), staff("bob")), nil)
			l.sync(0, "success")
			linked := l.copyOf("ann").id()
			c.protect(l, linked)
			l.change("source", id("ann"), obj{"businessPhones": list{"+1 555 0100"}, "city": "Rome"})
			status, exit, outcome := "warning", 0, "success"
			if !c.others {
				status, exit, outcome = "failure", 3, "partial"
			}
			a := l.run("sync", jobName, "-o", "json")
			if c.others && a.exit != exit {
				t.Errorf("phones and city: exit %d, want %d (%s)\n%s", a.exit, exit, outcome, a.stdout)
			}
			if r := l.logOf(id("ann"))[0]; r.code() != c.code || c.others && r.status() != status {
				t.Errorf("phones and city: got %s %s, want %s", r.status(), r.code(), c.code)
			}
			if got := l.copyOf("ann").text("city") == "Rome"; got != c.others {
				t.Errorf("city: written %t, want %t", got, c.others)
			}

			l.change("source", id("ann"), obj{"accountEnabled": false})
			l.sync(3, "partial")
			l.says(id("ann"), "failure", c.code)
			writes := l.during("target", func() { l.run("sync", jobName) })
			if len(writes) != 0 {
				t.Errorf("the next cycle: got %v, want no retry of what stays refused", writes)
			}
		})
	}
}

// §7, "Address changed while the invitation is pending"
func TestSettledPendingAddressChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t, users(staff("ann")), nil)
	l.sync(0, "success")
	l.change("source", id("ann"), obj{"userPrincipalName": "ann.married@contoso.example", "city": "Rome"})
	writes := l.during("target", func() { l.sync(0, "success") })
	expectEqual(t, "writes", kinds(writes), []string{"updateUser"})
	l.says(id("ann"), "warning", "PendingAddressChanged", "ann@contoso.example")
	expectEqual(t, "city", l.copyOf("ann").text("city"), "Rome")
}

// §7, "Default mappings"
func TestSettledDefaultMappings(t *testing.T) {
	t.Parallel()
	values := obj{"accountEnabled": true, "streetAddress": "1 Main St", "city": "Rome", "state": "RM", "postalCode": "00100", "country": "Italy",
		"department": "Sales", "employeeId": "E1", "displayName": "Ann B", "givenName": "Ann", "jobTitle": "Clerk", "officeLocation": "2/3",
		"preferredLanguage": "it-IT", "surname": "B", "businessPhones": list{"+39 06 555"}, "mail": "ann.b@contoso.example"}
	l := newLab(t, users(staff("boss"), staff("ann", values, obj{"manager": obj{"id": id("boss")}, "companyName": "not mapped", "mobilePhone": "1"})), nil)
	l.sync(0, "success")
	u := l.copyOf("ann")
	want := maps.Clone(values)
	want["userType"], want["showInAddressList"] = "Member", true
	for name, v := range want {
		if image(u[name]) != image(v) {
			t.Errorf("%s: got %s, want %s", name, image(u[name]), image(v))
		}
	}
	expectEqual(t, "manager", u.manager(), l.copyOf("boss").id())
	if u["companyName"] != nil || u["mobilePhone"] != nil {
		t.Errorf("not mapped: got %v and %v, want nothing", u["companyName"], u["mobilePhone"])
	}
	// userType and showInAddressList are for creates only, and an empty value does not flow.
	l.change("target", u.id(), obj{"userType": "Guest", "showInAddressList": false})
	l.change("source", id("ann"), obj{"city": nil})
	writes := l.during("target", func() {
		l.sync(0, "success")
		l.sync(0, "success", "--initial")
	})
	if len(writes) != 0 {
		t.Errorf("writes: got %v, want none", writes)
	}
}
