package entrasim

// membership is one present or former membership and the sequence number of its
// last change.
type membership struct {
	id      string
	seq     uint64
	removed bool
}

// memberSet is the direct members of a group in the order in which they came,
// former ones included: delta queries report those.
type memberSet struct {
	list []membership
	at   map[string]int
}

func newMemberSet() *memberSet { return &memberSet{at: map[string]int{}} }

func (m *memberSet) has(id string) bool {
	i, ok := m.at[id]
	return ok && !m.list[i].removed
}

// ids returns the present members.
func (m *memberSet) ids() []string {
	out := make([]string, 0, len(m.list))
	for _, e := range m.list {
		if !e.removed {
			out = append(out, e.id)
		}
	}
	return out
}

func (m *memberSet) put(id string, removed bool, seq uint64) {
	if i, ok := m.at[id]; ok {
		m.list[i].removed, m.list[i].seq = removed, seq
		return
	}
	m.at[id] = len(m.list)
	m.list = append(m.list, membership{id: id, seq: seq, removed: removed})
}

// addMember and removeMember change one membership and report it to delta
// queries. They return false when there was nothing to change.
func (t *Tenant) addMember(g *object, id string) bool {
	if g.members.has(id) {
		return false
	}
	t.clock++
	g.members.put(id, false, t.clock)
	t.touch(g)
	return true
}

func (t *Tenant) removeMember(g *object, id string) bool {
	if !g.members.has(id) {
		return false
	}
	t.clock++
	g.members.put(id, true, t.clock)
	t.touch(g)
	return true
}

// setMembers makes the wanted ids the members of a group.
func (t *Tenant) setMembers(g *object, ids []string) bool {
	changed := false
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	for _, id := range g.members.ids() {
		if !wanted[id] {
			changed = t.removeMember(g, id) || changed
		}
	}
	for _, id := range ids {
		changed = t.addMember(g, id) || changed
	}
	return changed
}

// closure returns every object below a group, nested groups expanded, each once.
func (t *Tenant) closure(g *object) []*object {
	seen := map[string]bool{g.id: true}
	var out []*object
	for queue := []*object{g}; len(queue) > 0; queue = queue[1:] {
		for _, id := range queue[0].members.ids() {
			o := t.objects[id]
			if o == nil || o.state != stateActive || seen[id] {
				continue
			}
			seen[id] = true
			out = append(out, o)
			if o.kind == kindGroup {
				queue = append(queue, o)
			}
		}
	}
	return out
}
