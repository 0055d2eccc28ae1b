package bolt

import (
	"bytes"
	"compress/flate"
	"io"
)

// A log entry is mostly names of fields and sentences that every entry repeats:
// deflated it takes a quarter of its size, for some microseconds of work. Short
// texts are left alone.
const (
	packedPlain    = 0
	packedDeflated = 1

	// deflateFrom is the size from which packing is worth the work.
	deflateFrom = 256
	// inflateLimit bounds what a damaged record can unpack to.
	inflateLimit = 16 << 20
)

// packer packs texts. It is kept from batch to batch, since a flate.Writer is
// large; one batch is written at a time.
type packer struct {
	w   *flate.Writer
	buf bytes.Buffer
}

// appendPacked appends a text, packed where that makes it shorter.
func (p *packer) appendPacked(b, text []byte) ([]byte, error) {
	if len(text) >= deflateFrom {
		p.buf.Reset()
		var err error
		if p.w == nil {
			p.w, err = flate.NewWriter(&p.buf, flate.BestSpeed)
		} else {
			p.w.Reset(&p.buf)
		}
		if err == nil {
			_, err = p.w.Write(text)
		}
		if err == nil {
			err = p.w.Close()
		}
		if err != nil {
			return nil, err
		}
		if p.buf.Len() < len(text) {
			return append(append(b, packedDeflated), p.buf.Bytes()...), nil
		}
	}
	return append(append(b, packedPlain), text...), nil
}

// unpacker unpacks the texts of one query.
type unpacker struct {
	r   io.ReadCloser
	buf bytes.Buffer
}

// unpack returns the text of what appendPacked wrote; it is valid until the next call.
func (u *unpacker) unpack(b []byte) ([]byte, error) {
	switch {
	case len(b) > 0 && b[0] == packedPlain:
		return b[1:], nil
	case len(b) == 0 || b[0] != packedDeflated:
		return nil, damaged("packed text")
	}
	from := bytes.NewReader(b[1:])
	if u.r == nil {
		u.r = flate.NewReader(from)
	} else if err := u.r.(flate.Resetter).Reset(from, nil); err != nil {
		return nil, err
	}
	u.buf.Reset()
	n, err := u.buf.ReadFrom(io.LimitReader(u.r, inflateLimit+1))
	if err != nil {
		return nil, damaged("packed text: %v", err)
	}
	if n > inflateLimit {
		return nil, damaged("packed text of more than %d bytes", inflateLimit)
	}
	return u.buf.Bytes(), nil
}
