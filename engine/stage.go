package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"tenantsync/directory"
	"tenantsync/store"
)

func (c *cycle) stagePage(ctx context.Context, page directory.Page) error {
	stage := c.rec.Stage
	if page.Next != "" && (page.Next == stage.Cursor || stage.Pages >= maxPages) {
		return &directory.Error{Op: "read delta page", Tenant: c.job.SourceName, Kind: directory.Malformed, Message: "the page links to itself"}
	}
	if page.Next == "" && page.Watermark == "" {
		return &directory.Error{Op: "read delta page", Tenant: c.job.SourceName, Kind: directory.Malformed, Message: "the page has neither a next nor a delta link"}
	}
	b := &store.Batch{}
	if len(page.Objects) > 0 {
		stage.Pages++
		b.Stage = []store.StagePage{{Job: c.job.Name, Seq: stage.Pages, Objects: page.Objects}}
		c.index(stage.Pages, page.Objects, false)
	}
	stage.Cursor, stage.Watermark = page.Next, page.Watermark
	c.advance(len(page.Objects))
	if len(page.Objects) == 0 && page.Watermark != "" {
		return nil // nothing that a stop could lose
	}
	b.Jobs = []store.Job{c.rec}
	return c.st.Apply(ctx, b)
}

// index notes where the last image of each object stands, and which records of
// an incremental round are tombstones or lack a selected property.
func (c *cycle) index(seq int, objects []directory.Object, complete bool) {
	for i := range objects {
		o := &objects[i]
		k := keyOf(o.ID)
		c.pos[k] = position{uint32(seq), uint32(i)}
		switch {
		case complete:
		case o.Removed != directory.NotRemoved:
			c.tombstones = append(c.tombstones, o.ID)
		case !c.initial && c.lacks(o):
			c.incomplete = append(c.incomplete, o.ID)
			c.partial[k] = append(c.partial[k], c.pos[k])
		}
	}
}

func (c *cycle) lacks(o *directory.Object) bool {
	for _, n := range c.selects {
		if n != attrIdentities && !o.Attributes.Has(n) {
			return true
		}
	}
	return false
}

// idKey is an object id in 16 bytes.
type idKey [16]byte

func keyOf(id string) idKey {
	var k idKey
	if len(id) == 36 {
		if b, err := hex.DecodeString(id[0:8] + id[9:13] + id[14:18] + id[19:23] + id[24:36]); err == nil {
			copy(k[:], b)
			return k
		}
	}
	sum := sha256.Sum256([]byte(id))
	copy(k[:], sum[:])
	return k
}

// position is a place in the stage: a page and an index in it.
type position struct{ page, index uint32 }

// stagePages visits the pages of the stage in order.
func (c *cycle) stagePages(ctx context.Context, visit func(p *store.StagePage) error) error {
	for after := 0; ; {
		pages, err := c.st.StagePages(ctx, c.job.Name, after, 4)
		if err != nil {
			return err
		}
		if len(pages) == 0 {
			return nil
		}
		for i := range pages {
			if err := visit(&pages[i]); err != nil {
				return err
			}
			after = pages[i].Seq
		}
	}
}

// pageOf returns one page of the stage.
func (c *cycle) pageOf(ctx context.Context, seq uint32) (*store.StagePage, error) {
	if c.page != nil && c.page.Seq == int(seq) {
		return c.page, nil
	}
	pages, err := c.st.StagePages(ctx, c.job.Name, int(seq)-1, 1)
	if err != nil {
		return nil, err
	}
	if len(pages) == 0 || pages[0].Seq != int(seq) {
		return nil, errors.New("a page of the stage is missing")
	}
	c.page = &pages[0]
	return c.page, nil
}

// objectAt returns a staged object.
func (c *cycle) objectAt(ctx context.Context, at position) (directory.Object, error) {
	if at.page == 0 { // read on demand, not staged
		return c.full(ctx, c.loose[at.index])
	}
	p, err := c.pageOf(ctx, at.page)
	if err != nil {
		return directory.Object{}, err
	}
	return c.full(ctx, p.Objects[at.index])
}

// full makes a staged image whole: what a record of a whole round does not
// mention was never set, so it is null; and app roles stand elsewhere.
func (c *cycle) full(ctx context.Context, o directory.Object) (directory.Object, error) {
	if o.Removed != directory.NotRemoved {
		return o, nil
	}
	for _, ref := range c.job.Mapping.References() {
		if !o.Attributes.Has(ref) {
			o.Attributes.Set(ref, directory.NullValue())
		}
	}
	return o, c.withRoles(ctx, &o)
}

// monotonic time of the moment, in UTC.
func now() time.Time { return time.Now().UTC() }
