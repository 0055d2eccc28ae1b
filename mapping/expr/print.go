package expr

import "strings"

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// print writes the canonical text, which parses to the same tree. Attributes go by
// the names as written, or by those that reads looks up, if it is given.
func (n *node) print(b *strings.Builder, reads []read) {
	switch n.op {
	case opConstant:
		if n.text != "" {
			b.WriteString(n.text) // a number, as it was written
			return
		}
		b.WriteByte('"')
		b.WriteString(escaper.Replace(n.constant.text))
		b.WriteByte('"')
	case opAttribute:
		name := n.text
		if reads != nil {
			name = reads[n.slot].name
		}
		b.WriteString("[" + name + "]")
	case opWord:
		b.WriteString(n.text)
	case opCall:
		b.WriteString(n.function.Name)
		b.WriteByte('(')
		n.printArgs(b, reads, ", ")
		b.WriteByte(')')
	case opConcat:
		n.printArgs(b, reads, " & ")
	case opCompare:
		n.printArgs(b, reads, n.text)
	}
}

func (n *node) printArgs(b *strings.Builder, reads []read, separator string) {
	for i, arg := range n.args {
		if i > 0 {
			b.WriteString(separator)
		}
		arg.print(b, reads)
	}
}
