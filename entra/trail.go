package entra

import "sync"

// trail remembers the links of one round or list, so that a service that leads
// in a circle is noticed at its first turn. Reading a page again is no circle.
// The zero value is ready.
type trail struct {
	mu    sync.Mutex
	first string
	from  map[string]string // link → the link whose page named it
}

// step takes a page that was read at cursor and names next. It reports false
// when next has been passed already on another way.
func (t *trail) step(cursor, next string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.from[cursor]; !known && cursor != t.first || t.from == nil {
		t.first, t.from = cursor, map[string]string{} // a new round
	}
	if next == "" {
		return true
	}
	before, passed := t.from[next]
	if passed && before != cursor || next == t.first || next == cursor {
		return false
	}
	t.from[next] = cursor
	return true
}
