package entrasim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Changes is what Load did.
type Changes struct {
	Created        int      `json:"created"`  // users
	Updated        int      `json:"updated"`  // users whose properties or manager changed
	Deleted        int      `json:"deleted"`  // users, into the recycle bin
	Restored       int      `json:"restored"` // users
	GroupsCreated  int      `json:"groupsCreated"`
	GroupsUpdated  int      `json:"groupsUpdated"` // properties or members
	GroupsDeleted  int      `json:"groupsDeleted"`
	MembersAdded   int      `json:"membersAdded"`
	MembersRemoved int      `json:"membersRemoved"`
	Sections       []string `json:"sections"` // other sections that changed
}

// None reports whether nothing changed.
func (c Changes) None() bool {
	return c.Created+c.Updated+c.Deleted+c.Restored+c.GroupsCreated+c.GroupsUpdated+c.GroupsDeleted == 0 && len(c.Sections) == 0
}

// Load moves the tenant to the state of a file by the acts administrators would
// have taken; delta queries report them. A section that is left out stays as it
// is. A user missing from a section that is given is soft-deleted, a group or
// contact deleted; a user who is back is restored. A property a file leaves out
// has no value, except those the directory sets by itself. The same file twice
// changes nothing. An invalid file changes nothing either.
func (t *Tenant) Load(f File) (Changes, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.load(f)
}

func (t *Tenant) load(f File) (Changes, error) {
	if err := f.check(); err != nil {
		return Changes{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	f = t.identify(f)
	if err := t.checkFile(f); err != nil {
		return Changes{}, fmt.Errorf("%w: %w", ErrFile, err)
	}
	before := t.settings()
	l := &loader{t: t, now: time.Now(), updated: map[string]bool{}, created: map[*object]bool{}}
	if f.Organization.fields != nil {
		if err := t.setOrganization(f.Organization); err != nil {
			return Changes{}, fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
	t.loadSettings(f)
	l.users(f)
	l.deletedUsers(f.DeletedUsers)
	l.contacts(f.Contacts)
	l.managers(f.Users)
	l.managers(f.DeletedUsers)
	l.groups(f.Groups)
	l.done.Updated = len(l.updated)
	after := t.settings()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if before[name] != after[name] {
			l.done.Sections = append(l.done.Sections, name)
		}
	}
	return l.done, nil
}

// loader applies a checked file.
type loader struct {
	t       *Tenant
	now     time.Time
	done    Changes
	updated map[string]bool
	created map[*object]bool
}

// users brings the users to the state of the file: leavers first, so that their
// names are free for those who come.
func (l *loader) users(f File) {
	if f.Users == nil {
		return
	}
	t := l.t
	wanted := make(map[string]bool, len(f.Users))
	for _, o := range f.Users {
		wanted[o.ID()] = true
	}
	for _, o := range slices.Clone(t.users.items) {
		if active(o) && !wanted[o.id] {
			t.softDelete(o, l.now)
			l.done.Deleted++
		}
	}
	for _, u := range f.Users {
		o := t.get(kindUser, u.ID())
		switch {
		case o == nil || o.state == statePurged:
			l.created[t.createFromFile(u, l.now)] = true
			l.done.Created++
			continue
		case o.state == stateDeleted:
			t.restore(o)
			l.done.Restored++
		}
		if t.set(o, t.fileFields(o, u)) {
			l.updated[o.id] = true
		}
	}
}

// createFromFile inserts a user with Graph's defaults for what the file leaves out.
func (t *Tenant) createFromFile(u Object, now time.Time) *object {
	fields := slices.DeleteFunc(slices.Clone(u.fields), func(f Field) bool { return f.Name == "manager" || f.Name == "deletedDateTime" })
	file := Object{fields}
	probe := &object{}
	for _, name := range []string{"creationType", "externalUserState", "userPrincipalName"} {
		if raw := u.Raw(name); raw != "" {
			probe.put(name, raw, 0)
		}
	}
	if probe.external() {
		if file.Raw("userType") == "" {
			file = file.with("userType", `"Guest"`)
		}
		if file.Raw("creationType") == "" {
			file = file.with("creationType", `"Invitation"`)
		}
		if file.Raw("identities") == "" {
			raw := pendingIdentities(t.initial, u.String("userPrincipalName"))
			if u.String("externalUserState") == "Accepted" {
				raw = redeemedIdentities
			}
			file = file.with("identities", raw)
		}
	}
	return t.addUser(u.ID(), file.fields, now)
}

// fileFields compares a present user with the file's and returns what to set.
func (t *Tenant) fileFields(o *object, u Object) []Field {
	var out []Field
	for _, f := range u.fields {
		if f.Name != "manager" && f.Name != "id" && f.Name != "deletedDateTime" {
			out = append(out, f)
		}
	}
	for _, p := range o.props {
		if u.Raw(p.name) != "" || isEmpty(p.raw) {
			continue
		}
		if raw, clear := absent(o, p.name); clear {
			out = append(out, Field{p.name, raw})
		}
	}
	if u.Raw("proxyAddresses") == "" {
		if mail := u.Raw("mail"); !sameJSON(mail, o.raw("mail")) {
			s, _ := unquote(mail)
			out = append(out, Field{"proxyAddresses", quoteList(withPrimary(o.list("proxyAddresses"), s))})
		}
	}
	return out
}

// absent says what a property becomes that a file leaves out: what only the
// directory sets stays, the rest loses its value.
func absent(o *object, name string) (raw string, clear bool) {
	switch name {
	case "accountEnabled":
		return "true", true
	case "userType":
		if o.external() {
			return `"Guest"`, true
		}
		return `"Member"`, true
	case "proxyAddresses", "identities", "mailNickname", "displayName", "userPrincipalName", "deletedDateTime", "id":
		return "", false
	}
	p, declared := userProperties.lookup(name)
	if declared && (p.access == accessRead || p.access == accessReference) && name != "isManagementRestricted" && name != "onPremisesSyncEnabled" {
		return "", false
	}
	return p.empty(), true
}

// deletedUsers puts users into the recycle bin. Those it holds beyond the file
// stay: nobody empties it by loading.
func (l *loader) deletedUsers(list []Object) {
	t := l.t
	for _, u := range list {
		at := l.now
		if when, err := time.Parse(time.RFC3339, u.String("deletedDateTime")); err == nil {
			at = when
		}
		o := t.get(kindUser, u.ID())
		if o == nil || o.state == statePurged {
			if l.now.Sub(at) >= retention {
				continue // its time is over
			}
			o = t.createFromFile(u, l.now)
			l.created[o] = true
		}
		if o.state == stateActive {
			t.softDelete(o, at)
			l.done.Deleted++
		}
	}
}

// contacts brings the contacts to the state of the file.
func (l *loader) contacts(list []Object) {
	if list == nil {
		return
	}
	t := l.t
	var ids []string
	for _, c := range list {
		ids = append(ids, c.ID())
	}
	for _, id := range t.contacts {
		if o := t.get(kindContact, id); o != nil && active(o) && !slices.Contains(ids, id) {
			t.purge(o)
		}
	}
	t.contacts = ids
	for _, c := range list {
		fields := slices.Clone(c.fields)
		if mail := c.String("mail"); mail != "" && c.Raw("proxyAddresses") == "" {
			fields = append(fields, Field{"proxyAddresses", quoteList([]string{"SMTP:" + mail})})
		}
		if o := t.get(kindContact, c.ID()); o != nil && active(o) {
			t.set(o, fields)
			continue
		}
		t.insert(kindContact, c.ID(), fields)
	}
}

// managers sets the references between users once all of them are there.
func (l *loader) managers(users []Object) {
	for _, u := range users {
		o := l.t.get(kindUser, u.ID())
		if o == nil {
			continue
		}
		m := fileManager(u)
		if other := l.t.objects[m]; other == nil || other.state == statePurged {
			m = "" // of a deleted user only: the file is checked for the others
		}
		if l.t.setManager(o, m) && !l.created[o] {
			l.updated[o.id] = true
		}
	}
}

// groups brings the groups and their members to the state of the file.
func (l *loader) groups(list []Object) {
	if list == nil {
		return
	}
	t := l.t
	wanted := make(map[string]bool, len(list))
	for _, g := range list {
		wanted[g.ID()] = true
	}
	for _, g := range slices.Clone(t.groups.items) {
		if active(g) && !wanted[g.id] {
			t.purge(g)
			l.done.GroupsDeleted++
		}
	}
	for _, g := range list {
		fields := slices.DeleteFunc(slices.Clone(g.fields), func(f Field) bool { return f.Name == "members" || f.Name == "id" })
		o := t.get(kindGroup, g.ID())
		changed := false
		if o == nil || !active(o) {
			o = t.createGroup(g.ID(), fields, l.now)
			l.created[o] = true
			l.done.GroupsCreated++
		} else {
			for _, p := range o.props {
				if d, found := groupProperties.lookup(p.name); found && d.access == accessWrite && g.Raw(p.name) == "" && !isGroupDefault(p) {
					fields = append(fields, Field{p.name, d.empty()})
				}
			}
			changed = t.set(o, fields)
		}
		if g.Raw("members") != "" || changed || len(o.members.list) > 0 {
			added, removed := l.members(o, g.Strings("members"))
			changed = changed || added+removed > 0
		}
		if changed && !l.created[o] {
			l.done.GroupsUpdated++
		}
	}
}

// isGroupDefault recognizes the values createGroup fills in.
func isGroupDefault(p prop) bool {
	switch p.name {
	case "securityEnabled":
		return p.raw == "true"
	case "mailEnabled":
		return p.raw == "false"
	case "groupTypes":
		return p.raw == "[]"
	}
	return p.name == "displayName" || p.name == "mailNickname"
}

func (l *loader) members(g *object, ids []string) (added, removed int) {
	before := map[string]bool{}
	for _, id := range g.members.ids() {
		before[id] = true
	}
	for _, id := range ids {
		if !before[id] {
			added++
		}
	}
	removed = len(before) - (len(ids) - added)
	l.t.setMembers(g, ids)
	l.done.MembersAdded += added
	l.done.MembersRemoved += removed
	return added, removed
}

// createGroup inserts a group with Graph's defaults.
func (t *Tenant) createGroup(id string, fields []Field, now time.Time) *object {
	o := Object{fields}
	for _, f := range []Field{{"createdDateTime", quote(timestamp(now))}, {"securityEnabled", "true"}, {"mailEnabled", "false"}, {"groupTypes", "[]"}} {
		if o.Raw(f.Name) == "" {
			o = o.with(f.Name, f.Raw)
		}
	}
	if mail := o.String("mail"); mail != "" && o.Raw("proxyAddresses") == "" {
		o = o.with("proxyAddresses", quoteList([]string{"SMTP:" + mail}))
	}
	return t.insert(kindGroup, id, o.fields)
}

// ErrUnknown reports an id that the tenant does not have.
var ErrUnknown = errors.New("no such object")
