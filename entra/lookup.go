package entra

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tenantsync/directory"
)

// lookupTerms is the most terms one filter may have, and each address takes
// termsPerAddress of them.
const (
	lookupTerms     = 15
	termsPerAddress = 5
)

// addressFilter returns a $filter for users that hold one of the addresses. It
// uses plain operators only: the index behind advanced queries lags, and a look-up
// that misses somebody leads to a second invitation.
// https://learn.microsoft.com/graph/aad-advanced-queries
func addressFilter(addresses []string) string {
	quoted := make([]string, len(addresses))
	for i, a := range addresses {
		quoted[i] = literal(a)
	}
	in := "(" + strings.Join(quoted, ",") + ")"
	terms := []string{"userPrincipalName in " + in, "mail in " + in}
	for i, a := range addresses {
		terms = append(terms, "otherMails/any(x:x eq "+quoted[i]+")",
			"proxyAddresses/any(x:x eq "+literal("SMTP:"+a)+")",
			"proxyAddresses/any(x:x eq "+literal("smtp:"+a)+")")
	}
	return strings.Join(terms, " or ")
}

// lookupIn returns the users under a collection that hold one of the addresses,
// each once.
func (c *Client) lookupIn(ctx context.Context, m *Meter, what call, collection string, addresses, selects []string) ([]directory.Object, error) {
	var filters []string
	for _, some := range chunks(distinct(addresses), lookupTerms/termsPerAddress) {
		filters = append(filters, addressFilter(some))
	}
	return c.filtered(ctx, m, what, collection, filters, selects)
}

// filtered returns the users under a collection that pass one of the filters,
// each once.
func (c *Client) filtered(ctx context.Context, m *Meter, what call, collection string, filters, selects []string) ([]directory.Object, error) {
	var items []*fetch
	for _, filter := range filters {
		items = append(items, &fetch{what: what, path: collection + "?" + selectOf(selects, false) + "&$filter=" + query(filter)})
	}
	if err := c.fetchAll(ctx, m, items); err != nil {
		return nil, err
	}
	found := newFinds()
	for _, f := range items {
		if f.err != nil {
			return nil, f.err
		}
		ans := answer{header: f.reply.header}
		page, err := decodePage(f.reply.body, selects)
		if err != nil {
			return nil, c.malformed(what, ans, err)
		}
		found.add(page.Objects, selects)
		if page.Next == "" {
			continue
		}
		if err := c.checkLinks(what, page.Next, ""); err != nil {
			return nil, err
		}
		if err := c.eachPage(ctx, m, what, page.Next, selects, found.add); err != nil {
			return nil, err
		}
	}
	return found.objects, nil
}

// eachPage follows a plain list to its end.
func (c *Client) eachPage(ctx context.Context, m *Meter, what call, link string, selects []string, use func([]directory.Object, []string)) error {
	for passed := new(trail); link != ""; {
		ans, page, err := c.usersPage(ctx, m, what, link, selects)
		if err != nil {
			return err
		}
		if !passed.step(link, page.Next) {
			return c.malformed(what, ans, errCircle)
		}
		use(page.Objects, selects)
		link = page.Next
	}
	return nil
}

// finds collects objects, each id once.
type finds struct {
	objects []directory.Object
	have    map[string]bool
}

func newFinds() *finds { return &finds{objects: []directory.Object{}, have: map[string]bool{}} }

func (f *finds) add(objects []directory.Object, selects []string) {
	for _, o := range objects {
		if !f.have[o.ID] {
			f.have[o.ID] = true
			complete(&o, selects)
			f.objects = append(f.objects, o)
		}
	}
}

// distinct returns the addresses without blanks and repetitions.
func distinct(addresses []string) []string {
	out := make([]string, 0, len(addresses))
	for _, a := range addresses {
		if a = strings.TrimSpace(a); a != "" && !slices.ContainsFunc(out, func(b string) bool { return strings.EqualFold(a, b) }) {
			out = append(out, a)
		}
	}
	return out
}

// withAddresses returns selects and the properties an address can stand in.
func withAddresses(selects []string) []string {
	out := append(slices.Clone(selects), "userPrincipalName", "mail", "otherMails", "proxyAddresses")
	slices.Sort(out)
	return slices.Compact(out)
}

// Lookup returns the users that hold one of the addresses as user principal
// name, mail, other mail or SMTP proxy address; each once, in no order.
func (t *Target) Lookup(ctx context.Context, addresses []string, selects []string) ([]directory.Object, error) {
	return t.c.lookupIn(ctx, t.m, callLookup, "/users", addresses, selects)
}

// LookupBy returns the users whose attribute, by its Graph name, has one of the
// values; each once, in no order.
func (t *Target) LookupBy(ctx context.Context, attribute string, values, selects []string) ([]directory.Object, error) {
	var filters []string
	for _, some := range chunks(distinct(values), lookupTerms) {
		filters = append(filters, valueFilter(attribute, some))
	}
	return t.c.filtered(ctx, t.m, callLookup, "/users", filters, selects)
}

// valueFilter returns a $filter for users whose attribute has one of the values.
func valueFilter(attribute string, values []string) string {
	terms := make([]string, len(values))
	if collections[attribute] {
		for i, v := range values {
			terms[i] = attribute + "/any(x:x eq " + literal(v) + ")"
		}
		return strings.Join(terms, " or ")
	}
	if isOpen(attribute) {
		// Graph documents eq for directory extensions, and no in.
		for i, v := range values {
			terms[i] = attribute + " eq " + literal(v)
		}
		return strings.Join(terms, " or ")
	}
	for i, v := range values {
		terms[i] = literal(v)
	}
	if holder := holderOf(attribute); holder != "" {
		attribute = holder + "/" + attribute
	}
	return attribute + " in (" + strings.Join(terms, ",") + ")"
}

const deletedUsers = "/directory/deletedItems/microsoft.graph.user"

// DeletedLookup is Lookup among the users in the recycle bin. Where the service
// takes no filter there, all of them are read.
func (t *Target) DeletedLookup(ctx context.Context, addresses []string, selects []string) ([]directory.Object, error) {
	if !t.c.binUnfiltered.Load() {
		found, err := t.c.lookupIn(ctx, t.m, callDeletedFind, deletedUsers, addresses, selects)
		if directory.KindOf(err) != directory.Invalid {
			return found, err
		}
		t.c.binUnfiltered.Store(true)
	}
	all := withAddresses(selects)
	found := newFinds()
	link := t.c.graph + deletedUsers + "?" + selectOf(all, false) + "&$top=999"
	err := t.c.eachPage(ctx, t.m, callDeletedFind, link, all, func(objects []directory.Object, _ []string) {
		for _, o := range objects {
			if holdsOne(o, addresses) {
				found.add([]directory.Object{o}, all)
			}
		}
	})
	return found.objects, err
}

func holdsOne(o directory.Object, addresses []string) bool {
	held := o.Addresses()
	return slices.ContainsFunc(addresses, func(a string) bool { return slices.Contains(held, directory.NormalAddress(a)) })
}

// Find returns the users a person may mean by a text: the one with this object
// id or user principal name, else those with this mail, else those with this
// display name.
func (s *Source) Find(ctx context.Context, text string, selects []string) ([]directory.Object, error) {
	text = strings.TrimSpace(text)
	if _, err := segment(text); err == nil {
		found, err := s.Users(ctx, []string{text}, selects)
		if err != nil {
			return nil, err
		}
		switch directory.KindOf(found[0].Err) {
		case directory.NotFound, directory.Invalid: // an odd text is refused as an id
		default:
			if found[0].Err != nil {
				return nil, found[0].Err
			}
			return []directory.Object{found[0].Object}, nil
		}
	}
	if text == "" {
		return []directory.Object{}, nil
	}
	for _, property := range []string{"mail", "displayName"} {
		found := newFinds()
		filter := query(fmt.Sprintf("%s eq %s", property, literal(text)))
		link := s.c.graph + "/users?" + selectOf(selects, false) + "&$filter=" + filter
		if err := s.c.eachPage(ctx, s.m, callFind, link, selects, found.add); err != nil {
			return nil, err
		}
		if len(found.objects) > 0 {
			return s.withManagers(ctx, found.objects, selects)
		}
	}
	return []directory.Object{}, nil
}

// withManagers reads the objects once more where the list could not carry all
// that was asked for.
func (s *Source) withManagers(ctx context.Context, objects []directory.Object, selects []string) ([]directory.Object, error) {
	if !slices.Contains(selects, "manager") {
		return objects, nil
	}
	ids := make([]string, len(objects))
	for i, o := range objects {
		ids[i] = o.ID
	}
	found, err := s.Users(ctx, ids, selects)
	if err != nil {
		return nil, err
	}
	out := objects[:0]
	for _, f := range found {
		if f.Err == nil {
			out = append(out, f.Object)
		}
	}
	return out, nil
}
