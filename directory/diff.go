package directory

// Modified is one attribute that differs: what it was and what it is to be.
type Modified struct {
	Name     string
	Old, New Value
}

// Diff returns, in the order of their names, the attributes of want whose value
// is not what have says. Attributes that want does not mention do not count.
func Diff(have, want Attributes) []Modified {
	var out []Modified
	i := 0
	for _, w := range want {
		for i < len(have) && have[i].Name < w.Name {
			i++
		}
		var old Value
		if i < len(have) && have[i].Name == w.Name {
			old = have[i].Value
		}
		if !old.Equal(w.Value) {
			out = append(out, Modified{Name: w.Name, Old: old, New: w.Value})
		}
	}
	return out
}
