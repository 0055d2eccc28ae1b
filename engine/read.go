package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"go.uber.org/zap"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/store"
)

// maxPages bounds one round: far more than the largest directory needs.
const maxPages = 200_000

// groupsPerRound is how many groups one delta query may name.
const groupsPerRound = 50

// sourceSelects returns the attributes to read of source users: those of the
// mappings and filters of every job of the pair (so that each can judge for the
// others), and those the engine itself needs.
func (e *Engine) sourceSelects(j *Job) []string {
	set := map[string]bool{}
	for _, n := range []string{attrAccountEnabled, attrUPN, attrDisplayName, attrMail, attrProxyAddresses,
		attrUserType, attrExternalState, attrIdentities} {
		set[n] = true
	}
	for _, r := range e.all() {
		if r.job.Pair != j.Pair {
			continue
		}
		for _, n := range r.job.Scope.Filter.Attributes() {
			set[n] = true
		}
	}
	for _, n := range j.Mapping.SourceAttributes() {
		if n != attribute.AppRoles {
			set[n] = true
		}
	}
	return sortedNames(set)
}

// targetSelects returns the attributes to read of target users.
func targetSelects(j *Job) []string {
	set := map[string]bool{}
	for _, n := range []string{attrAccountEnabled, attrUPN, attrDisplayName, attrMail, attrOtherMails, attrProxyAddresses,
		attrUserType, attrExternalState, attrCreationType, attrIdentities, attrOnPremisesSync} {
		set[n] = true
	}
	for _, n := range j.targetAttributes() {
		set[n] = true
	}
	for _, m := range j.Mapping.Matching() {
		set[m.Target] = true
	}
	return sortedNames(set)
}

func sortedNames(set map[string]bool) []string {
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// queryHash names what a watermark was read with.
func queryHash(selects []string) string {
	sum := sha256.Sum256([]byte(strings.Join(selects, ",")))
	return hex.EncodeToString(sum[:8])
}

// namedGroup marks users named in the configuration among the assigned ones.
const namedGroup = "users"

// readUsers reads the delta round over users, page by page; a page is staged in
// the commit that saves its link, so that a stop resumes there.
func (c *cycle) readUsers(ctx context.Context) error {
	c.phase("reading " + c.job.SourceName)
	stage := c.rec.Stage
	restarted := false
	for stage.Watermark == "" {
		page, err := c.job.Source.Changes(ctx, c.selects, stage.Cursor)
		if err != nil && directory.KindOf(err) == directory.WatermarkExpired {
			if err := c.restartRound(ctx, &restarted); err != nil {
				return err
			}
			stage = c.rec.Stage
			continue
		}
		if err != nil {
			return err
		}
		if len(page.Objects) > 0 { // of the right tenant, before anything is kept of it
			if _, err := c.sourceTenant(ctx); err != nil {
				return err
			}
		}
		if err := c.stagePage(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// restartRound answers a link that is no longer accepted: in the middle of a
// round the stage is dropped and the round begun again from its watermark; a
// watermark that is refused makes the cycle an initial one.
func (c *cycle) restartRound(ctx context.Context, restarted *bool) error {
	begin := c.rec.Watermark
	if c.initial || *restarted || c.rec.Stage.Cursor == c.rec.Watermark {
		if begin == "" && *restarted {
			return errors.New("the source tenant refuses the links of its own delta round")
		}
		begin = ""
		c.initial = true
		c.cyc.Initial = true
	}
	*restarted = true
	c.log.Info("delta link refused, round begun again", zap.Bool("initial", begin == ""))
	c.pos, c.partial, c.incomplete, c.tombstones = map[idKey]position{}, map[idKey][]position{}, nil, nil
	c.rec.Stage.Initial, c.rec.Stage.Cursor, c.rec.Stage.Pages = c.initial, begin, 0
	return c.st.Apply(ctx, &store.Batch{DropStage: c.job.Name, Jobs: []store.Job{c.rec}, Cycles: []store.Cycle{c.cyc}})
}
