package expr

import "strings"

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// print writes the canonical text, which parses to the same tree.
func (n *node) print(b *strings.Builder) {
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
		b.WriteString("[" + n.text + "]")
	case opWord:
		b.WriteString(n.text)
	case opCall:
		b.WriteString(n.function.Name)
		b.WriteByte('(')
		n.printArgs(b, ", ")
		b.WriteByte(')')
	case opConcat:
		n.printArgs(b, " & ")
	case opCompare:
		n.printArgs(b, n.text)
	}
}

func (n *node) printArgs(b *strings.Builder, separator string) {
	for i, arg := range n.args {
		if i > 0 {
			b.WriteString(separator)
		}
		arg.print(b)
	}
}
