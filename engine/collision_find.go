package engine

import (
	"context"
	"maps"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
)

// lookedUp is the most addresses that are looked up one by one; more are found in
// a list of all users, which costs a request for each 999 of them.
const lookedUp = 150

// collider gathers what a plan wants to know of addresses and mails beyond what a
// cycle reads. Its memory is proportional to the users to be created.
type collider struct {
	claims  []claim
	by      map[string][]int // address → claims that need it
	found   []Collision
	lacking []string // lists that could not be read
	// redemption is what the policies say of automatic redemption, RedemptionUnknown
	// when they were not read.
	redemption Redemption
}

// claimCreate remembers a user that the plan creates.
func (c *cycle) claimCreate(o directory.Object, u *update) {
	if c.preview.collider == nil {
		return
	}
	cl := c.newClaim(o)
	for _, m := range u.diff {
		if m.Name == attrMail {
			cl.mail = directory.NormalAddress(m.New.Text())
		}
	}
	c.preview.collider.claims = append(c.preview.collider.claims, cl)
}

// claimRefused remembers a user that would be created were it not for somebody in
// the target who has one of its addresses.
func (c *cycle) claimRefused(ctx context.Context, it *item) error {
	if c.preview.collider == nil {
		return nil
	}
	switch it.code {
	case CodeAmbiguousUser, CodeForeignIdentity, CodeLinkedToOther, CodeDuplicateTargetEntries:
	default:
		return nil
	}
	o, err := c.objectAt(ctx, it.at)
	if err != nil {
		return err
	}
	cl := c.newClaim(o)
	cl.refused, cl.matched = it.reason, sourceAddresses(o)
	c.preview.collider.claims = append(c.preview.collider.claims, cl)
	return nil
}

func (c *cycle) newClaim(o directory.Object) claim {
	return claim{source: ChangeSource{ID: o.ID, UPN: strings.Clone(o.UPN())}, invited: directory.NormalAddress(c.inviteAddress(o)),
		hidden: c.job.Mapping.Hidden(attrMail) != ""}
}

// findCollisions looks for everybody in the target who holds an address of a user
// to be created. What cannot be read is named and is no failure.
func (c *cycle) findCollisions(ctx context.Context) error {
	f := c.preview.collider
	if f == nil || len(f.claims) == 0 {
		return nil
	}
	c.phase("looking for address collisions")
	f.index()
	if err := c.readRedemption(ctx); err != nil {
		return err
	}
	if err := f.lacks(ctx, "users", c.collidingUsers(ctx)); err != nil {
		return err
	}
	lists := []struct {
		name string
		of   directory.HolderType
	}{{"deletedUsers", directory.HolderDeletedUser}, {"groups", directory.HolderGroup}, {"contacts", directory.HolderContact}}
	holders, can := c.job.Target.(AddressHolders)
	for _, l := range lists {
		if !can {
			f.lacking = append(f.lacking, l.name)
			continue
		}
		err := c.collidingPages(ctx, l.of, func(cursor string) (directory.Page, error) { return holders.AddressHolders(ctx, l.of, cursor) })
		if err := f.lacks(ctx, l.name, err); err != nil {
			return err
		}
	}
	sortCollisions(f.found)
	return nil
}

func (f *collider) index() {
	f.by = map[string][]int{}
	for i := range f.claims {
		cl := &f.claims[i]
		for _, a := range append([]string{cl.invited, cl.mail}, cl.matched...) {
			if a != "" && !slices.Contains(f.by[a], i) {
				f.by[a] = append(f.by[a], i)
			}
		}
	}
}

// lacks notes a list that could not be read. What is wrong with the whole job
// stays an error.
func (f *collider) lacks(ctx context.Context, list string, err error) error {
	switch {
	case err == nil:
		return nil
	case endsCycle(ctx, err):
		return err
	}
	f.lacking = append(f.lacking, list)
	return nil
}

// collidingUsers finds the holders among the users: by look-ups while these are
// few, else in a list of all.
func (c *cycle) collidingUsers(ctx context.Context) error {
	selects := []string{attrUPN, attrDisplayName, attrMail, attrOtherMails, attrProxyAddresses, attrExternalState, attrCreationType,
		attrIdentities, attrOnPremisesSync}
	f := c.preview.collider
	if len(f.by) > lookedUp {
		return c.collidingPages(ctx, directory.HolderUser, func(cursor string) (directory.Page, error) {
			return c.job.Target.List(ctx, selects, cursor)
		})
	}
	hits, err := c.job.Target.Lookup(ctx, slices.Sorted(maps.Keys(f.by)), selects)
	if err != nil {
		return err
	}
	return c.collide(ctx, directory.HolderUser, hits)
}

func (c *cycle) collidingPages(ctx context.Context, of directory.HolderType, read func(cursor string) (directory.Page, error)) error {
	cursor := ""
	for range maxPages {
		p, err := read(cursor)
		if err != nil {
			return err
		}
		if err := c.collide(ctx, of, p.Objects); err != nil {
			return err
		}
		if cursor = p.Next; cursor == "" {
			return nil
		}
	}
	return nil
}

// collide adds the collisions with some objects of a type.
func (c *cycle) collide(ctx context.Context, of directory.HolderType, objects []directory.Object) error {
	f := c.preview.collider
	target, err := c.targetTenant(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if of == directory.HolderDeletedUser {
			o = withoutMark(o)
		}
		for _, a := range o.Addresses() {
			for _, i := range f.by[a] {
				h, ok := holdingOf(of, o, a, target)
				if !ok {
					continue
				}
				cl := &f.claims[i]
				effect, detail := cl.effect(a, h)
				if effect == "" {
					continue
				}
				col := Collision{Source: cl.source, Address: strings.Clone(a), Effect: effect, Detail: detail,
					Holder: AddressHolder{Type: of, ID: strings.Clone(o.ID), DisplayName: strings.Clone(o.DisplayName())}}
				if cl.hidden && (a != cl.invited || c.job.Invitation.ByMail) {
					col.Address = mapping.SensitiveText
				}
				f.found = append(f.found, col)
			}
		}
	}
	return nil
}

// withoutMark undoes what the directory does to the name of a user it moves to the
// recycle bin: it puts the object id, without its hyphens, before it.
func withoutMark(o directory.Object) directory.Object {
	mark := strings.ReplaceAll(strings.ToLower(o.ID), "-", "")
	upn := o.UPN()
	if len(upn) <= len(mark) || !strings.EqualFold(upn[:len(mark)], mark) {
		return o
	}
	o.Attributes = o.Attributes.Clone()
	o.Attributes.Set(attrUPN, directory.TextOf(upn[len(mark):]))
	return o
}

// readRedemption asks both tenants whether invitations are redeemed automatically.
func (c *cycle) readRedemption(ctx context.Context) error {
	inbound, err := c.job.Target.Policy(ctx, c.job.Pair.Source)
	if err == nil {
		var outbound directory.Policy
		if outbound, err = c.job.Source.Policy(ctx, c.job.Pair.Target); err == nil {
			c.preview.collider.redemption = RedemptionMissing
			if inbound.AutoRedeemInbound && outbound.AutoRedeemOutbound {
				c.preview.collider.redemption = RedemptionAutomatic
			}
		}
	}
	return c.preview.collider.lacks(ctx, "policies", err)
}
