package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// §6.10, where values come back from elsewhere: a filter's reason, an ambiguous
// match, and a Graph that repeats in its refusals what it was sent.
func TestPromise10NothingSensitiveIsRepeated(t *testing.T) {
	t.Parallel()
	const value = "EMP-SENSITIVE"
	sensitive := list{obj{"target": "displayName", "source": "displayName"},
		obj{"target": "employeeId", "source": "employeeId", "sensitive": true, "matchingPriority": 1},
		obj{"target": "jobTitle", "expression": `Append(ToUpper([department]), " staff")`, "sensitive": true}}
	clause := obj{"attribute": "employeeId", "operator": "NOT REGEX MATCH", "value": "-out$"}
	l := newLab(t, users(staff("ann", obj{"employeeId": value + "-1", "department": "dept-hidden"}), staff("out", obj{"employeeId": value + "-out"}),
		staff("two", obj{"employeeId": value + "-2"})),
		users(guest("g1", "g1@contoso.example", obj{"employeeId": value + "-2"}), guest("g2", "g2@contoso.example", obj{"employeeId": value + "-2"})))
	l.bendTenant("target", func(resp *http.Response, body []byte) []byte {
		if strings.Contains(string(body), value) && resp.StatusCode == http.StatusOK && resp.Request.Method == "GET" {
			return body // the target's own users
		}
		if strings.HasSuffix(resp.Request.URL.Path, "/policies/authorizationPolicy") {
			resp.StatusCode, resp.Status = http.StatusForbidden, "403 Forbidden"
			return []byte(`{"error":{"code":"AccessDenied","message":"Refused: ` + resp.Request.Header.Get("Authorization") + ` ` + l.access["target"].secret + `"}}`)
		}
		return body
	})
	l.configure(jobWith(obj{"mappings": sensitive, "scope": obj{"mode": "all", "filters": list{obj{"title": "F", "clauses": list{clause}}}}}))
	l.faults("target", obj{"method": "PATCH", "path": "/users/*", "item": "inner", "status": 400, "code": "Request_BadRequest",
		"message": "Invalid value '" + value + "-1' or 'DEPT-HIDDEN staff' for the property."})
	shown := map[string]string{}
	run := func(args ...string) {
		a := l.run(args...)
		shown[fmt.Sprint(args)] += string(a.stdout) + string(a.stderr)
	}
	run("plan", jobName, "-o", "json")
	run("plan", jobName, "-v")
	run("sync", jobName, "-v", "-o", "json")
	for _, who := range []string{"ann", "out", "two"} {
		run("explain", who+"@contoso.example", "--job", jobName)
		run("explain", who+"@contoso.example", "--job", jobName, "-o", "json")
		run("provision", who+"@contoso.example", "-v")
		run("provision", who+"@contoso.example", "-o", "json")
		run("provision", who+"@contoso.example", "--dry-run", "-o", "json")
	}
	run("scope", "test", "out@contoso.example", "-j", jobName)
	run("scope", "test", "out@contoso.example", "-j", jobName, "-o", "json")
	run("retries", "list", jobName, "-o", "json")
	run("retries", "list", jobName)
	run("logs", "-o", "json")
	run("logs", "-o", "wide")
	run("status", "-o", "json")
	run("check", "-o", "json", "-v")
	for what, text := range shown {
		for name, secret := range map[string]string{"a sensitive value": value, "a sensitive result": "DEPT-HIDDEN", "what it is made of": "dept-hidden", "a token": "eyJ", "the secret": l.access["target"].secret} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s shows %s: …%s…", what, name, text[max(0, at-150):min(len(text), at+100)])
			}
		}
	}
}
