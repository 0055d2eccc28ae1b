package entra

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"tenantsync/directory"
)

const someID = "aaaaaaaa-1111-2222-3333-444444444444"

func doc(code, message string) string {
	return `{"error":{"code":"` + code + `","message":"` + message + `","innerError":{"request-id":"req-7"}}}`
}

// One row for each cause Graph is known to name, and for the ways it fails to.
func TestClassify(t *testing.T) {
	tests := []struct {
		name     string
		status   int
		body     string
		kind     directory.ErrorKind
		property string
		ids      []string
	}{
		{"uniqueness by details", 400, `{"error":{"code":"Request_BadRequest","message":"Another object with the same value for property proxyAddresses already exists.","details":[{"code":"ObjectConflict","message":"x","target":"proxyAddresses"},{"code":"ConflictingObjects","message":"Objects in conflict","target":"` + someID + `"}]}}`,
			directory.Conflict, "proxyAddresses", []string{someID}},
		{"uniqueness by words", 400, doc("Request_BadRequest", "Another object with the same value for property mail already exists."), directory.Conflict, "mail", nil},
		{"proxy address by words", 400, doc("Request_BadRequest", "One or more proxy addresses are already in use."), directory.Conflict, "", nil},
		{"invalid value", 400, doc("Request_BadRequest", "Invalid value specified for property 'city' of resource 'User'."), directory.Invalid, "city", nil},
		{"property by details", 400, `{"error":{"code":"Request_BadRequest","message":"no","details":[{"code":"InvalidValue","message":"x","target":"usageLocation"}]}}`, directory.Invalid, "usageLocation", nil},
		{"mastered elsewhere", 400, doc("Request_BadRequest", "Unable to update the specified properties for objects that have originated within an external service."), directory.Invalid, "", nil},
		{"reference not replicated", 400, doc("Request_BadRequest", "Not a valid reference update."), directory.NotFound, "", nil},
		{"referenced object not replicated", 400, doc("Request_BadRequest", "The source resource object or one of the objects being referenced do not exist."), directory.NotFound, "", nil},
		{"invited user exists", 400, doc("BadRequest", "The invited user already exists in the directory as object ID: "+someID+". They can use that account"), directory.Conflict, "", []string{someID}},
		{"invitee at home", 400, doc("BadRequest", "Invitee is in inviter tenant"), directory.Invalid, "", nil},
		{"unsupported query", 400, doc("Request_UnsupportedQuery", "no"), directory.Invalid, "", nil},
		{"same key value 400", 400, doc("Request_MultipleObjectsWithSameKeyValue", "x"), directory.Conflict, "", nil},
		{"same key value 404", 404, doc("Request_MultipleObjectsWithSameKeyValue", "x"), directory.Conflict, "", nil},
		{"same key value 409", 409, doc("Request_MultipleObjectsWithSameKeyValue", "x"), directory.Conflict, "", nil},
		{"bad token", 401, doc("InvalidAuthenticationToken", "Lifetime validation failed"), directory.SignIn, "", nil},
		{"401 without words", 401, ``, directory.SignIn, "", nil},
		{"denied", 403, doc("Authorization_RequestDenied", "Insufficient privileges to complete the operation."), directory.Denied, "", nil},
		{"identity not found", 403, doc("Authorization_IdentityNotFound", "x"), directory.Denied, "", nil},
		{"access denied, other casing", 403, doc("accessDenied", "x"), directory.Denied, "", nil},
		{"403 as a page", 403, `<html>no</html>`, directory.Denied, "", nil},
		{"invitations blocked", 403, doc("Forbidden", "Invitations are blocked for this directory due to suspicious activity."), directory.Suspended, "", nil},
		{"invitations blocked as 400", 400, doc("BadRequest", "Invitations are blocked for this directory due to Suspicious Activity."), directory.Suspended, "", nil},
		{"object quota", 403, doc("Directory_QuotaExceeded", "The directory object quota limit for the Tenant has been exceeded."), directory.QuotaExceeded, "", nil},
		{"object quota, other casing and status", 400, doc("directory_quotaexceeded", ""), directory.QuotaExceeded, "", nil},
		{"gone", 404, doc("Request_ResourceNotFound", "Resource 'x' does not exist or one of its queried reference-property objects are not present."), directory.NotFound, "", nil},
		{"not visible yet", 404, doc("Directory_ObjectNotFound", "Unable to read the company information from the directory."), directory.NotFound, "", nil},
		{"404 empty", 404, ``, directory.NotFound, "", nil},
		{"404 bare", 404, `{}`, directory.NotFound, "", nil},
		{"404 of a gateway is not gone", 404, `<html>nginx</html>`, directory.Malformed, "", nil},
		{"concurrent write", 409, doc("Conflict", "x"), directory.Transient, "", nil},
		{"concurrency violation", 409, doc("ConcurrencyViolation", "x"), directory.Transient, "", nil},
		{"409 with a taken value", 409, doc("Request_Conflict", "Another object with the same value for property mail already exists."), directory.Conflict, "mail", nil},
		{"precondition", 412, ``, directory.Transient, "", nil},
		{"watermark gone", 410, doc("resyncRequired", "x"), directory.WatermarkExpired, "", nil},
		{"410 bare", 410, `{}`, directory.WatermarkExpired, "", nil},
		{"sync state 400", 400, doc("syncStateNotFound", "x"), directory.WatermarkExpired, "", nil},
		{"sync state 404, other casing", 404, doc("SyncStateNotFound", "x"), directory.WatermarkExpired, "", nil},
		{"page token", 400, doc("Directory_ExpiredPageToken", "The specified page token value has expired."), directory.WatermarkExpired, "", nil},
		{"failed dependency", 424, doc("FailedDependency", "x"), directory.Transient, "", nil},
		{"throttled", 429, doc("TooManyRequests", "x"), directory.Throttled, "", nil},
		{"throttled without words", 429, `{}`, directory.Throttled, "", nil},
		{"throttled as 503", 503, doc("activityLimitReached", "x"), directory.Throttled, "", nil},
		{"throttled temporarily", 429, doc("Request_ThrottledTemporarily", "x"), directory.Throttled, "", nil},
		{"unknown error 500", 500, doc("UnknownError", ""), directory.Transient, "", nil},
		{"500 empty", 500, ``, directory.Transient, "", nil},
		{"not implemented", 501, doc("NotImplemented", "x"), directory.Invalid, "", nil},
		{"502 page", 502, `<html>`, directory.Transient, "", nil},
		{"503 page", 503, `<html><h1>503</h1>`, directory.Transient, "", nil},
		{"504", 504, doc("gatewayTimeout", "x"), directory.Transient, "", nil},
		{"507", 507, ``, directory.Throttled, "", nil},
		{"509", 509, ``, directory.Throttled, "", nil},
		{"request timeout", 408, ``, directory.Transient, "", nil},
		{"redirect", 302, ``, directory.Malformed, "", nil},
		{"unexpected success", 202, `{}`, directory.Malformed, "", nil},
		{"older message shape", 400, `{"error":{"code":"x","message":{"lang":"en","value":"Property 'mail' is bad"}}}`, directory.Invalid, "mail", nil},
		{"error is no object", 400, `{"error":"x"}`, directory.Invalid, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := classify(tt.status, http.Header{}, []byte(tt.body), time.Time{})
			if got.kind != tt.kind || got.property != tt.property || !slices.Equal(got.objectIDs, tt.ids) {
				t.Errorf("got %v %q %v, want %v %q %v", got.kind, got.property, got.objectIDs, tt.kind, tt.property, tt.ids)
			}
		})
	}
}

func TestClassifyKeepsTheServicesWords(t *testing.T) {
	h := http.Header{"Retry-After": {"2.5"}}
	got := classify(429, h, []byte(doc("TooManyRequests", "slow down")), time.Time{})
	want := refusal{kind: directory.Throttled, status: 429, code: "TooManyRequests", message: "slow down", retryAfter: 2500 * time.Millisecond, requestID: "req-7"}
	if got.kind != want.kind || got.status != want.status || got.code != want.code || got.message != want.message ||
		got.retryAfter != want.retryAfter || got.requestID != want.requestID {
		t.Errorf("got %+v, want %+v", got, want)
	}
	h.Set("request-id", "head")
	if got := classify(429, h, []byte(doc("x", "y")), time.Time{}).requestID; got != "head" {
		t.Errorf("request id: got %q, want that of the header", got)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0}, {"0", 0}, {"-3", 0}, {"NaN", 0}, {"soon", 0}, {"7", 7 * time.Second}, {" 2.128 ", 2128 * time.Millisecond},
		{"1e99", 24 * time.Hour}, {"Inf", 24 * time.Hour},
		{now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour}, {"9223372036854775808", 24 * time.Hour}, {"-Inf", 0}, {"2,128", 0},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.value, now); got != tt.want {
			t.Errorf("Retry-After %q: got %v, want %v", tt.value, got, tt.want)
		}
	}
}

func TestPatience(t *testing.T) {
	none, full := func() float64 { return 0 }, func() float64 { return 0.999 }
	var p patience
	var got []time.Duration
	for {
		pause, again := p.next(directory.Transient, 0, none)
		if !again {
			break
		}
		got = append(got, pause/time.Second)
	}
	if want := []time.Duration{1, 2, 4, 8, 16, 32, 60}; !slices.Equal(got, want) {
		t.Errorf("pauses of a passing fault: got %v s, want %v s", got, want)
	}
	p = patience{}
	if pause, _ := p.next(directory.Throttled, 0, none); pause != 10*time.Second {
		t.Errorf("429 without Retry-After: got %v, want 10s", pause)
	}
	for _, after := range []time.Duration{time.Millisecond, 3 * time.Second, 2 * time.Minute} {
		p = patience{}
		if pause, _ := p.next(directory.Throttled, after, full); pause < after || pause > after+time.Second {
			t.Errorf("Retry-After %v: got %v, want it or at most a second more", after, pause)
		}
	}
	p = patience{}
	if _, again := p.next(directory.Throttled, 6*time.Minute, none); again {
		t.Error("Retry-After of 6 minutes: got another attempt, want none")
	}
	p = patience{}
	for i := range maxUnreached {
		if _, again := p.unanswered(none); again != (i < maxUnreached-1) {
			t.Errorf("unanswered attempt %d: got again %v", i+1, again)
		}
	}
}

func TestOriginIsComparedExactly(t *testing.T) {
	c := &Client{name: "contoso", graph: "https://graph.test/v1.0"}
	root, err := parseEndpoint("graph", c.graph, true)
	if err != nil {
		t.Fatal(err)
	}
	c.origin = originOf(root)
	tests := []struct {
		link string
		ok   bool
	}{
		{"https://graph.test/v1.0/users/delta?$skiptoken=1", true},
		{"https://GRAPH.test:443/v1.0/x", true},
		{"http://graph.test/v1.0/x", false},
		{"http://graph.test:443/v1.0/x", false},
		{"https://graph.test:8443/v1.0/x", false},
		{"https://graph.test.evil.example/v1.0/x", false},
		{"https://graph.test@evil.example/v1.0/x", false},
		{"https://user@graph.test/v1.0/x", false},
		{"https://evil.example/graph.test", false},
		{"//graph.test/v1.0/x", false},
		{"/v1.0/users", false},
		{"https:graph.test/x", false},
		{"", false},
		{"https://graph.test/%zz", false},
	}
	for _, tt := range tests {
		_, err := c.pinned(callDelta, tt.link)
		if got := err == nil; got != tt.ok {
			t.Errorf("%q: admitted %v, want %v (%v)", tt.link, got, tt.ok, err)
		}
		if err != nil && directory.KindOf(err) != directory.ForeignLink {
			t.Errorf("%q: got kind %v, want foreign link", tt.link, directory.KindOf(err))
		}
	}
}

func TestEndpointsNeedHTTPS(t *testing.T) {
	tests := []struct {
		url      string
		loopback bool
		ok       bool
	}{
		{"https://graph.microsoft.com/v1.0", true, true}, {"http://127.0.0.1:80/v1.0", true, true}, {"http://[::1]:80/v1.0", true, true},
		{"http://localhost/v1.0", true, true}, {"http://localhost/", false, false}, {"http://graph.microsoft.com/v1.0", true, false},
		{"http://localhost.evil.example/v1.0", true, false}, {"ftp://x/y", true, false}, {"graph.microsoft.com", true, false},
		{"https://u:p@graph.microsoft.com/", true, false}, {"https://x/?a=b", true, false}, {"", true, false},
	}
	for _, tt := range tests {
		if _, err := parseEndpoint("graph", tt.url, tt.loopback); (err == nil) != tt.ok {
			t.Errorf("%q: got %v, want ok %v", tt.url, err, tt.ok)
		}
	}
}

func TestChallengesAreCheckedBeforeTheAdapterSeesThem(t *testing.T) {
	tests := []struct {
		header string
		ok     bool
	}{
		{"", true}, {`Bearer realm=""`, true}, {`Bearer realm="", claims="eyJ9"`, true}, {`Bearer claims="x"`, true},
		{`Bearer claims=x`, false}, {`Bearer realm="", claims`, false},
	}
	for _, tt := range tests {
		if got := wellFormedChallenge(tt.header); got != tt.ok {
			t.Errorf("%s: got %v, want %v", tt.header, got, tt.ok)
		}
	}
}

func TestSelectOf(t *testing.T) {
	tests := []struct {
		attributes []string
		manager    bool
		want       string
	}{
		{nil, true, "$select=id"},
		{[]string{"mail", "id", "city", "mail", "manager"}, true, "$select=id,city,mail,manager"},
		{[]string{"manager", "city"}, false, "$select=id,city"},
		{[]string{"extensionAttribute15", "extensionAttribute1", "division", "costCenter"}, false, "$select=id,employeeOrgData,onPremisesExtensionAttributes"},
		{[]string{"extensionAttribute16", "extensionAttribute0"}, false, "$select=id,extensionAttribute0,extensionAttribute16"},
	}
	for _, tt := range tests {
		if got := selectOf(tt.attributes, tt.manager); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.attributes, got, tt.want)
		}
	}
}

func TestSegment(t *testing.T) {
	good := map[string]string{
		someID: someID, "ann_x.test#EXT#@y.test": "ann_x.test%23EXT%23@y.test", "a?b": "a%3Fb", "a b": "a%20b", "o'neil@x": "o%27neil@x", "100%": "100%25",
	}
	for id, want := range good {
		if got, err := segment(id); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", id, got, err, want)
		}
	}
	for _, id := range []string{"", ".", "..", "a/b", `a\b`, "a\nb", "\x00"} {
		if got, err := segment(id); err == nil {
			t.Errorf("%q: got %q, want an error", id, got)
		}
	}
}

func TestAddressFilter(t *testing.T) {
	got := addressFilter([]string{"o'neil@x.test", "b@x.test"})
	want := "userPrincipalName in ('o''neil@x.test','b@x.test') or mail in ('o''neil@x.test','b@x.test')" +
		" or otherMails/any(x:x eq 'o''neil@x.test') or proxyAddresses/any(x:x eq 'SMTP:o''neil@x.test') or proxyAddresses/any(x:x eq 'smtp:o''neil@x.test')" +
		" or otherMails/any(x:x eq 'b@x.test') or proxyAddresses/any(x:x eq 'SMTP:b@x.test') or proxyAddresses/any(x:x eq 'smtp:b@x.test')"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUpdateBody(t *testing.T) {
	v := map[string]directory.Value{
		"city": directory.NullValue(), "businessPhones": directory.NullValue(), "otherMails": directory.ListOf(),
		"accountEnabled": directory.BoolOf(false), "displayName": directory.TextOf("A \"B\"\n<ß>"), "n": directory.IntOf(-3),
		"extensionAttribute2": directory.TextOf("x"), "extensionAttribute10": directory.NullValue(), "division": directory.TextOf("d"),
		"proxyAddresses": directory.ListOf("a", "b"),
	}
	got, err := appendUpdate(nil, directory.AttributesOf(v))
	want := `{"accountEnabled":false,"businessPhones":[],"city":null,"displayName":"A \"B\"\n<ß>","n":-3,"otherMails":[],"proxyAddresses":["a","b"],` +
		`"employeeOrgData":{"division":"d"},"onPremisesExtensionAttributes":{"extensionAttribute10":null,"extensionAttribute2":"x"}}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	for _, name := range []string{"manager", "id"} {
		if _, err := appendUpdate(nil, directory.AttributesOf(map[string]directory.Value{name: directory.TextOf("x")})); err == nil {
			t.Errorf("%s in an update: got no error", name)
		}
	}
	if _, err := appendUpdate(nil, directory.AttributesOf(map[string]directory.Value{"x": directory.RefOf("y")})); err == nil {
		t.Error("reference in an update: got no error")
	}
}

func TestInvitationBody(t *testing.T) {
	got := string(appendInvitation(nil, directory.Write{Address: "a@x.test", RedirectURL: "https://r/?a=1&b=2", DisplayName: "Ann"}))
	want := `{"invitedUserEmailAddress":"a@x.test","invitedUserDisplayName":"Ann","invitedUserType":"Guest","inviteRedirectUrl":"https://r/?a=1&b=2","sendInvitationMessage":false}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDecodeBatch(t *testing.T) {
	good := `{"responses":[{"id":"2","status":429,"headers":{"retry-after":3,"X":null},"body":{"error":{}}},{"id":"1","status":204,"headers":null}],"other":[1]}`
	got, err := decodeBatch([]byte(good), 3)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].status != 204 || got[0].body != nil || got[1].status != 429 || got[1].header.Get("Retry-After") != "3" ||
		string(got[1].body) != `{"error":{}}` || got[2].present {
		t.Errorf("got %+v", got)
	}
	text, err := decodeBatch([]byte(`{"responses":[{"id":"1","status":503,"body":"PGh0bWw+"},{"id":"2","status":503,"body":"<html>"}]}`), 2)
	if err != nil || string(text[0].body) != "<html>" || string(text[1].body) != "<html>" {
		t.Errorf("text bodies: got %+v, %v", text, err)
	}
	for _, bad := range []string{
		``, `[]`, `{}`, `{"responses":null}`, `{"responses":[{}]}`, `{"responses":[{"id":"1"}]}`, `{"responses":[{"id":"1","status":"200"}]}`,
		`{"responses":[{"id":"4","status":200}]}`, `{"responses":[{"id":"0","status":200}]}`, `{"responses":[{"id":"01","status":200}]}`,
		`{"responses":[{"id":"1","status":200},{"id":"1","status":200}]}`, `{"responses":[{"id":"1","status":200}]`, `{"responses":[]}x`,
		`{"responses":[{"id":"1","status":9}]}`, `{"responses":["x"]}`,
	} {
		if got, err := decodeBatch([]byte(bad), 3); err == nil {
			t.Errorf("%s: got %+v, want an error", bad, got)
		}
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"responses":[{"id":"2","status":429,"headers":{"Retry-After":"3"},"body":{"error":{}}},{"id":"1","status":204}]}`))
	f.Add([]byte(`{"responses":[{"id":"1","status":200,"body":"eyJ9"}]}`))
	f.Add([]byte(`{"responses":[{"id":"3","status":200,"body":{"value":[{"id":"x"}]}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeBatch(b, 3)
		if err != nil {
			return
		}
		if len(got) != 3 {
			t.Fatalf("got %d replies, want 3", len(got))
		}
		for _, r := range got {
			if r.present && (r.status < 100 || r.status > 599) {
				t.Errorf("status %d", r.status)
			}
		}
	})
}

func TestRolesOfTokens(t *testing.T) {
	if _, ok := parseClaims("opaque"); ok {
		t.Error("opaque token: got claims")
	}
	if _, ok := parseClaims("a.!!!.c"); ok {
		t.Error("token in dots: got claims")
	}
}
