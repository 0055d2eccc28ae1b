package directory

// GUID is an object id in binary form. Its order as bytes is the order of its
// canonical text.
type GUID [16]byte

// guidText is the length of a GUID's canonical text.
const guidText = 36

// ParseGUID reads the canonical text of a GUID: lower case, 8-4-4-4-12. It
// reports false for any other spelling, so that what it accepts comes back from
// [GUID.String] letter by letter.
func ParseGUID(s string) (g GUID, ok bool) {
	if len(s) != guidText || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return GUID{}, false
	}
	for i, at := range guidDigits {
		high, low := hexDigits[s[at]], hexDigits[s[at+1]]
		if high|low >= notHex {
			return GUID{}, false
		}
		g[i] = high<<4 | low
	}
	return g, true
}

// String returns the canonical text.
func (g GUID) String() string {
	var text [guidText]byte
	g.put(&text)
	return string(text[:])
}

func (g GUID) put(text *[guidText]byte) {
	const digits = "0123456789abcdef"
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	for i, at := range guidDigits {
		text[at], text[at+1] = digits[g[i]>>4], digits[g[i]&15]
	}
}

// guidDigits are the places of the sixteen pairs of digits in the text.
var guidDigits = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

const notHex = 0x80

// hexDigits is the value of every lower-case hexadecimal digit, notHex elsewhere.
var hexDigits = func() (table [256]uint8) {
	for i := range table {
		table[i] = notHex
	}
	for i := range uint8(10) {
		table['0'+i] = i
	}
	for i := range uint8(6) {
		table['a'+i] = 10 + i
	}
	return table
}()
