package bolt

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"tenantsync/store"
)

// What a state file says of itself.
const (
	product = "tenantsync state"
	// format is the version of everything described in the package comment and of
	// the records. A change that this version could not read counts it up.
	format = 1
)

var (
	metaBucket = []byte("meta")
	productKey = []byte("product")
	formatKey  = []byte("format")
	createdKey = []byte("created")
	stateKey   = []byte("state")  // a random id, the same in all copies of one state
	backupKey  = []byte("backup") // in a copy: a store.Mark
)

// prepare makes the buckets of a new file.
func prepare(tx *bbolt.Tx, now time.Time) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	for name := range bucketNames {
		if _, err := tx.CreateBucketIfNotExists(bucketNames[name]); err != nil {
			return err
		}
	}
	return errors.Join(
		meta.Put(productKey, []byte(product)),
		meta.Put(formatKey, strconv.AppendInt(nil, format, 10)),
		meta.Put(createdKey, now.UTC().AppendFormat(nil, time.RFC3339)),
		meta.Put(stateKey, []byte(rand.Text())))
}

// checkFormat tells whether an open bbolt file is a state file of this version.
func checkFormat(tx *bbolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil || string(meta.Get(productKey)) != product {
		return fmt.Errorf("%w: it belongs to another program", store.ErrFormat)
	}
	version, err := strconv.Atoi(string(meta.Get(formatKey)))
	switch {
	case err != nil || version < 1:
		return damaged("format version %q", meta.Get(formatKey))
	case version > format:
		return fmt.Errorf("%w: it has format %d, written by a newer version; this version reads up to format %d",
			store.ErrFormat, version, format)
	}
	for in, name := range bucketNames {
		b := tx.Bucket(name)
		if b == nil && bucket(in) == inAudit {
			continue // see addLater
		}
		if b == nil {
			return damaged("bucket %s is missing", name)
		}
		// Touches the first and last page of each bucket.
		c := b.Cursor()
		c.First()
		c.Last()
	}
	return nil
}

// The head of a bbolt file, in the machine's byte order: two pages, each with a
// page header and a meta record, of which the valid one with the higher
// transaction counts.
const (
	pageHeader  = 16
	metaSize    = 64
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	maxPageSize = 1 << 16
)

// inspect looks at a file before bbolt maps it. bbolt would turn an empty file
// into an empty state, and would read past the end of one that was cut off.
func inspect(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: it is not a regular file", store.ErrFormat)
	case info.Size() == 0:
		return fmt.Errorf("%w: it is empty; restore it from a backup, or remove it to begin without state", store.ErrFormat)
	}
	newest, ok := newestMeta(file)
	if !ok {
		return fmt.Errorf("%w: it is damaged, or belongs to another program", store.ErrFormat)
	}
	// Whoever works with the file lengthens it before the record that says so: the
	// length is taken after it was read.
	if info, err = file.Stat(); err != nil {
		return err
	}
	if need := newest.pages * newest.pageSize; uint64(info.Size()) < need {
		return damaged("it is cut off at %d of %d bytes", info.Size(), need)
	}
	return nil
}

type boltMeta struct{ pageSize, root, pages, transaction uint64 }

// newestMeta returns the valid meta record that counts. The page size is not
// known before one is read, so the second record is looked for at every size.
func newestMeta(file io.ReaderAt) (newest boltMeta, ok bool) {
	consider := func(at int64, pageSize uint64) {
		m, valid := readMeta(file, at)
		if valid && (pageSize == 0 || m.pageSize == pageSize) && (!ok || m.transaction > newest.transaction) {
			newest, ok = m, true
		}
	}
	consider(0, 0)
	for size := uint64(1024); size <= maxPageSize; size *= 2 {
		consider(int64(size), size)
	}
	return newest, ok
}

func readMeta(file io.ReaderAt, at int64) (boltMeta, bool) {
	var b [metaSize]byte
	if _, err := file.ReadAt(b[:], at+pageHeader); err != nil {
		return boltMeta{}, false
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:56])
	if order.Uint32(b[0:]) != boltMagic || order.Uint32(b[4:]) != boltVersion || order.Uint64(b[56:]) != sum.Sum64() {
		return boltMeta{}, false
	}
	return boltMeta{
		pageSize:    uint64(order.Uint32(b[8:])),
		root:        order.Uint64(b[16:]),
		pages:       order.Uint64(b[40:]),
		transaction: order.Uint64(b[48:]),
	}, true
}
