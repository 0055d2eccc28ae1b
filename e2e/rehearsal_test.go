package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// A pair of tenants is captured without its names, served, and synchronized: all
// that is counted, refused and in the way is the same as in the pair itself.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	t.Run("a dozen people", func(t *testing.T) {
		rehearse(t, filepath.Join("..", "testdata", "e2e", "1-founding.json"))
	})
	t.Run("a real directory", func(t *testing.T) {
		rehearse(t, snapshots(t)[0])
	})
}

// rehearsed is what counts of a plan and of the cycle after it.
type rehearsed struct {
	Changes, Collisions []string
	Mails, Unchecked    any
	Summary             summary
	Outcome             string
	Writes              int
}

func rehearse(t *testing.T, path string) {
	t.Helper()
	source := readObject(t, path)
	target := crowd(t, source)
	job := jobWith(obj{"mappings": list{
		obj{"target": "displayName", "expression": `Join(", ", [surname], [givenName])`}, obj{"target": "mail", "source": "mail"},
		obj{"target": "givenName", "source": "givenName"}, obj{"target": "surname", "source": "surname"}, obj{"target": "department", "source": "department"},
		obj{"target": "userType", "constant": "Member", "flowType": "ObjectAddOnly"}, obj{"target": "manager", "source": "manager"},
	}})
	tenants := newLab(t, source, target)
	tenants.configure(job)
	for _, name := range []string{"source", "target"} {
		tenants.run("capture", name, "-F", name+".captured", "--pseudonymize").exits(t, 0)
	}
	real := tenants.rehearsal()
	served := newLab(t, readObject(t, filepath.Join(tenants.dir, "source.captured")), readObject(t, filepath.Join(tenants.dir, "target.captured")))
	served.configure(job)
	got := served.rehearsal()
	expectEqual(t, "collisions", strings.Join(got.Collisions, "\n"), strings.Join(real.Collisions, "\n"))
	expectEqual(t, "changes", strings.Join(got.Changes, "\n"), strings.Join(real.Changes, "\n"))
	got.Changes, got.Collisions = real.Changes, real.Collisions
	expectEqual(t, "the rest of plan and cycle", got, real)
	for _, holder := range []string{"user", "deletedUser", "group", "contact"} {
		if !slices.ContainsFunc(real.Collisions, func(c string) bool { return strings.Contains(c, " "+holder+" ") }) {
			t.Errorf("no collision with a %s: the pair of tenants shows too little\n%s", holder, strings.Join(real.Collisions, "\n"))
		}
	}
	if real.Summary.Create == 0 || real.Summary.Update == 0 || real.Summary.Failed == 0 {
		t.Errorf("summary %+v: want creates, updates and failures", real.Summary)
	}
	nobodyNamed(t, source, filepath.Join(tenants.dir, "source.captured"), filepath.Join(tenants.dir, "target.captured"))
}

// rehearsal plans and runs the first cycle.
func (l *lab) rehearsal() rehearsed {
	l.t.Helper()
	doc := l.run("plan", jobName, "--collisions", "-o", "json").exits(l.t, 0).looks(l.t, planShape)
	r := rehearsed{Mails: at(doc, "mails"), Unchecked: at(doc, "notChecked")}
	changes, _ := at(doc, "changes").([]any)
	for _, c := range changes {
		r.Changes = append(r.Changes, spaced(at(c, "action"), at(c, "source", "id"), at(c, "target", "id"), at(c, "code")))
	}
	collisions, _ := at(doc, "collisions").([]any)
	for _, c := range collisions {
		r.Collisions = append(r.Collisions, spaced(at(c, "source", "id"), at(c, "holder", "type"), at(c, "holder", "id"), at(c, "effect")))
	}
	slices.Sort(r.Changes)
	slices.Sort(r.Collisions)
	var c cycle
	l.run("sync", jobName, "-o", "json").into(l.t, &c)
	r.Summary, r.Outcome, r.Writes = c.Summary, c.Outcome, c.Graph.Writes
	return r
}

func readObject(t *testing.T, path string) obj {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var o obj
	if err := json.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// crowd is a target in which every second address of the source is held by
// somebody: guests who are to be found, and everybody who stands in the way.
func crowd(t *testing.T, source obj) obj {
	t.Helper()
	var everybody, bin, groups, contacts list
	people, _ := source["users"].(list)
	for i, p := range people {
		u := user(p.(obj))
		address, mail := u.text("userPrincipalName"), u.text("mail")
		holder := fmt.Sprintf("%08d-0000-4000-8000-00000000c0de", i)
		name := u.text("displayName")
		switch i % 12 {
		case 0:
			g := guest(holder, address, obj{"id": holder, "displayName": name})
			everybody = append(everybody, g)
		case 2:
			everybody = append(everybody, native(fmt.Sprint("native", i), obj{"id": holder, "displayName": name, "proxyAddresses": list{fmt.Sprintf("SMTP:native%d@fabrikam.example", i), "smtp:" + address}}))
		case 4:
			groups = append(groups, obj{"id": holder, "displayName": "Friends of " + name, "mail": address, "mailEnabled": true, "proxyAddresses": list{"SMTP:" + address}, "members": list{}})
		case 6:
			contacts = append(contacts, obj{"id": holder, "displayName": name, "mail": address, "proxyAddresses": list{"SMTP:" + address}})
		case 8:
			bin = append(bin, obj{"id": holder, "userPrincipalName": strings.ReplaceAll(holder, "-", "") + address, "displayName": name, "mail": address, "deletedDateTime": time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)})
		case 10:
			if mail != address {
				contacts = append(contacts, obj{"id": holder, "displayName": name, "mail": mail})
			}
		}
	}
	return obj{"users": everybody, "deletedUsers": bin, "groups": groups, "contacts": contacts}
}

// nobodyNamed expects that no surname of three letters or more stands in the names
// and addresses of the files.
func nobodyNamed(t *testing.T, source obj, files ...string) {
	t.Helper()
	people, _ := source["users"].(list)
	for _, file := range files {
		captured := readObject(t, file)
		var text strings.Builder
		for _, section := range []string{"users", "deletedUsers", "groups", "contacts"} {
			objects, _ := captured[section].(list)
			for _, o := range objects {
				u := user(o.(obj))
				for _, name := range []string{"displayName", "givenName", "surname", "mail", "mailNickname", "userPrincipalName"} {
					text.WriteString(u.text(name) + "\n")
				}
				fmt.Fprintln(&text, u["proxyAddresses"], u["otherMails"])
			}
		}
		all := map[string]bool{}
		for word := range strings.FieldsFuncSeq(strings.ToLower(text.String()), func(r rune) bool { return !unicode.IsLetter(r) }) {
			all[word] = true
		}
		for _, p := range people {
			for name := range strings.FieldsFuncSeq(strings.ToLower(user(p.(obj)).text("surname")), func(r rune) bool { return !unicode.IsLetter(r) }) {
				if len([]rune(name)) >= 3 && all[name] {
					t.Errorf("%s names %s", filepath.Base(file), name)
				}
			}
		}
	}
}
