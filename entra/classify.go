package entra

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tenantsync/directory"
)

// refusal is what an answer other than success says, before it is known what
// was asked.
type refusal struct {
	kind       directory.ErrorKind
	status     int
	code       string
	message    string
	property   string
	objectIDs  []string
	retryAfter time.Duration
	requestID  string
}

// errorBody is Graph's error document. Every part of it may be missing, and
// older services write message as an object with the text in value.
// https://learn.microsoft.com/graph/errors
type errorBody struct {
	Error *struct {
		Code    string          `json:"code"`
		Message json.RawMessage `json:"message"`
		Details []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
			Target  string `json:"target"`
		} `json:"details"`
		InnerError struct {
			Code      string `json:"code"`
			RequestID string `json:"request-id"`
		} `json:"innerError"`
	} `json:"error"`
}

// classify sorts an answer that is not a success. It is pure: now is only used
// for a Retry-After that is a date.
func classify(status int, header http.Header, body []byte, now time.Time) refusal {
	r := refusal{
		status:     status,
		retryAfter: retryAfter(header.Get("Retry-After"), now),
		requestID:  header.Get("request-id"),
	}
	var doc errorBody
	graph := json.Unmarshal(body, &doc) == nil && doc.Error != nil
	detailCodes := ""
	if graph {
		r.code = doc.Error.Code
		r.message = messageText(doc.Error.Message)
		if r.requestID == "" {
			r.requestID = doc.Error.InnerError.RequestID
		}
		for _, d := range doc.Error.Details {
			detailCodes += strings.ToLower(d.Code) + " "
			switch strings.ToLower(d.Code) {
			case "conflictingobjects":
				r.objectIDs = append(r.objectIDs, guids.FindAllString(d.Target+" "+d.Message, -1)...)
			default:
				if r.property == "" && propertyName.MatchString(d.Target) {
					r.property = d.Target
				}
			}
		}
	}
	words := strings.ToLower(r.message)
	if r.property == "" {
		r.property = namedProperty(r.message)
	}
	if len(r.objectIDs) == 0 && strings.Contains(words, "already exists in the directory") {
		r.objectIDs = guids.FindAllString(r.message, -1)
	}
	r.kind = kindOf(status, strings.ToLower(r.code), detailCodes, words, graph || isBareJSON(body))
	return r
}

// signs are what tells one cause from another under the same status: an exact
// code, a code among the details, or words of the message. All in lower case.
type sign struct {
	kind   directory.ErrorKind
	code   string // error.code
	detail string // one of error.details[].code
	words  string // part of error.message
}

// signs are tried in order, before the status alone decides. Graph gives one
// code for many causes, so words are unavoidable; they stand here and nowhere
// else. Codes: https://learn.microsoft.com/graph/errors
var signs = []sign{
	{kind: directory.WatermarkExpired, code: "syncstatenotfound"},
	{kind: directory.WatermarkExpired, code: "syncstateinvalid"},
	{kind: directory.WatermarkExpired, code: "resyncrequired"},
	{kind: directory.WatermarkExpired, code: "directory_expiredpagetoken"},
	{kind: directory.QuotaExceeded, code: "directory_quotaexceeded"},
	{kind: directory.QuotaExceeded, words: "object quota limit"},
	{kind: directory.Throttled, code: "toomanyrequests"},
	{kind: directory.Throttled, code: "activitylimitreached"},
	{kind: directory.Throttled, code: "request_throttledtemporarily"},
	{kind: directory.SignIn, code: "invalidauthenticationtoken"},
	{kind: directory.Suspended, words: "suspicious activity"},
	{kind: directory.Conflict, code: "request_multipleobjectswithsamekeyvalue"},
	{kind: directory.Conflict, detail: "objectconflict"},
	{kind: directory.Conflict, detail: "conflictingobjects"},
	{kind: directory.Conflict, words: "another object with the same value"},
	{kind: directory.Conflict, words: "one or more proxy addresses"},
	{kind: directory.Conflict, words: "already exists in the directory"},
	{kind: directory.Conflict, words: "already exist with the same"},
	// Written by a replica that does not know a new object yet.
	{kind: directory.NotFound, words: "not a valid reference update"},
	{kind: directory.NotFound, words: "one of the objects being referenced do not exist"},
	{kind: directory.NotFound, code: "directory_objectnotfound"},
	{kind: directory.NotFound, code: "request_resourcenotfound"},
}

// kindOf decides by sign, then by status. readable says whether the body was
// JSON or empty, and not the page of some gateway.
func kindOf(status int, code, details, words string, readable bool) directory.ErrorKind {
	if status >= 400 {
		for _, s := range signs {
			if s.code != "" && s.code == code ||
				s.detail != "" && strings.Contains(details, s.detail+" ") ||
				s.words != "" && strings.Contains(words, s.words) {
				return s.kind
			}
		}
	}
	switch status {
	case http.StatusUnauthorized:
		return directory.SignIn
	case http.StatusForbidden:
		return directory.Denied
	case http.StatusNotFound:
		// A gateway that does not know the way must not pass for "gone".
		if !readable {
			return directory.Malformed
		}
		return directory.NotFound
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusPreconditionFailed,
		http.StatusLocked, http.StatusFailedDependency, http.StatusTooEarly:
		return directory.Transient
	case http.StatusGone:
		return directory.WatermarkExpired
	case http.StatusTooManyRequests, http.StatusInsufficientStorage, 509:
		return directory.Throttled
	case http.StatusNotImplemented:
		return directory.Invalid
	}
	switch {
	case status >= 500:
		return directory.Transient
	case status >= 400:
		return directory.Invalid
	}
	return directory.Malformed
}

func messageText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var older struct {
		Value string `json:"value"`
	}
	_ = json.Unmarshal(raw, &older) // a message of another shape is no message
	return older.Value
}

func isBareJSON(body []byte) bool { return len(body) == 0 || json.Valid(body) }

var (
	guids        = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
	propertyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*$`)
	inQuotes     = regexp.MustCompile(`(?i)\bpropert(?:y|ies):? '([A-Za-z][A-Za-z0-9_.]*)'`)
	inSentence   = regexp.MustCompile(`(?i)\bproperty:? ([A-Za-z][A-Za-z0-9_.]*) (?:already|is|of|has|does|cannot|can)\b`)
)

// namedProperty finds the property a message speaks of.
func namedProperty(message string) string {
	for _, pattern := range []*regexp.Regexp{inQuotes, inSentence} {
		if found := pattern.FindStringSubmatch(message); found != nil {
			return found[1]
		}
	}
	return ""
}

// longestRetryAfter is the most that a Retry-After can ask for: more than a day is
// a fault of the service, and would silence the app until its process ends.
const longestRetryAfter = 24 * time.Hour

// retryAfter reads a Retry-After header: seconds, also with a fraction, or an
// HTTP date. It is 0 when the header says nothing usable.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds*float64(time.Second), float64(longestRetryAfter)))
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), longestRetryAfter)
	}
	return 0
}

// fail makes the error of a call from what the service said.
func (c *Client) fail(what call, r refusal) *directory.Error {
	e := &directory.Error{
		Op: what.op, Kind: r.kind, Tenant: c.name, Status: r.status, Code: r.code, Message: r.message,
		Property: r.property, ObjectIDs: r.objectIDs, RetryAfter: r.retryAfter, RequestID: r.requestID,
	}
	if r.status == http.StatusForbidden && r.kind == directory.Denied {
		e.Permission = what.permission
	}
	return e
}

// malformed makes the error of an answer that is not what the protocol says.
func (c *Client) malformed(what call, ans answer, err error) *directory.Error {
	return &directory.Error{Op: what.op, Kind: directory.Malformed, Tenant: c.name,
		RequestID: ans.header.Get("request-id"), Err: err}
}

func isCertificateError(err error) bool {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &alert)
}
