package expr

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// toBase64 encodes UTF-16, low byte first and without a byte order mark, as .NET's
// Unicode encoding does.
func toBase64(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	units := utf16.Encode([]rune(source))
	raw := make([]byte, 0, 2*len(units))
	for _, u := range units {
		raw = binary.LittleEndian.AppendUint16(raw, u)
	}
	return c.bounded(base64.StdEncoding.EncodeToString(raw))
}

// fromBase64 refuses bytes that mean nothing in the encoding: a text with
// replacement characters would be written as if it were right.
func fromBase64(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	encoding, err := c.word(1)
	if err != nil {
		return value{}, err
	}
	raw, err := decodeBase64(source)
	if err != nil {
		return value{}, c.fail(source, "the text is not Base64")
	}
	s, ok := decode(raw, encoding)
	if !ok {
		return value{}, c.fail(source, "the bytes are not "+encoding)
	}
	return c.bounded(s)
}

// decodeBase64 passes over white space, as .NET does.
func decodeBase64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, s))
}

func decode(raw []byte, encoding string) (string, bool) {
	s := string(raw)
	switch encoding {
	case encodingASCII:
		return s, isASCII(s)
	case encodingUTF8:
		return s, utf8.ValidString(s)
	}
	if len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	for i := 0; i < len(units); i++ {
		if utf16.IsSurrogate(rune(units[i])) {
			if i++; i == len(units) || utf16.DecodeRune(rune(units[i-1]), rune(units[i])) == utf8.RuneError {
				return "", false
			}
		}
	}
	return string(utf16.Decode(units)), true
}

func toUTF8Hex(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some {
		return value{}, err
	}
	return c.bounded(strings.ToUpper(hex.EncodeToString([]byte(source))))
}

// stringFromSID writes a security identifier, which directories hold as bytes, as
// text: S-1-5-21-…. One that is text already stays as it is.
// https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/78eb9013-1c3a-4970-ad1f-2b1dad588a25
func stringFromSID(c call) (value, error) {
	source, some, err := c.text(0)
	if err != nil || !some || strings.HasPrefix(source, "S-1-") {
		return textOrNull(source, some), err
	}
	raw, err := decodeBase64(source)
	if err != nil || len(raw) < 8 || raw[0] != 1 || len(raw) != 8+4*int(raw[1]) {
		return value{}, c.fail(source, "this is no security identifier in Base64")
	}
	var b strings.Builder
	authority := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[2:8]...))
	fmt.Fprintf(&b, "S-1-%d", authority)
	for at := 8; at < len(raw); at += 4 {
		b.WriteByte('-')
		b.WriteString(strconv.FormatUint(uint64(binary.LittleEndian.Uint32(raw[at:])), 10))
	}
	return textValue(b.String()), nil
}

func textOrNull(s string, some bool) value {
	if !some {
		return value{}
	}
	return textValue(s)
}

// bounded returns a text unless it is longer than a result may be.
func (c call) bounded(s string) (value, error) {
	if len(s) > maxText {
		return value{}, c.fail("", tooLong)
	}
	return textValue(s), nil
}
