package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantsync/directory"
)

// What Graph refuses becomes the code that the log, retries and the page on error
// codes have for it. Texts are Graph's own.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err      error
		creating bool
		code     Code
		text     string
	}{
		"throttled":           {&directory.Error{Kind: directory.Throttled, Message: "Too many."}, false, CodeTooManyRequests, "Too many."},
		"the service is down": {&directory.Error{Kind: directory.Transient, Message: "Later."}, true, CodeServerError, "Later."},
		"the answer was lost": {&directory.Error{Kind: directory.Ambiguous, Message: "reset"}, true, CodeTimeout, "the answer was lost: reset"},
		"the directory is full": {&directory.Error{Kind: directory.QuotaExceeded, Message: "The directory object quota limit has been exceeded."}, true,
			CodeQuotaExceeded, "The directory object quota limit has been exceeded."},
		"may not invite": {&directory.Error{Kind: directory.Denied, Message: "No."}, true, CodeInvitationForbidden, "No."},
		"may not update": {&directory.Error{Kind: directory.Denied, Message: "No."}, false, CodeInsufficientRights, "No."},
		"a restricted unit": {&directory.Error{Kind: directory.Denied, Message: "Target object is a member of a Restricted Management administrative unit."}, false,
			CodeRestrictedManagement, "Target object is a member of a Restricted Management administrative unit."},
		"not there":              {&directory.Error{Kind: directory.NotFound, Message: "Resource 'x' does not exist."}, false, CodeInvalidAnchor, "Resource 'x' does not exist."},
		"a conflict of a create": {&directory.Error{Kind: directory.Conflict, Message: "Another object."}, true, CodeAmbiguousUser, "Another object."},
		"a conflict that does not say of what": {&directory.Error{Kind: directory.Conflict, Message: "Another object.", Property: "mail", ObjectIDs: []string{"a", "b"}}, false,
			CodeConflict, "mail: Another object. (held by a, b)"},
		"a conflict that says of what": {&directory.Error{Kind: directory.Conflict, Message: "Another object has this mail.", Property: "mail"}, false,
			CodeConflict, "Another object has this mail."},
		"mastered by another service": {&directory.Error{Kind: directory.Invalid, Message: "The property originated within an external service."}, false,
			CodeExternalService, "The property originated within an external service."},
		"mastered on premises": {&directory.Error{Kind: directory.Invalid, Message: "Unable to update the specified properties for on-premises mastered Directory Sync objects."}, false,
			CodeOnPremises, "Unable to update the specified properties for on-premises mastered Directory Sync objects."},
		"an internal user has the address": {&directory.Error{Kind: directory.Invalid, Message: "The invited user already exists in the directory."}, true,
			CodeAmbiguousUser, "The invited user already exists in the directory."},
		"a domain of the target": {&directory.Error{Kind: directory.Invalid, Message: "The domain belongs to the inviter tenant."}, true,
			CodeInvalidDomain, "The domain belongs to the inviter tenant."},
		"a bad address": {&directory.Error{Kind: directory.Invalid, Message: "Group email address is not supported."}, true,
			CodeInvalidInvitation, "Group email address is not supported."},
		"an invitation, for no reason known": {&directory.Error{Kind: directory.Invalid, Message: "No."}, true, CodeInvitationFailed, "No."},
		"an update does not already exist":   {&directory.Error{Kind: directory.Invalid, Message: "It already exists."}, false, CodeInvalidValue, "It already exists."},
		"a value":                            {&directory.Error{Kind: directory.Invalid, Message: "No.", Property: "usageLocation"}, false, CodeInvalidValue, "usageLocation: No."},
		"no error of the directory":          {errors.New("broken pipe"), false, CodeServerError, "broken pipe"},
		"below others":                       {fmt.Errorf("batch: %w", &directory.Error{Kind: directory.Throttled, Message: "Too many."}), false, CodeTooManyRequests, "Too many."},
	} {
		if code, text := refusal(c.err, c.creating); code != c.code || text != c.text {
			t.Errorf("%s: got %s %q, want %s %q", name, code, text, c.code, c.text)
		}
	}
}

func TestSpansInSentences(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{24 * time.Hour: "a day", 72 * time.Hour: "3 days", 36 * time.Hour: "36 hours", 90 * time.Minute: "1h30m0s"} {
		if got := spanText(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

// A plan has one order whatever was found first: so two plans can be compared.
func TestPlannedChangesHaveOneOrder(t *testing.T) {
	t.Parallel()
	change := func(action, upn, id string) Change {
		return Change{Action: action, Source: ChangeSource{UPN: upn, ID: id}}
	}
	want := []Change{change("create", "b", "1"), change("restore", "a", "1"), change("update", "a", "1"), change("update", "b", "1"), change("update", "b", "2"),
		change("disable", "a", "1"), change("delete", "a", "1"), change("stagedDelete", "a", "1"), change("fail", "", "1"), change("fail", "", "2"), change("none", "a", "1")}
	for turn := range want {
		for _, reversed := range []bool{false, true} {
			list := append(append([]Change{}, want[turn:]...), want[:turn]...)
			if reversed {
				for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
					list[i], list[j] = list[j], list[i]
				}
			}
			sortChanges(list)
			for i := range want {
				if list[i].Action != want[i].Action || list[i].Source != want[i].Source {
					t.Fatalf("turned by %d, reversed %v: got %s %+v in place %d, want %s %+v", turn, reversed, list[i].Action, list[i].Source, i, want[i].Action, want[i].Source)
				}
			}
		}
	}
}
