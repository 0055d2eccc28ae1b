package engine_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"slices"

	"tenantsync/engine"
	"tenantsync/entra/entrasim"
	"tenantsync/mapping"
)

// direct is a mapping of one attribute to another.
func direct(target, source string) mapping.Mapping {
	return mapping.Mapping{Target: target, Source: source}
}

// defaultsWith returns the default mappings; those given stand in place of the
// default with the same target, or are added.
func defaultsWith(over ...mapping.Mapping) []mapping.Mapping {
	out := mapping.Default()
	for _, m := range over {
		i := slices.IndexFunc(out, func(d mapping.Mapping) bool { return d.Target == m.Target })
		if i < 0 {
			out = append(out, m)
			continue
		}
		out[i] = m
	}
	return out
}

// withoutPermission takes a permission of the source tenant's app away.
func (w *world) withoutPermission(name string) {
	w.Helper()
	apps := w.contoso.Dump().Applications
	for i, a := range apps {
		o := a.Map()
		o["roles"] = slices.DeleteFunc(a.Strings("roles"), func(r string) bool { return r == name })
		changed, err := entrasim.NewObject(o)
		w.must(err)
		apps[i] = changed
	}
	_, err := w.contoso.Load(entrasim.File{Applications: apps})
	w.must(err)
}

// replaceInAnswers is a change of every answer's text on its way.
func replaceInAnswers(before, after string) func(*http.Request, *http.Response) (*http.Response, error) {
	return func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return resp, err
		}
		body = bytes.ReplaceAll(body, []byte(before), []byte(after))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp, nil
	}
}

// answerInvitation lets the invitation of an address, sent by itself or in a
// batch of one, answer with the id of a user that is there already.
func answerInvitation(address, id string) func(*http.Request, *http.Response) (*http.Response, error) {
	return func(_ *http.Request, resp *http.Response) (*http.Response, error) {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return resp, err
		}
		if bytes.Contains(body, []byte(`"invitedUserEmailAddress":"`+address+`"`)) {
			body = regexp.MustCompile(`"invitedUser":\{"id":"[^"]*"`).ReplaceAll(body, []byte(`"invitedUser":{"id":"`+id+`"`))
		}
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp, nil
	}
}

// assignedTo makes the members of the given groups the scope of the first job.
func (w *world) assignedTo(groups ...int) {
	w.Helper()
	w.configure(true, func(j *engine.Job) {
		j.Scope = engine.Scope{}
		for _, n := range groups {
			j.Scope.Groups = append(j.Scope.Groups, groupID(n))
		}
	})
}
