package expr

import (
	"fmt"
	"slices"
	"strings"
)

// The words that stand without quotes.
const (
	binaryCompare   = "vbBinaryCompare"
	textCompare     = "vbTextCompare"
	encodingUTF8    = "UTF8"
	encodingASCII   = "ASCII"
	encodingUnicode = "Unicode"
	ignoreAttribute = "IgnoreAttributeFlow"
	ignoreObject    = "IgnoreObjectFlow"
)

// words has the value of each word. The two that ignore are values of their own
// kind and stand where a branch gives its value; all others mean something to one
// parameter alone.
var words = map[string]value{
	binaryCompare: textValue(binaryCompare), textCompare: textValue(textCompare),
	encodingUTF8: textValue(encodingUTF8), encodingASCII: textValue(encodingASCII), encodingUnicode: textValue(encodingUnicode),
	ignoreAttribute: {kind: ignore}, ignoreObject: {kind: ignore},
}

// ignores reports whether a node is one of the words that ignore.
func (n *node) ignores() bool { return n.op == opWord && n.constant.kind == ignore }

// strayWord is the mistake of a word that stands where it means nothing.
func strayWord(n *node) *Error {
	return &Error{Offset: n.at, Length: n.end - n.at, Message: n.text + " means nothing here"}
}

// checkWord reports an argument that is none of the words of its parameter, as far
// as that is known without a user.
func checkWord(f *function, i int, arg *node) *Error {
	p := f.parameter(i)
	if arg.op != opWord && arg.op != opConstant || arg.op == opConstant && arg.constant.kind == text && slices.Contains(p.Words, arg.constant.text) ||
		arg.op == opWord && slices.Contains(p.Words, arg.text) {
		return nil
	}
	return &Error{Offset: arg.at, Length: arg.end - arg.at,
		Message: fmt.Sprintf("%s: argument %d must be %s", f.Name, i+1, strings.Join(p.Words, " or "))}
}

// word returns an argument that must be one of the words of its parameter, the
// first of them when it is left out.
func (c call) word(i int) (string, error) {
	known := c.node.function.parameter(i).Words
	s, some, err := c.text(i)
	switch {
	case err != nil:
		return "", err
	case !some:
		return known[0], nil
	case !slices.Contains(known, s):
		return "", c.fail(s, fmt.Sprintf("argument %d must be %s", i+1, strings.Join(known, " or ")))
	}
	return s, nil
}
