package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// shape is what a JSON value must look like. It returns one line for each thing
// that is otherwise, with its path.
type shape func(path string, v any) []string

func mismatch(path, want string, v any) []string {
	return []string{fmt.Sprintf("%s: got %s, want %s", path, image(v), want)}
}

// text is any text, word one that is not empty.
func text(path string, v any) []string {
	if _, ok := v.(string); !ok {
		return mismatch(path, "text", v)
	}
	return nil
}

func word(path string, v any) []string {
	if s, ok := v.(string); !ok || s == "" {
		return mismatch(path, "text that is not empty", v)
	}
	return nil
}

// whole is a number without a fraction and not below zero.
func whole(path string, v any) []string {
	n, ok := v.(json.Number)
	if !ok || strings.ContainsAny(n.String(), ".eE-") {
		return mismatch(path, "a whole number", v)
	}
	return nil
}

func boolean(path string, v any) []string {
	if _, ok := v.(bool); !ok {
		return mismatch(path, "true or false", v)
	}
	return nil
}

// moment is a time as RFC 3339 writes it, in UTC.
func moment(path string, v any) []string {
	s, _ := v.(string)
	if at, err := time.Parse(time.RFC3339Nano, s); err != nil || at.IsZero() || !strings.HasSuffix(s, "Z") {
		return mismatch(path, "a time of RFC 3339 in UTC", v)
	}
	return nil
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func guid(path string, v any) []string {
	if s, _ := v.(string); !guidForm.MatchString(s) {
		return mismatch(path, "a GUID", v)
	}
	return nil
}

// anything is any value, null as well.
func anything(string, any) []string { return nil }

// oneOf is one of these words.
func oneOf(words ...string) shape {
	return func(path string, v any) []string {
		if s, ok := v.(string); !ok || !slices.Contains(words, s) {
			return mismatch(path, "one of "+strings.Join(words, ", "), v)
		}
		return nil
	}
}

// orNull is null or something.
func orNull(s shape) shape {
	return func(path string, v any) []string {
		if v == nil {
			return nil
		}
		return s(path, v)
	}
}

// manyOf is an array of such values.
func manyOf(s shape) shape {
	return func(path string, v any) []string {
		a, ok := v.([]any)
		if !ok {
			return mismatch(path, "an array", v)
		}
		var wrong []string
		for i, x := range a {
			wrong = append(wrong, s(fmt.Sprintf("%s[%d]", path, i), x)...)
		}
		return wrong
	}
}

// fields is an object that has at least these; one whose name ends with ? may be
// left out.
type fields map[string]shape

func (f fields) check(path string, v any) []string {
	o, ok := v.(map[string]any)
	if !ok {
		return mismatch(path, "an object", v)
	}
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		key, optional := strings.CutSuffix(name, "?")
		x, given := o[key]
		if !given {
			if !optional {
				wrong = append(wrong, fmt.Sprintf("%s: there is no %q", path, key))
			}
			continue
		}
		wrong = append(wrong, f[name](path+"."+key, x)...)
	}
	return wrong
}

// closed is an object that has nothing but these fields.
func (f fields) closed(path string, v any) []string {
	wrong := f.check(path, v)
	o, _ := v.(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(o)) {
		if f[key] == nil && f[key+"?"] == nil {
			wrong = append(wrong, fmt.Sprintf("%s: nobody documented %q", path, key))
		}
	}
	return wrong
}

// valuesOf is an object of any keys whose values look like this.
func valuesOf(s shape) shape {
	return func(path string, v any) []string {
		o, ok := v.(map[string]any)
		if !ok {
			return mismatch(path, "an object", v)
		}
		var wrong []string
		for _, key := range slices.Sorted(maps.Keys(o)) {
			wrong = append(wrong, s(path+"."+key, o[key])...)
		}
		return wrong
	}
}

// decodeOne decodes a text that holds exactly one JSON document.
func decodeOne(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one document")
	}
	return v, nil
}

// looks fails unless the answer's standard output is one document of this shape,
// which it returns.
func (a answer) looks(t *testing.T, s shape) any {
	t.Helper()
	v, err := decodeOne(a.stdout)
	if err != nil {
		t.Fatalf("tenantsync %q (exit %d): %v\nstdout: %s\nstderr: %s", a.args, a.exit, err, a.stdout, a.stderr)
	}
	for _, line := range s("", v) {
		t.Errorf("tenantsync %q: %s", a.args, line)
	}
	return v
}

// exits fails unless the command ended with this code.
func (a answer) exits(t *testing.T, code int) answer {
	t.Helper()
	if a.exit != code {
		t.Errorf("tenantsync %q: got exit code %d, want %d\nstdout: %.2000s\nstderr: %s", a.args, a.exit, code, a.stdout, a.stderr)
	}
	return a
}

// at walks a decoded document: at(v, "jobs", 0, "state"); nil where it ends.
func at(v any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			o, _ := v.(map[string]any)
			v = o[s]
		case int:
			a, _ := v.([]any)
			if s >= len(a) {
				return nil
			}
			v = a[s]
		}
	}
	return v
}

// The documents of the contract's §2, named as there.
var (
	summaryShape = fields{"create": whole, "update": whole, "disable": whole, "delete": whole, "restore": whole, "unchanged": whole,
		"skipped": whole, "failed": whole, "held": whole}.closed
	graphShape    = fields{"requests": whole, "writes": whole, "throttled": whole}.closed
	propertyShape = fields{"displayName": word, "oldValue": orNull(text), "newValue": orNull(text)}.check
	changeShape   = fields{
		"action": oneOf("create", "update", "disable", "delete", "restore", "stagedDelete", "none", "fail"),
		"source": fields{"id": guid, "userPrincipalName": text}.closed, "target": orNull(fields{"id": guid}.closed),
		"modifiedProperties": manyOf(propertyShape), "reason": text,
	}.check
	stepTypes = oneOf("import", "scoping", "matching", "processing", "referenceResolution", "export")
	stepShape = fields{"name": word, "provisioningStepType": stepTypes, "status": oneOf("success", "failure", "skipped", "warning"),
		"description": word, "details": valuesOf(text)}.check
	checkShape = fields{"checks": manyOf(fields{"tenant": text, "name": word, "status": oneOf("success", "failure", "warning", "skipped"),
		"detail": word, "action": text}.check)}.check
	planShape = fields{"job": word, "cycle": oneOf("initial", "incremental"), "changes": manyOf(changeShape), "summary": summaryShape,
		"deletionThreshold": fields{"held": boolean, "count": whole, "limit": whole}.check}.check
	outcomes  = oneOf("success", "partial", "quarantine", "failed", "interrupted")
	syncShape = fields{"job": word, "cycleId": guid, "cycle": oneOf("initial", "incremental"), "outcome": outcomes, "summary": summaryShape,
		"startedAt": moment, "endedAt": moment, "graph": graphShape}.check
	identityShape  = fields{"id": text, "displayName": text, "identityType": text, "details": valuesOf(text)}.check
	provisionShape = fields{"job": word, "changeId": guid, "action": oneOf("create", "update", "disable", "delete", "stagedDelete", "other"),
		"status": oneOf("success", "failure", "skipped", "warning"), "steps": manyOf(stepShape), "modifiedProperties": manyOf(propertyShape),
		"sourceIdentity": identityShape, "targetIdentity": identityShape}.check
	statusShape = fields{"jobs": manyOf(fields{"name": word, "state": oneOf("Active", "Paused", "Quarantine", "NotRun"),
		"quarantine": orNull(fields{"reason": word, "since": moment, "nextAttempt": orNull(moment)}.check),
		"inScope":    whole, "linked": whole, "held": whole, "retries": whole,
		"lastCycle": orNull(fields{"cycleId": guid, "cycle": oneOf("initial", "incremental"), "outcome": outcomes, "summary": summaryShape,
			"graph": graphShape, "startedAt": moment, "endedAt": moment}.check),
		"nextStart": orNull(moment)}.check)}.check
	heldShape    = fields{"sourceId": guid, "userPrincipalName": word, "targetId": guid, "reason": word, "since": moment}.check
	deletions    = fields{"job": word, "held": manyOf(heldShape)}.check
	retriesShape = fields{"job": word, "retries": manyOf(fields{"sourceId": guid, "step": stepTypes, "errorCode": word, "attempts": whole,
		"nextAttempt": moment}.check)}.check
	entryShape = fields{"id": guid, "activityDateTime": moment, "tenantId": guid, "jobId": word, "cycleId": guid, "changeId": guid,
		"provisioningAction":     oneOf("create", "update", "disable", "delete", "stagedDelete", "other"),
		"durationInMilliseconds": whole,
		"initiatedBy":            fields{"id": text, "displayName": text, "initiatorType": oneOf("user", "application", "system")}.closed,
		"servicePrincipal":       fields{"id": text, "displayName": text}.closed,
		"sourceSystem":           fields{"id": guid, "displayName": word, "details": valuesOf(text)}.closed,
		"targetSystem":           fields{"id": guid, "displayName": word, "details": valuesOf(text)}.closed,
		"sourceIdentity":         identityShape, "targetIdentity": identityShape,
		"provisioningStatusInfo": fields{"status": oneOf("success", "failure", "skipped", "warning"),
			"errorInformation": orNull(fields{"errorCode": word, "reason": word, "additionalDetails": orNull(text),
				"errorCategory": oneOf("failure", "nonServiceFailure", "success"), "recommendedAction": orNull(text)}.closed)}.closed,
		"provisioningSteps":  manyOf(fields{"name": word, "provisioningStepType": stepTypes, "status": oneOf("success", "failure", "skipped", "warning"), "description": word, "details": valuesOf(text)}.closed),
		"modifiedProperties": manyOf(fields{"displayName": word, "oldValue": orNull(text), "newValue": orNull(text)}.closed)}.closed
	explainShape = fields{"inScope": boolean, "reasons": manyOf(word), "link": orNull(fields{"sourceId": guid, "targetId": guid}.check),
		"lastChange": orNull(entryShape), "retry": orNull(fields{"errorCode": word, "attempts": whole, "nextAttempt": moment, "step": stepTypes}.check)}.check
	casesShape = fields{"passed": whole, "failed": whole, "cases": manyOf(fields{"id": text, "value": anything, "error": orNull(text), "ok": boolean}.check)}.check
	readyShape = fields{"ready": boolean, "graph": word, "authority": word, "config": word}.closed
	errorShape = fields{"error": fields{"code": word, "message": word, "cause?": word, "action?": word, "permission?": word, "file?": word,
		"line?": whole, "column?": whole, "requestId?": word}.closed}.closed
	logShape = fields{"level": oneOf("debug", "info", "warn", "error"), "ts": word, "msg": word}.check
)

// spaced writes values with blanks between them.
func spaced(values ...any) string { return strings.TrimSpace(fmt.Sprintln(values...)) }

// load brings a tenant to a file's state by the command, and returns how many
// objects were created, updated, deleted and so on.
func (l *lab) load(tenant, file string) []int {
	l.t.Helper()
	doc := l.run("simulate", "load", tenant, file, "-o", "json").exits(l.t, 0).looks(l.t, fields{"created": whole, "updated": whole, "deleted": whole,
		"restored": whole, "groupsCreated": whole, "groupsUpdated": whole, "groupsDeleted": whole, "membersAdded": whole, "membersRemoved": whole,
		"sections": manyOf(word)}.closed)
	var counts []int
	for _, name := range []string{"created", "updated", "deleted", "restored", "groupsCreated", "groupsUpdated", "groupsDeleted", "membersAdded", "membersRemoved"} {
		n, err := at(doc, name).(json.Number).Int64()
		if err != nil {
			l.t.Fatal(err)
		}
		counts = append(counts, int(n))
	}
	return counts
}
