package engine

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"os"
	"slices"

	"tenantsync/directory"
)

// spool keeps the unlinked users of a target tenant in a temporary file, found
// by the hash of a matching value: 16 bytes of memory a value, whatever the size
// of the directory. It is filled first, then asked; one goroutine at a time.
type spool struct {
	file   *os.File
	w      *bufio.Writer
	offset int64
	seed   maphash.Seed
	index  []spoolEntry
	sorted bool
	buf    []byte
}

type spoolEntry struct {
	hash   uint64
	offset int64
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "tenantsync-spool-*")
	if err != nil {
		return nil, fmt.Errorf("create spool of target users: %w", err)
	}
	return &spool{file: f, w: bufio.NewWriterSize(f, 1<<16), seed: maphash.MakeSeed()}, nil
}

func (s *spool) hash(attribute, value string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	h.WriteString(attribute)
	h.WriteByte(0)
	h.WriteString(directory.NormalAddress(value))
	return h.Sum64()
}

// add writes an object that can be found by the keys.
func (s *spool) add(o directory.Object, keys []matchKey) error {
	s.buf = directory.AppendObject(s.buf[:0], &o)
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(s.buf)))
	if _, err := s.w.Write(n[:]); err != nil {
		return fmt.Errorf("spool target user: %w", err)
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return fmt.Errorf("spool target user: %w", err)
	}
	for _, k := range keys {
		s.index = append(s.index, spoolEntry{s.hash(k.attribute, k.value), s.offset})
	}
	s.offset += int64(4 + len(s.buf))
	s.sorted = false
	return nil
}

// find returns the objects that may hold the key, and where they stand: the caller
// compares, since two values can share a hash.
func (s *spool) find(k matchKey) ([]directory.Object, []int64, error) {
	if !s.sorted {
		if err := s.w.Flush(); err != nil {
			return nil, nil, fmt.Errorf("spool target users: %w", err)
		}
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
		o, err := s.read(s.index[i].offset)
		if err != nil {
			return nil, nil, err
		}
		out, places = append(out, o), append(places, s.index[i].offset)
	}
	return out, places, nil
}

func (s *spool) read(offset int64) (directory.Object, error) {
	var n [4]byte
	if _, err := s.file.ReadAt(n[:], offset); err != nil {
		return directory.Object{}, fmt.Errorf("read spool of target users: %w", err)
	}
	b := make([]byte, binary.LittleEndian.Uint32(n[:]))
	if _, err := s.file.ReadAt(b, offset+4); err != nil {
		return directory.Object{}, fmt.Errorf("read spool of target users: %w", err)
	}
	o, _, err := directory.DecodeObject(b)
	if err != nil {
		return directory.Object{}, fmt.Errorf("read spool of target users: %w", err)
	}
	return o, nil
}

// each visits every object in the order in which they were added.
func (s *spool) each(visit func(directory.Object)) error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("spool target users: %w", err)
	}
	for at := int64(0); at < s.offset; {
		o, err := s.read(at)
		if err != nil {
			return err
		}
		visit(o)
		var n [4]byte
		if _, err := s.file.ReadAt(n[:], at); err != nil {
			return fmt.Errorf("read spool of target users: %w", err)
		}
		at += int64(len(n)) + int64(binary.LittleEndian.Uint32(n[:]))
	}
	return nil
}

// close removes the file.
func (s *spool) close() error {
	err := s.file.Close()
	if rm := os.Remove(s.file.Name()); err == nil {
		err = rm
	}
	return err
}
