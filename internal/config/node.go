package config

// style is how a scalar was written: it decides what its text can mean and
// where in the file a place in the text lies.
type style uint8

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	literalBlock
	foldedBlock
)

// shape is what a node is.
type shape uint8

const (
	oneValue shape = iota
	keyGroup
	valueList
)

func (s shape) String() string {
	return [...]string{"a single value", "a group of keys", "a list"}[s]
}

// node is one value of the document, with its place.
type node struct {
	shape  shape
	line   int // of the value's first character, from 1
	column int // in characters, from 1

	text   string // of a scalar, as YAML reads it
	style  style
	isText bool // a scalar tagged as text, whatever it looks like

	keys  []pair  // of a mapping, in the order of the file
	items []*node // of a sequence
}

// pair is one key of a mapping with its value.
type pair struct {
	key          string
	line, column int
	value        *node
}

// isNull reports a scalar that says "no value": nothing at all, ~ or null.
func (n *node) isNull() bool {
	if n.shape != oneValue || n.style != plain || n.isText {
		return false
	}
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// get returns the value of a key of a mapping, nil when there is none.
func (n *node) get(key string) *node {
	if n == nil {
		return nil
	}
	for _, p := range n.keys {
		if p.key == key {
			return p.value
		}
	}
	return nil
}

// entries returns the keys of a mapping, each once, in the order of the file.
func (n *node) entries() []pair {
	if n == nil {
		return nil
	}
	var list []pair
	seen := map[string]bool{}
	for _, p := range n.keys {
		if !seen[p.key] {
			seen[p.key] = true
			list = append(list, p)
		}
	}
	return list
}
