package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tenantsync/directory"
	"tenantsync/mapping"
)

// newcomer is a user who is about to be created, or was left half-created, and
// needs values that nobody else in the target has.
type newcomer struct {
	o        directory.Object
	targetID string // "" before the invitation
}

// chosenValues are the values found for users, by source id and target attribute.
type chosenValues map[string]map[string]directory.Value

// undecided is a newcomer for whom one attribute is still to be chosen.
type undecided struct {
	newcomer
	rule  int
	value string   // the candidate that is being looked up
	tried []string // what was found to be taken, and by whom
}

// choose finds the values that mappings with SelectUniqueValue write to
// newcomers: for each the first rule whose value neither a user of the target has
// nor anybody was promised before. All candidates of a round are looked up
// together; only those that turn out to be taken go into another round. It
// returns why there is none, by source id.
// https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data#selectuniquevalue
func (c *cycle) choose(ctx context.Context, list []newcomer) (map[string]error, error) {
	uniques := c.job.Mapping.Uniques()
	if len(uniques) == 0 {
		return nil, nil
	}
	failed := map[string]error{}
	for _, u := range uniques {
		var open []*undecided
		for _, n := range list {
			if _, done := c.values[n.o.ID][u.Target]; !done && failed[n.o.ID] == nil {
				open = append(open, &undecided{newcomer: n})
			}
		}
		for len(open) > 0 {
			asked := c.candidates(u, open, failed)
			taken, err := c.holders(ctx, u.Target, asked)
			if err != nil {
				return nil, err
			}
			open = c.decide(u, asked, taken)
		}
	}
	return failed, nil
}

// chooseFor chooses for those of the users who were left half-created.
func (c *cycle) chooseFor(ctx context.Context, list []*change) (map[string]error, error) {
	var newcomers []newcomer
	for _, ch := range list {
		if ch.link.Creating && !ch.leaving {
			newcomers = append(newcomers, newcomer{ch.o, ch.link.TargetID})
		}
	}
	return c.choose(ctx, newcomers)
}

// chooseAhead chooses for the users whom a plan creates, in the batches in which
// they would be invited: so it comes to the same values.
func (c *cycle) chooseAhead(ctx context.Context, items []*item) (map[string]error, error) {
	if len(c.job.Mapping.Uniques()) == 0 {
		return nil, nil
	}
	failed := map[string]error{}
	invite := slices.DeleteFunc(slices.Clone(items), func(it *item) bool { return it.code != "" || it.matched() })
	for part := range slices.Chunk(invite, batchSize) {
		newcomers := make([]newcomer, len(part))
		for i, it := range part {
			o, err := c.objectAt(ctx, it.at)
			if err != nil {
				return nil, err
			}
			newcomers[i].o = o
		}
		errs, err := c.choose(ctx, newcomers)
		if err != nil {
			return nil, err
		}
		maps.Copy(failed, errs)
	}
	return failed, nil
}

// candidates moves every user to the next rule that gives a value nobody was
// promised, promises it, and returns those who have one.
func (c *cycle) candidates(u mapping.Unique, open []*undecided, failed map[string]error) []*undecided {
	var asked []*undecided
	for _, n := range open {
		found := false
		for ; n.rule < u.Rules && !found; n.rule++ {
			value, err := c.job.Mapping.Candidate(u, n.rule, n.o.Attributes, c.began)
			if err != nil {
				failed[n.o.ID] = err
				break
			}
			if value == "" {
				continue
			}
			if found = c.promise(u.Target, value, n.o.ID); !found {
				n.tried = append(n.tried, c.takenText(u, value, "another user who is being created"))
				continue
			}
			n.value = value
		}
		switch {
		case found:
			asked = append(asked, n)
		case failed[n.o.ID] == nil:
			failed[n.o.ID] = noUniqueValue{u.Target, n.tried}
		}
	}
	return asked
}

// decide keeps the values that are free and returns the users who need another.
func (c *cycle) decide(u mapping.Unique, asked []*undecided, taken map[string][]directory.Object) []*undecided {
	var open []*undecided
	for _, n := range asked {
		holders := slices.DeleteFunc(slices.Clone(taken[strings.ToLower(n.value)]), func(o directory.Object) bool { return o.ID == n.targetID })
		if len(holders) > 0 {
			c.release(u.Target, n.value, n.o.ID)
			n.tried = append(n.tried, c.takenText(u, n.value, "target user "+holders[0].ID))
			open = append(open, n)
			continue
		}
		if c.values == nil {
			c.values = chosenValues{}
		}
		if c.values[n.o.ID] == nil {
			c.values[n.o.ID] = map[string]directory.Value{}
		}
		c.values[n.o.ID][u.Target] = directory.TextOf(n.value)
	}
	return open
}

// holders returns the target users who have one of the candidates, by the
// candidate in lower case: a directory compares without case. An address can
// stand in several attributes, and a user in the recycle bin still holds it.
func (c *cycle) holders(ctx context.Context, attribute string, asked []*undecided) (map[string][]directory.Object, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	values := make([]string, len(asked))
	for i, n := range asked {
		values[i] = n.value
	}
	out := map[string][]directory.Object{}
	if attribute != attrMail {
		found, err := c.job.Target.LookupBy(ctx, attribute, values, []string{attribute})
		for _, o := range found {
			for _, held := range heldValues(o.Attributes.Get(attribute)) {
				out[held] = append(out[held], o)
			}
		}
		return out, err
	}
	places := []string{attrUPN, attrMail, attrOtherMails, attrProxyAddresses}
	found, err := c.job.Target.Lookup(ctx, values, places)
	if err != nil {
		return nil, err
	}
	deleted, err := c.job.Target.DeletedLookup(ctx, values, places)
	for _, o := range append(found, deleted...) {
		for _, held := range o.Addresses() {
			out[held] = append(out[held], o)
		}
	}
	return out, err
}

// heldValues returns what a user has in an attribute, in lower case.
func heldValues(v directory.Value) []string {
	if members := v.List(); members != nil {
		out := make([]string, len(members))
		for i, m := range members {
			out[i] = strings.ToLower(m)
		}
		return out
	}
	return []string{strings.ToLower(v.String())}
}

// promise gives a value to a source user unless somebody else has been promised
// it. What is only looked at, as a plan does, promises nothing beyond itself.
func (c *cycle) promise(attribute, value, sourceID string) bool {
	p := promised{c.job.Pair.Target, attribute, strings.ToLower(value)}
	who := promisedTo{c.job.Pair.Source, sourceID}
	if c.foreseen == nil {
		return c.engine.promises.give(p, who, now())
	}
	return c.engine.promises.free(p, who, now()) && c.foreseen.give(p, who, now())
}

// release takes back the promise of a value that somebody in the target has.
func (c *cycle) release(attribute, value, sourceID string) {
	p := &c.engine.promises
	if c.foreseen != nil {
		p = c.foreseen
	}
	p.release(promised{c.job.Pair.Target, attribute, strings.ToLower(value)}, promisedTo{c.job.Pair.Source, sourceID})
}

func (c *cycle) takenText(u mapping.Unique, value, by string) string {
	return fmt.Sprintf("%s (%s)", shownCandidate(c.job.Mapping.Hidden(u.Target), value), by)
}

// shownCandidate quotes a value unless something stands for it.
func shownCandidate(hidden, value string) string {
	if hidden != "" {
		return hidden
	}
	return fmt.Sprintf("%q", value)
}

// noUniqueValue says that every candidate for an attribute is taken.
type noUniqueValue struct {
	attribute string
	tried     []string
}

// Error names the candidates and who has them.
func (e noUniqueValue) Error() string {
	if len(e.tried) == 0 {
		return "mapping of " + e.attribute + ": SelectUniqueValue: no rule gives a value"
	}
	return "mapping of " + e.attribute + ": SelectUniqueValue: every candidate is taken: " + strings.Join(e.tried, ", ")
}
