package engine

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"os"
	"slices"

	"tenantsync/directory"
)

// spool keeps the unlinked users of a target tenant, found by the hash of a
// matching value: 16 bytes of memory a value, whatever the size of the directory.
// The users lie in a temporary file, but for the latest, which wait in memory until
// a write is worth it: a small tenant needs no file. It is filled first, then
// asked; one goroutine at a time.
type spool struct {
	file   *os.File // nil as long as nothing was written
	tail   []byte   // what follows the file
	filed  int64    // bytes in the file
	seed   maphash.Seed
	index  []spoolEntry
	sorted bool
}

// spoolTail is how many bytes are collected before they go to the file.
const spoolTail = 64 << 10

// spoolHead is the length that stands before each user, in bytes.
const spoolHead = 4

type spoolEntry struct {
	hash   uint64
	offset int64
}

func newSpool() *spool { return &spool{seed: maphash.MakeSeed()} }

func (s *spool) hash(attribute, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(attribute)
	h.WriteByte(0)
	h.WriteString(directory.NormalAddress(value))
	return h.Sum64()
}

// add takes an object that can be found by the keys.
func (s *spool) add(o directory.Object, keys []matchKey) error {
	offset := s.size()
	at := len(s.tail)
	s.tail = append(s.tail, make([]byte, spoolHead)...)
	s.tail = directory.AppendObject(s.tail, &o)
	binary.LittleEndian.PutUint32(s.tail[at:], uint32(len(s.tail)-at-spoolHead))
	for _, k := range keys {
		s.index = append(s.index, spoolEntry{s.hash(k.attribute, k.value), offset})
	}
	s.sorted = false
	if len(s.tail) < spoolTail {
		return nil
	}
	return s.write()
}

// size is how many bytes were added.
func (s *spool) size() int64 { return s.filed + int64(len(s.tail)) }

// write brings what waits in memory into the file.
func (s *spool) write() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "tenantsync-spool-*")
		if err != nil {
			return fmt.Errorf("create spool of target users: %w", err)
		}
		s.file = f
	}
	if _, err := s.file.Write(s.tail); err != nil {
		return fmt.Errorf("spool target user: %w", err)
	}
	s.filed, s.tail = s.size(), s.tail[:0]
	return nil
}

// find returns the objects that may hold the key, and where they stand: the caller
// compares, since two values can share a hash.
func (s *spool) find(k matchKey) ([]directory.Object, []int64, error) {
	if !s.sorted {
		slices.SortFunc(s.index, func(a, b spoolEntry) int {
			if a.hash != b.hash {
				if a.hash < b.hash {
					return -1
				}
				return 1
			}
			return int(a.offset - b.offset)
		})
		s.sorted = true
	}
	h := s.hash(k.attribute, k.value)
	i, _ := slices.BinarySearchFunc(s.index, h, func(e spoolEntry, h uint64) int {
		switch {
		case e.hash < h:
			return -1
		case e.hash > h:
			return 1
		}
		return 0
	})
	var out []directory.Object
	var places []int64
	for ; i < len(s.index) && s.index[i].hash == h; i++ {
		o, _, err := s.next(s.index[i].offset)
		if err != nil {
			return nil, nil, err
		}
		out, places = append(out, o), append(places, s.index[i].offset)
	}
	return out, places, nil
}

// read returns the object that was added at an offset.
func (s *spool) read(offset int64) (directory.Object, error) {
	o, _, err := s.next(offset)
	return o, err
}

// next returns the object at an offset, and where the one after it begins.
func (s *spool) next(offset int64) (directory.Object, int64, error) {
	b, err := s.record(offset)
	if err != nil {
		return directory.Object{}, 0, fmt.Errorf("read spool of target users: %w", err)
	}
	o, _, err := directory.DecodeObject(b)
	if err != nil {
		return directory.Object{}, 0, fmt.Errorf("read spool of target users: %w", err)
	}
	return o, offset + int64(spoolHead+len(b)), nil
}

// record returns the bytes of the object at an offset, valid until the next add.
func (s *spool) record(offset int64) ([]byte, error) {
	if offset >= s.filed {
		b := s.tail[offset-s.filed:]
		return b[spoolHead:][:binary.LittleEndian.Uint32(b)], nil
	}
	var n [spoolHead]byte
	if _, err := s.file.ReadAt(n[:], offset); err != nil {
		return nil, err
	}
	b := make([]byte, binary.LittleEndian.Uint32(n[:]))
	_, err := s.file.ReadAt(b, offset+spoolHead)
	return b, err
}

// each visits every object in the order in which they were added.
func (s *spool) each(visit func(directory.Object)) error {
	for at := int64(0); at < s.size(); {
		o, next, err := s.next(at)
		if err != nil {
			return err
		}
		visit(o)
		at = next
	}
	return nil
}

// close removes the file, if there is one.
func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); err == nil {
		err = rm
	}
	return err
}
