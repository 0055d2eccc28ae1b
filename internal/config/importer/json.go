package importer

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// MarshalJSON writes the job as WriteYAML does, keys in the same order, without
// the comments.
func (j *Job) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if err := encodeKeys(&b, j.document()); err != nil {
		return nil, fmt.Errorf("write job: %w", err)
	}
	return b.Bytes(), nil
}

func encodeKeys(b *bytes.Buffer, keys []key) error {
	b.WriteByte('{')
	first := true
	for _, k := range keys {
		if list, ok := k.value.([]item); ok && !written(list) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		fmt.Fprintf(b, "%q:", k.name)
		if err := encodeValue(b, k.value); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func encodeValue(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case []key:
		return encodeKeys(b, v)
	case []item:
		b.WriteByte('[')
		first := true
		for _, it := range v {
			if len(it.keys) == 0 {
				continue
			}
			if !first {
				b.WriteByte(',')
			}
			first = false
			if err := encodeKeys(b, it.keys); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case string:
		return encodeScalar(b, escapeReferences(v))
	case []string:
		list := make([]string, len(v))
		for i, text := range v {
			list[i] = escapeReferences(text)
		}
		return encodeScalar(b, list)
	}
	return encodeScalar(b, v)
}

func encodeScalar(b *bytes.Buffer, v any) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the line break
	return nil
}
