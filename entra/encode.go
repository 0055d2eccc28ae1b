package entra

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"tenantsync/directory"
)

// collections cannot be null in Graph; they are emptied with [].
var collections = map[string]bool{
	"businessPhones": true, "otherMails": true, "proxyAddresses": true, "imAddresses": true,
}

// appendUpdate writes the body of PATCH /users/{id}. Members of complex
// properties go back to where Graph keeps them. Absent attributes are not
// written.
func appendUpdate(b []byte, attributes directory.Attributes) ([]byte, error) {
	holders := map[string]directory.Attributes{}
	b = append(b, '{')
	first := true
	var err error
	for _, a := range attributes {
		if a.Value.IsAbsent() {
			continue
		}
		if holder := holderOf(a.Name); holder != "" {
			holders[holder] = append(holders[holder], a)
			continue
		}
		if a.Name == "manager" || a.Name == "id" {
			return nil, fmt.Errorf("attribute %s cannot be part of an update", a.Name)
		}
		if b, err = appendMember(b, &first, a); err != nil {
			return nil, err
		}
	}
	for _, holder := range []string{orgDataHolder, extensionHolder} {
		if len(holders[holder]) == 0 {
			continue
		}
		b = appendName(b, &first, holder)
		b = append(b, '{')
		inner := true
		for _, a := range holders[holder] {
			if b, err = appendMember(b, &inner, a); err != nil {
				return nil, err
			}
		}
		b = append(b, '}')
	}
	return append(b, '}'), nil
}

func appendMember(b []byte, first *bool, a directory.Attribute) ([]byte, error) {
	b = appendName(b, first, a.Name)
	switch a.Value.Kind() {
	case directory.Null:
		if collections[a.Name] {
			return append(b, "[]"...), nil
		}
		return append(b, "null"...), nil
	case directory.Text:
		return appendText(b, a.Value.Text()), nil
	case directory.Bool:
		is, _ := a.Value.Bool()
		return strconv.AppendBool(b, is), nil
	case directory.Int:
		n, _ := a.Value.Int()
		return strconv.AppendInt(b, n, 10), nil
	case directory.List:
		b = append(b, '[')
		for i, member := range a.Value.List() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendText(b, member)
		}
		return append(b, ']'), nil
	}
	return nil, fmt.Errorf("attribute %s: a %s cannot be part of an update", a.Name, a.Value.Kind())
}

func appendName(b []byte, first *bool, name string) []byte {
	if !*first {
		b = append(b, ',')
	}
	*first = false
	return append(appendText(b, name), ':')
}

// appendText writes a JSON string. Invalid UTF-8 becomes the replacement
// character: a directory cannot hold it.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the only error is invalid UTF-8, mended all the same
	return b
}

// appendInvitation writes the body of POST /invitations. The type asked for is
// always Guest: nobody becomes a member before the update that says so.
// https://learn.microsoft.com/graph/api/invitation-post
func appendInvitation(b []byte, w directory.Write) []byte {
	b = append(b, `{"invitedUserEmailAddress":`...)
	b = appendText(b, w.Address)
	if w.DisplayName != "" {
		b = append(b, `,"invitedUserDisplayName":`...)
		b = appendText(b, w.DisplayName)
	}
	b = append(b, `,"invitedUserType":"Guest","inviteRedirectUrl":`...)
	b = appendText(b, w.RedirectURL)
	b = append(b, `,"sendInvitationMessage":`...)
	b = strconv.AppendBool(b, w.SendMessage)
	return append(b, '}')
}
