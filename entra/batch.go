package entra

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	abs "github.com/microsoft/kiota-abstractions-go"

	"tenantsync/directory"
)

// batchSize is the most items Graph takes in one batch.
// https://learn.microsoft.com/graph/json-batching
const batchSize = 20

// part is one request of a batch. path is relative to the version root; body is
// a JSON object or nil.
type part struct {
	method string
	path   string
	body   []byte
}

// reply is the answer to one part. Its header has the names in canonical form.
type reply struct {
	present bool // false: the service left the item out
	status  int
	header  http.Header
	body    []byte // JSON, nil when there was none
}

// encodeBatch writes the body of POST /$batch. The ids are the positions of the
// parts, from 1.
func encodeBatch(parts []part) []byte {
	size := 32
	for _, p := range parts {
		size += 128 + len(p.path) + len(p.body)
	}
	b := append(make([]byte, 0, size), `{"requests":[`...)
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"id":"`...)
		b = strconv.AppendInt(b, int64(i+1), 10)
		b = append(b, `","method":"`...)
		b = append(b, p.method...)
		b = append(b, `","url":`...)
		b = appendText(b, p.path)
		if p.body != nil {
			b = append(b, `,"headers":{"Content-Type":"application/json"},"body":`...)
			b = append(b, p.body...)
		}
		b = append(b, '}')
	}
	return append(b, "]}"...)
}

// decodeBatch reads the answer to a batch of n parts. Replies may come in any
// order; one that is missing stays not present. An id that was not sent, or that
// comes twice, makes the whole answer unusable.
func decodeBatch(b []byte, n int) ([]reply, error) {
	// The bodies are judged one by one when they are used: one item with a body
	// that is not to be trusted must not spoil the others.
	d := newDecoder(b, nil, jsontext.AllowDuplicateNames(true))
	out := make([]reply, n)
	seen := false
	err := d.object(func(name []byte) error {
		if string(name) != `"responses"` {
			return d.json.SkipValue()
		}
		seen = true
		return d.array(func() error {
			id, r, err := d.reply()
			if err != nil {
				return err
			}
			at, err := strconv.Atoi(id)
			if err != nil || at < 1 || at > n || strconv.Itoa(at) != id {
				return fmt.Errorf("answer to item %q that was not sent", id)
			}
			if out[at-1].present {
				return fmt.Errorf("item %q answered twice", id)
			}
			out[at-1] = r
			return nil
		})
	})
	if err == nil {
		err = d.end()
	}
	switch {
	case err != nil:
		return nil, err
	case !seen:
		return nil, errors.New("batch answer without responses")
	}
	return out, nil
}

func (d *decoder) reply() (id string, r reply, err error) {
	r.present, r.header = true, http.Header{}
	err = d.object(func(name []byte) error {
		var err error
		switch string(name) {
		case `"id"`:
			id, err = d.text()
		case `"status"`:
			var raw jsontext.Value
			if raw, err = d.json.ReadValue(); err == nil {
				r.status, err = strconv.Atoi(string(raw))
			}
		case `"headers"`:
			err = d.replyHeader(r.header)
		case `"body"`:
			var raw jsontext.Value
			if raw, err = d.json.ReadValue(); err == nil {
				r.body, err = replyBody(raw)
			}
		default:
			err = d.json.SkipValue()
		}
		return err
	})
	if err == nil && (r.status < 100 || r.status > 599) {
		err = fmt.Errorf("item %q has status %d", id, r.status)
	}
	return id, r, err
}

// replyHeader reads the headers of an item. Some services write numbers.
func (d *decoder) replyHeader(into http.Header) error {
	if d.json.PeekKind() == 'n' {
		return d.json.SkipValue()
	}
	return d.object(func(raw []byte) error {
		name, err := unquote(raw)
		if err != nil {
			return err
		}
		v, err := d.value()
		if text := v.String(); err == nil && text != "" {
			into.Set(name, text)
		}
		return err
	})
}

// replyBody returns the body of an item as JSON. Anything but an object comes as
// a string in base64.
func replyBody(raw jsontext.Value) ([]byte, error) {
	switch raw.Kind() {
	case 'n':
		return nil, nil
	case '"':
		text, err := unquote(raw)
		if err != nil {
			return nil, err
		}
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return []byte(text), nil // not base64 after all: an error text as it is
		}
		return plain, nil
	}
	return bytes.Clone(raw), nil
}

// fetch is one read inside a batch, and what came of it.
type fetch struct {
	what call
	path string

	reply reply
	err   error // *directory.Error: the item failed for good
	done  bool
	p     patience
	after time.Duration // how long to wait before it is sent again
}

// readBatch answers up to batchSize fetches with as few requests as it takes.
// Items that may be answered otherwise the next time are sent again together.
// The error is for what ends the work: sign-in, a foreign link, the context.
func (c *Client) readBatch(ctx context.Context, m *Meter, items []*fetch) error {
	for {
		var open []*fetch
		for _, f := range items {
			if left := c.items.left(f.path); !f.done && left > maxPatience {
				f.err, f.done = c.stillThrottled(f.what, left), true
			}
			if !f.done {
				open = append(open, f)
			}
		}
		if len(open) == 0 {
			return nil
		}
		if err := sleepFor(ctx, open); err != nil {
			return err
		}
		if err := c.readOnce(ctx, m, open); err != nil {
			return err
		}
	}
}

// sleepFor waits for the item that has to wait longest.
func sleepFor(ctx context.Context, open []*fetch) error {
	var longest time.Duration
	for _, f := range open {
		longest = max(longest, f.after)
	}
	if longest == 0 {
		return ctx.Err()
	}
	return sleep(ctx, longest)
}

func (c *Client) readOnce(ctx context.Context, m *Meter, open []*fetch) error {
	parts, paths := make([]part, len(open)), make([]string, len(open))
	for i, f := range open {
		parts[i], paths[i] = part{method: "GET", path: f.path}, f.path
	}
	what := open[0].what // whatever befalls the batch befalls all of them
	ans, err := c.read(ctx, m, what, abs.POST, c.graph+"/$batch", encodeBatch(parts), paths...)
	if err != nil {
		return err
	}
	replies, err := decodeBatch(ans.body, len(parts))
	if err != nil {
		return c.malformed(what, ans, err)
	}
	var signIn error
	for i, f := range open {
		c.settle(m, f, replies[i])
		if directory.KindOf(f.err) == directory.SignIn {
			signIn = cmp.Or(signIn, f.err)
		}
	}
	return signIn
}

// settle takes the reply of one item: done, failed, or to be sent again.
func (c *Client) settle(m *Meter, f *fetch, r reply) {
	if r.present && r.status == http.StatusOK {
		f.reply, f.done = r, true
		return
	}
	why := refusal{kind: directory.Transient, message: "the batch has no answer to the item"}
	if r.present {
		why = classify(r.status, r.header, r.body, time.Now())
	}
	c.items.hold(f.path, why.retryAfter)
	if why.kind == directory.Throttled {
		m.throttle()
	}
	f.err = c.fail(f.what, why)
	again := repeatable(why.kind)
	if again {
		f.after, again = f.p.next(why.kind, why.retryAfter, c.jitter)
	}
	if !again {
		f.done = true
		return
	}
	f.err = nil
}
