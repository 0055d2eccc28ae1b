package crashpoint

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The kinds of requests; a batch is named after its first write, or its first read.
const (
	Token        = "token"
	Organization = "organization"
	Policy       = "policy"
	GroupDelta   = "group-delta"
	Delta        = "delta"
	Read         = "read"
	Invitation   = "invitation"
	Update       = "update"
	Reference    = "reference"
	Restore      = "restore"
	Delete       = "delete"
)

var requests = []string{Token, Organization, Policy, GroupDelta, Delta, Read, Invitation, Update, Reference, Restore, Delete}

// OfRequest names a request by its method, its path and, of a batch, what is in it.
func OfRequest(method, path string, body []byte) string {
	if !strings.HasSuffix(path, "/$batch") {
		return ofCall(method, path)
	}
	var batch struct {
		Requests []struct{ Method, URL string }
	}
	if json.Unmarshal(body, &batch) != nil {
		return Read
	}
	name := Read
	for i, r := range batch.Requests {
		path, _, _ := strings.Cut(r.URL, "?")
		if i == 0 || r.Method != http.MethodGet {
			name = ofCall(r.Method, path)
		}
		if r.Method != http.MethodGet {
			break
		}
	}
	return name
}

func ofCall(method, path string) string {
	switch {
	case strings.HasSuffix(path, "/token"):
		return Token
	case strings.HasSuffix(path, "/$ref"):
		return Reference
	case strings.HasSuffix(path, "/invitations"):
		return Invitation
	case strings.HasSuffix(path, "/restore"):
		return Restore
	case method == http.MethodPatch:
		return Update
	case method == http.MethodDelete:
		return Delete
	case strings.HasSuffix(path, "/organization"):
		return Organization
	case strings.Contains(path, "/policies/"):
		return Policy
	case strings.HasSuffix(path, "/groups/delta"):
		return GroupDelta
	case strings.HasSuffix(path, "/users/delta"):
		return Delta
	}
	return Read
}
