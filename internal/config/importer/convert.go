package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Schema turns a synchronization schema into a job. It takes the JSON of Graph's
// synchronizationSchema, alone or inside a template or an answer of Graph, in
// UTF-8 or UTF-16, with members left out or in Pascal case, as PowerShell writes
// it. Of several rules it takes the user object mapping that comes first.
//
// An [*Error] is returned for a text that holds no schema, or none that maps
// users. Everything else that cannot be taken over is a note of the job.
func Schema(content []byte, s Settings) (*Job, error) {
	d, err := readDocument(content)
	if err != nil {
		return nil, err
	}
	read, err := readSchema(d)
	if err != nil {
		return nil, err
	}
	users := chooseUsers(read)
	if users == nil {
		return nil, &Error{Message: "the schema maps no users to users: it has no object mapping from User to User",
			Action: "import the schema of a cross-tenant synchronization (template Azure2Azure)"}
	}
	if s.Source == "" {
		s.Source = "source"
	}
	if s.Target == "" {
		s.Target = "target"
	}
	if s.Name == "" {
		s.Name = s.Source + "-to-" + s.Target
	}
	j := &Job{Name: s.Name, Source: s.Source, Target: s.Target, Enabled: true, settings: s, Origin: origin(read, users)}
	c := &converter{job: j, schema: read, users: users, extensions: extensionsOf(read, users, s.Extensions)}
	c.convert()
	j.judgeSettings()
	return j, nil
}

// chooseUsers returns the object mapping of users that counts: an enabled one
// before others, then by the priority of its rule.
func chooseUsers(s *schema) *objectMapping {
	var chosen *objectMapping
	for i := range s.rules {
		for k := range s.rules[i].objects {
			o := &s.rules[i].objects[k]
			if o.ofUsers() && (chosen == nil || better(o, chosen)) {
				chosen = o
			}
		}
	}
	return chosen
}

// better reports whether a later object mapping is the one that is meant: the
// service keeps internal ones, empty or disabled, beside those that people edit.
func better(later, chosen *objectMapping) bool {
	if later.enabled != chosen.enabled {
		return later.enabled
	}
	return len(chosen.attributes) == 0 && len(later.attributes) > 0
}

func origin(s *schema, o *objectMapping) string {
	parts := []string{}
	if s.id != "" {
		parts = append(parts, "schema "+s.id)
	}
	if s.version != "" {
		parts = append(parts, "version "+s.version)
	}
	if o.rule.name != "" {
		parts = append(parts, "rule "+o.rule.name)
	}
	return strings.Join(append(parts, o.label()), ", ")
}

// converter makes the job of the object mapping.
type converter struct {
	job        *Job
	schema     *schema
	users      *objectMapping
	extensions map[string]Extension
	targets    map[string]string // Graph names that have a mapping, with the name as written
}

func (c *converter) convert() {
	c.restrictions()
	c.flowTypes()
	c.filters()
	c.attributes()
	c.others()
}

// restrictions reports what keeps users out besides the filters.
func (c *converter) restrictions() {
	if !c.users.enabled {
		c.job.lessRestricted("The object mapping was not enabled.")
		c.job.note(Note{Kind: Check, Where: c.users.label(), Why: "it was not enabled", Do: "the job is written with enabled: false; remove the line to let it run"})
	}
	r := c.users.rule
	if len(r.groups) > 0 {
		c.lost("groupFilter of rule "+orUnnamed(r.name), strings.Join(r.groups, ", "), "the rule took only members of these groups",
			"name them in scope.groups if they are groups of the source tenant, then remove enabled: false")
	}
	if len(r.containers) > 0 {
		c.lost("containerFilter of rule "+orUnnamed(r.name), strings.Join(r.containers, ", "), "users of Microsoft Entra lie in no containers",
			"narrow scope by other means, then remove enabled: false")
	}
}

// lost reports a restriction of the scope that the job does not have.
func (c *converter) lost(where, what, why, do string) {
	c.job.lessRestricted(fmt.Sprintf("%s is not taken over: %s.", where, why))
	c.job.note(Note{Kind: LeftOut, Where: where, What: what, Why: why, Do: do})
}

// flowTypes reads what the object mapping may do: flags, in words or as a sum.
func (c *converter) flowTypes() {
	v := c.users.flowTypes
	if v.isNull() {
		return
	}
	known := []string{"Add", "Update", "Delete"}
	actions := []string{"create", "update", "delete"}
	var unknown []string
	allowed := map[string]bool{}
	words := texts(v)
	if len(words) == 1 {
		words = strings.Split(words[0], ",")
	}
	for _, word := range words {
		word = strings.TrimSpace(word)
		if sum, err := strconv.Atoi(word); err == nil {
			for bit := range known {
				if sum&(1<<bit) != 0 {
					allowed[actions[bit]] = true
				}
			}
			continue
		}
		at := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, word) })
		if at < 0 && !strings.EqualFold(word, "None") && word != "" {
			unknown = append(unknown, word)
		} else if at >= 0 {
			allowed[actions[at]] = true
		}
	}
	if len(unknown) > 0 {
		c.job.note(Note{Kind: LeftOut, Where: "flowTypes of " + c.users.label(), What: strings.Join(unknown, ", "), Why: "unknown target object action", Do: "compare targetObjectActions with the admin centre"})
	}
	switch len(allowed) {
	case len(actions):
	case 0:
		c.job.lessRestricted("The object mapping was allowed to do nothing (flowTypes None); without this line the job would create, update and delete.")
		c.job.note(Note{Kind: Check, Where: "flowTypes of " + c.users.label(), What: "None", Why: "the object mapping was allowed to do nothing",
			Do: "the job is written with enabled: false; write targetObjectActions before it runs"})
	default:
		for _, a := range actions {
			if allowed[a] {
				c.job.actions = append(c.job.actions, a)
			}
		}
	}
}

// others reports the object mappings that are not taken over. One that was not
// enabled did nothing and is not missed.
func (c *converter) others() {
	for i := range c.schema.rules {
		for k := range c.schema.rules[i].objects {
			o := &c.schema.rules[i].objects[k]
			if o == c.users || !o.enabled {
				continue
			}
			n := Note{Kind: LeftOut, Where: o.label(), What: orUnnamed(o.source) + " to " + orUnnamed(o.target), Why: "only users are synchronized"}
			if o.ofUsers() {
				n.Why = fmt.Sprintf("a job has one object mapping of users, and %s comes first", c.users.label())
				n.Do = "compare the two; put what is missing into the job by hand"
			}
			c.job.note(n)
		}
	}
}

// extensionsOf collects what the schema's directories say of directory extensions
// of users in the target; what the tenant itself says counts more.
func extensionsOf(s *schema, users *objectMapping, asked map[string]Extension) map[string]Extension {
	all := map[string]Extension{}
	for _, directory := range s.directories {
		if member(directory, "name") != users.rule.target {
			continue
		}
		for _, object := range directory.get("objects").list() {
			if member(object, "name") != users.target {
				continue
			}
			for _, a := range object.get("attributes").list() {
				if name := member(a, "name"); strings.HasPrefix(name, "extension_") {
					all[name] = Extension{Type: attributeType(a.get("type")), Multivalued: member(a, "multivalued") == "true"}
				}
			}
		}
	}
	for name, e := range asked {
		all[name] = e
	}
	return all
}

// attributeType reads the type of an attributeDefinition.
func attributeType(v *value) string {
	names := []string{"String", "Integer", "Reference", "Binary", "Boolean", "DateTime"}
	n, ok := wordOf(v, uint8(0), names...)
	if !ok || v.isNull() {
		return ""
	}
	return names[n]
}
