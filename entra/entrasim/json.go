package entrasim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The directory keeps every value as compact JSON text. A page of a thousand
// users is then a concatenation of stored text, and null, absent and empty
// never blur. The functions below read such text; all but compact rely on its
// having been validated already.

const hexDigits = "0123456789abcdef"

// errShape reports JSON text that is not of the wanted shape.
var errShape = errors.New("unexpected JSON shape")

// compact validates one JSON document and strips insignificant white space.
// Text after the document is refused.
func compact(src []byte) (string, error) {
	var b bytes.Buffer
	b.Grow(len(src))
	if err := json.Compact(&b, src); err != nil {
		return "", err
	}
	return b.String(), nil
}

// appendQuoted appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// quote is appendQuoted into a string of its own.
func quote(s string) string { return string(appendQuoted(make([]byte, 0, len(s)+2), s)) }

// unquote reads a JSON string; ok is false for any other JSON value.
func unquote(raw string) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	if strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
		return inner, true
	}
	return decodeText(raw)
}

// decodeText reads a JSON string that has something to unescape. It is apart from
// unquote, which for nearly all texts needs no memory.
func decodeText(raw string) (string, bool) {
	var s string
	if json.Unmarshal([]byte(raw), &s) != nil {
		return "", false
	}
	return s, true
}

// skipValue returns the index just after the JSON value that begins at s[i].
func skipValue(s string, i int) int {
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{', '[':
		depth := 0
		for ; i < len(s); i++ {
			switch s[i] {
			case '"':
				i = skipString(s, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
				if depth == 0 {
					return i + 1
				}
			}
		}
		return i
	default:
		for i < len(s) && s[i] != ',' && s[i] != '}' && s[i] != ']' {
			i++
		}
		return i
	}
}

func skipString(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return i
}

// eachMember calls f for every member of a compact JSON object in its order.
func eachMember(s string, f func(key, raw string) error) error {
	if len(s) < 2 || s[0] != '{' {
		return fmt.Errorf("%w: an object is expected", errShape)
	}
	for i := 1; i < len(s) && s[i] != '}'; {
		if s[i] == ',' {
			i++
		}
		end := skipString(s, i)
		key, _ := unquote(s[i:end])
		begin := end + 1 // past the colon
		end = skipValue(s, begin)
		if err := f(key, s[begin:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// eachElement calls f for every element of a compact JSON array in its order.
func eachElement(s string, f func(i int, raw string) error) error {
	if len(s) < 2 || s[0] != '[' {
		return fmt.Errorf("%w: an array is expected", errShape)
	}
	n := 0
	for i := 1; i < len(s) && s[i] != ']'; n++ {
		if s[i] == ',' {
			i++
		}
		end := skipValue(s, i)
		if err := f(n, s[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// stringList reads a JSON array of strings; null and absent ("") are empty.
func stringList(raw string) ([]string, bool) {
	if raw == "" || raw == "null" || raw == "[]" {
		return nil, true
	}
	var out []string
	err := eachElement(raw, func(_ int, e string) error {
		s, ok := unquote(e)
		if !ok {
			return errShape
		}
		out = append(out, s)
		return nil
	})
	return out, err == nil
}

// quoteList writes strings as a JSON array.
func quoteList(list []string) string {
	b := []byte{'['}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, s)
	}
	return string(append(b, ']'))
}

// member returns the raw value of one member of a JSON object, "" when absent.
func member(s, key string) string {
	found := ""
	_ = eachMember(s, func(k, raw string) error { // not an object: nothing found
		if k == key {
			found = raw
		}
		return nil
	})
	return found
}

// memberString returns a string member, "" when absent or of another type.
func memberString(s, key string) string {
	v, _ := unquote(member(s, key))
	return v
}

// isNull reports whether raw stands for no value: absent or JSON null.
func isNull(raw string) bool { return raw == "" || raw == "null" }

// isEmpty reports whether raw holds nothing worth telling: no value, an empty
// collection, or an object all of whose members are empty.
func isEmpty(raw string) bool {
	if isNull(raw) || raw == "[]" || raw == "{}" {
		return true
	}
	if raw[0] != '{' {
		return false
	}
	return eachMember(raw, func(_, v string) error {
		if !isEmpty(v) {
			return io.EOF // any error stops the walk
		}
		return nil
	}) == nil
}

// sameJSON reports whether two values mean the same: absent, null and objects
// of nothing but nulls are one, and the spelling of strings does not matter.
func sameJSON(a, b string) bool {
	if a == b || isEmpty(a) && isEmpty(b) {
		return true
	}
	if isEmpty(a) || isEmpty(b) {
		return false
	}
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(dropNulls(x), dropNulls(y))
}

// dropNulls removes null members of objects, at any depth.
func dropNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e == nil {
				delete(v, k)
				continue
			}
			v[k] = dropNulls(e)
		}
	case []any:
		for i := range v {
			v[i] = dropNulls(v[i])
		}
	}
	return v
}

// rawOf encodes a Go value without escaping HTML.
func rawOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case string:
		return quote(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []string:
		return quoteList(v), nil
	case json.RawMessage:
		return compact(v)
	case Object:
		return v.text(), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", err
	}
	return compact(b.Bytes())
}
