package bolt

import (
	"encoding/binary"
	"io"
	"os"
)

// The pages of a bbolt file, in the machine's byte order: a head of an id (8),
// flags (2), a count (2) and how many pages more belong to it (4), then elements of
// 16 bytes: on a branch two places (4, 4) and the page below (8), on a leaf its flags
// (4) and three places. A bucket is an element of a leaf whose value begins with its
// root page; 0 says that it lies in the leaf itself.
const (
	branchPage    = 0x01
	leafPage      = 0x02
	elementSize   = 16
	bucketElement = 0x01
	bucketHeader  = 16 // root page and sequence
)

// checkPages follows every branch of a file that nobody else can write, and makes
// sure that each page is met once and that what it names lies on it: bbolt would
// follow a branch that leads back to itself without end, and hand out memory that is
// not its own. What is in the values is left to Verify.
func checkPages(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	m, ok := newestMeta(file)
	if !ok {
		return damaged("no head")
	}
	c := pageCheck{file: file, size: int64(m.pageSize), seen: make([]bool, m.pages), page: make([]byte, m.pageSize)}
	c.next = append(c.next, m.root)
	for len(c.next) > 0 {
		id := c.next[len(c.next)-1]
		c.next = c.next[:len(c.next)-1]
		if err := c.visit(id); err != nil {
			return err
		}
	}
	return nil
}

// pageCheck is one walk over the pages.
type pageCheck struct {
	file io.ReaderAt
	size int64
	seen []bool
	next []uint64 // pages that are to be visited
	page []byte
}

// visit reads one page and notes the pages that it leads to.
func (c *pageCheck) visit(id uint64) error {
	if id < 2 || id >= uint64(len(c.seen)) || c.seen[id] {
		return damaged("a branch leads to page %d of %d, or a second time to it", id, len(c.seen))
	}
	c.seen[id] = true
	page := c.page[:c.size]
	if _, err := c.file.ReadAt(page, int64(id)*c.size); err != nil {
		return err
	}
	order := binary.NativeEndian
	flags, count, more := order.Uint16(page[8:]), int(order.Uint16(page[10:])), uint64(order.Uint32(page[12:]))
	if order.Uint64(page) != id || flags != branchPage && flags != leafPage || flags == branchPage && count == 0 || more >= uint64(len(c.seen))-id {
		return damaged("page %d is not one of a tree", id)
	}
	if need := pageHeader + count*elementSize; need > len(page) || more > 0 {
		long := make([]byte, (int64(more)+1)*c.size)
		if need > len(long) {
			return damaged("page %d has %d elements in %d bytes", id, count, len(long))
		}
		if _, err := c.file.ReadAt(long, int64(id)*c.size); err != nil {
			return err
		}
		page = long
	}
	for i := range count {
		at := pageHeader + i*elementSize
		element := page[at : at+elementSize]
		if flags == branchPage {
			if uint64(at)+uint64(order.Uint32(element))+uint64(order.Uint32(element[4:])) > uint64(len(page)) {
				return damaged("page %d: a key outside of it", id)
			}
			c.next = append(c.next, order.Uint64(element[8:]))
			continue
		}
		value, end := extent(element, at)
		if end > uint64(len(page)) {
			return damaged("page %d: a value outside of it", id)
		}
		if order.Uint32(element) != bucketElement {
			continue
		}
		if value+bucketHeader > end {
			return damaged("page %d: a bucket of %d bytes", id, end-value)
		}
		if root := order.Uint64(page[value:]); root != 0 {
			c.next = append(c.next, root)
		} else if !inLeaf(page[value+bucketHeader : end]) {
			return damaged("page %d: a bucket in it is none", id)
		}
	}
	return nil
}

// inLeaf reports whether a bucket that lies in a leaf is a leaf without further
// buckets.
func inLeaf(page []byte) bool {
	order := binary.NativeEndian
	if len(page) < pageHeader || order.Uint16(page[8:]) != leafPage {
		return false
	}
	count := int(order.Uint16(page[10:]))
	if pageHeader+count*elementSize > len(page) {
		return false
	}
	for i := range count {
		at := pageHeader + i*elementSize
		element := page[at : at+elementSize]
		if _, end := extent(element, at); order.Uint32(element) != 0 || end > uint64(len(page)) {
			return false
		}
	}
	return true
}

// extent returns where the value of a leaf's element begins and ends on its page.
func extent(element []byte, at int) (begin, end uint64) {
	order := binary.NativeEndian
	begin = uint64(at) + uint64(order.Uint32(element[4:])) + uint64(order.Uint32(element[8:]))
	return begin, begin + uint64(order.Uint32(element[12:]))
}
