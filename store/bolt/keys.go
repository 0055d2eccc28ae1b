package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"tenantsync/directory"
)

// bucket is one of the file's buckets, except meta.
type bucket uint8

const (
	inNames bucket = iota
	inJobs
	inStage
	inMembers
	inLinks
	inLinkTargets
	inLinkAddresses
	inLinkManagers
	inLinkDeleted
	inEscrows
	inIntents
	inHolds
	inVerdicts
	inCycles
	inCycleIDs
	inLog
	inLogIDs
	inLogSpans
	inAudit
)

var bucketNames = [...][]byte{
	inNames: []byte("names"), inJobs: []byte("jobs"), inStage: []byte("stage"), inMembers: []byte("members"),
	inLinks: []byte("links"), inLinkTargets: []byte("linkTargets"), inLinkAddresses: []byte("linkAddresses"),
	inLinkManagers: []byte("linkManagers"), inLinkDeleted: []byte("linkDeleted"),
	inEscrows: []byte("escrows"), inIntents: []byte("intents"), inHolds: []byte("holds"), inVerdicts: []byte("verdicts"),
	inCycles: []byte("cycles"), inCycleIDs: []byte("cycleIDs"),
	inLog: []byte("log"), inLogIDs: []byte("logIDs"), inLogSpans: []byte("logSpans"),
	inAudit: []byte("audit"),
}

// code is the number of a job or a pair in keys and records.
type code uint32

const codeSize = 4

func appendCode(b []byte, c code) []byte { return binary.BigEndian.AppendUint32(b, uint32(c)) }

func codeAt(b []byte) code { return code(binary.BigEndian.Uint32(b)) }

// Tags of ids in keys. Among GUIDs, and among other texts, keys have the order
// of the ids; between the two they do not.
const (
	tagGUID = 0
	tagText = 1
)

// appendID appends an id as the last part of a key.
func appendID(b []byte, id string) []byte {
	if g, ok := directory.ParseGUID(id); ok {
		return append(append(b, tagGUID), g[:]...)
	}
	return append(append(b, tagText), id...)
}

// appendInnerID appends an id as a part of a key that others follow.
func appendInnerID(b []byte, id string) []byte {
	if g, ok := directory.ParseGUID(id); ok {
		return append(append(b, tagGUID), g[:]...)
	}
	b = binary.AppendUvarint(append(b, tagText), uint64(len(id)))
	return append(b, id...)
}

// idOf reads what appendID wrote.
func idOf(b []byte) (string, bool) {
	switch {
	case len(b) == 1+len(directory.GUID{}) && b[0] == tagGUID:
		return directory.GUID(b[1:]).String(), true
	case len(b) >= 1 && b[0] == tagText:
		return string(b[1:]), true
	}
	return "", false
}

// innerIDOf reads what appendInnerID wrote, and returns how many bytes it takes.
func innerIDOf(b []byte) (id string, size int, ok bool) {
	const guidEnd = 1 + len(directory.GUID{})
	switch {
	case len(b) >= guidEnd && b[0] == tagGUID:
		return directory.GUID(b[1:guidEnd]).String(), guidEnd, true
	case len(b) >= 2 && b[0] == tagText:
		n, width := binary.Uvarint(b[1:])
		from := 1 + width
		if width <= 0 || n > uint64(len(b)-from) {
			return "", 0, false
		}
		size = from + int(n)
		return string(b[from:size]), size, true
	}
	return "", 0, false
}

// codeKey is a key of a code and an id.
func codeKey(c code, id string) []byte {
	return appendID(appendCode(make([]byte, 0, codeSize+1+max(len(directory.GUID{}), len(id))), c), id)
}

// appendTime appends a time so that keys are in order of time.
func appendTime(b []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(t.UnixMicro())^1<<63)
}

const timeSize = 8

// appendAddress appends an address as a number: addresses are looked up, never
// listed, and what is found is compared with the record.
func appendAddress(b []byte, address string) []byte {
	h := fnv.New64a()
	h.Write([]byte(address))
	return h.Sum(b)
}

// sortedKeys puts keys in the order of the file, each once.
func sortedKeys(keys [][]byte) [][]byte {
	slices.SortFunc(keys, func(a, b []byte) int { return strings.Compare(string(a), string(b)) })
	return slices.CompactFunc(keys, func(a, b []byte) bool { return string(a) == string(b) })
}

// next returns the first key after all keys that begin with prefix, nil if there is none.
func next(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			after := slices.Clone(prefix[:i+1])
			after[i]++
			return after
		}
	}
	return nil
}
