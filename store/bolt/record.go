package bolt

import (
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tenantsync/directory"
)

// Records that are few or short-lived are JSON without empty fields, and so are
// theirs that later versions add. Times have microseconds and are UTC.
var (
	writeJSON = json.JoinOptions(
		json.OmitZeroStructFields(true),
		json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true),
		json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, t time.Time) error {
			return e.WriteToken(jsontext.String(microseconds(t).Format(time.RFC3339Nano)))
		})))
	readJSON = jsontext.AllowInvalidUTF8(true)
)

// microseconds is a time as a store keeps it.
func microseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func appendJSON(b []byte, record any) ([]byte, error) {
	text, err := json.Marshal(record, writeJSON)
	return append(b, text...), err
}

func decodeJSON(b []byte, record any) error {
	if err := json.Unmarshal(b, record, readJSON); err != nil {
		return damaged("record: %v", err)
	}
	return nil
}

// reader reads the fields of a binary record. After the first fault bad is set
// and every further read yields a zero value.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) text() string {
	s, rest, err := directory.DecodeText(r.b)
	if err != nil {
		r.fail()
		return ""
	}
	r.b = rest
	return s
}

// count reads how many things follow, each of at least one byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) texts() []string {
	n := r.count()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

// time reads a time; 0 stands for none.
func (r *reader) time() time.Time {
	n := r.uvarint()
	if n == 0 {
		return time.Time{}
	}
	n--
	return time.UnixMicro(int64(n>>1) ^ -int64(n&1)).UTC()
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = directory.AppendText(b, s)
	}
	return b
}

func appendWhen(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	micro := microseconds(t).UnixMicro()
	return binary.AppendUvarint(b, uint64(micro<<1^micro>>63)+1)
}
