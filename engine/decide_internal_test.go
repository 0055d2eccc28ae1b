package engine

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// everything is a policy that forbids nothing.
var everything = policy{actions: Actions{Create: true, Update: true, Delete: true}}

// with returns everything with one thing changed.
func with(edit func(p *policy)) policy {
	p := everything
	edit(&p)
	return p
}

var (
	wanted   = []sourceState{sourceActive, sourceDisabled}
	unwanted = []sourceState{sourceOutOfScope, sourceGone}
	anywhere = []targetState{targetPresent, targetBin, targetGone, targetInternal}
)

// decisionTable has a row for every row of decide's comment, in its order and
// with its words. A row stands for every combination of its states.
var decisionTable = []struct {
	row    string
	source []sourceState
	link   []linkState
	target []targetState
	policy policy
	want   decision
}{
	{"1 active none – create create",
		[]sourceState{sourceActive}, []linkState{linkNone}, anywhere, everything, decision{action: actCreate}},
	{"2 active none – no create skip ActionNotAllowed",
		[]sourceState{sourceActive}, []linkState{linkNone}, anywhere, with(func(p *policy) { p.actions.Create = false }), decision{actSkip, CodeActionNotAllowed}},
	{"3 disabled none – skip NotEffectivelyEntitled",
		[]sourceState{sourceDisabled}, []linkState{linkNone}, anywhere, everything, decision{actSkip, CodeNotEffectivelyEntitled}},
	{"4 out of scope, gone none – none",
		unwanted, []linkState{linkNone}, anywhere, everything, decision{action: actNone}},
	{"5 active, disabled matched present update adopt, update what differs",
		wanted, []linkState{linkMatched}, []targetState{targetPresent}, everything, decision{action: actAdopt}},
	{"6 active, disabled matched internal fail (by matching)",
		wanted, []linkState{linkMatched}, []targetState{targetInternal}, everything, decision{actFail, CodeAmbiguousUser}},
	{"7 out of scope, gone matched any none",
		unwanted, []linkState{linkMatched}, anywhere, everything, decision{action: actNone}},
	{"8 active, disabled active present update what differs",
		wanted, []linkState{linkActive}, []targetState{targetPresent}, everything, decision{action: actUpdate}},
	{"9 active, disabled active internal fail InvalidAnchor",
		wanted, []linkState{linkActive}, []targetState{targetInternal}, everything, decision{actFail, CodeInvalidAnchor}},
	{"10 active, disabled active bin skip DeletedInTarget",
		wanted, []linkState{linkActive}, []targetState{targetBin}, everything, decision{actSkip, CodeDeletedInTarget}},
	{"11 active, disabled active bin restore asked for restore",
		wanted, []linkState{linkActive}, []targetState{targetBin}, with(func(p *policy) { p.undelete = true }), decision{action: actRestore}},
	{"12 active active gone create anew",
		[]sourceState{sourceActive}, []linkState{linkActive}, []targetState{targetGone}, everything, decision{action: actCreate}},
	{"13 disabled active gone forget the link",
		[]sourceState{sourceDisabled}, []linkState{linkActive}, []targetState{targetGone}, everything, decision{action: actUnlink}},
	{"14 active, disabled held present release, update what differs",
		wanted, []linkState{linkHeld}, []targetState{targetPresent}, everything, decision{action: actRelease}},
	{"15 active, disabled retained present update what differs",
		wanted, []linkState{linkRetained}, []targetState{targetPresent}, everything, decision{action: actUpdate}},
	{"16 active deleted bin restore, update what differs",
		[]sourceState{sourceActive}, []linkState{linkDeleted}, []targetState{targetBin}, everything, decision{action: actRestore}},
	{"17 active deleted gone create anew",
		[]sourceState{sourceActive}, []linkState{linkDeleted}, []targetState{targetGone}, everything, decision{action: actCreate}},
	{"18 disabled deleted bin, gone none",
		[]sourceState{sourceDisabled}, []linkState{linkDeleted}, []targetState{targetBin, targetGone}, everything, decision{action: actNone}},
	{"19 active, disabled deleted present update what differs (restored by hand)",
		wanted, []linkState{linkDeleted}, []targetState{targetPresent}, everything, decision{action: actUpdate}},
	{"20 active, disabled missing bin skip DeletedInTarget",
		wanted, []linkState{linkMissing}, []targetState{targetBin}, everything, decision{actSkip, CodeDeletedInTarget}},
	{"21 active, disabled missing bin restore asked for restore",
		wanted, []linkState{linkMissing}, []targetState{targetBin}, with(func(p *policy) { p.undelete = true }), decision{action: actRestore}},
	{"22 active missing gone create anew",
		[]sourceState{sourceActive}, []linkState{linkMissing}, []targetState{targetGone}, everything, decision{action: actCreate}},
	{"23 disabled missing gone none",
		[]sourceState{sourceDisabled}, []linkState{linkMissing}, []targetState{targetGone}, everything, decision{action: actNone}},
	{"24 active, disabled missing present update what differs (restored by hand)",
		wanted, []linkState{linkMissing}, []targetState{targetPresent}, everything, decision{action: actUpdate}},
	{"25 active, disabled others internal fail InvalidAnchor",
		wanted, []linkState{linkHeld, linkRetained, linkDeleted, linkMissing}, []targetState{targetInternal}, everything, decision{actFail, CodeInvalidAnchor}},
	{"26 out of scope, gone active present deprovision delete delete, after the guard",
		unwanted, []linkState{linkActive}, []targetState{targetPresent}, everything, decision{action: actDelete}},
	{"27 out of scope, gone active present deprovision disable disable, after the guard",
		unwanted, []linkState{linkActive}, []targetState{targetPresent}, with(func(p *policy) { p.deprovision = DeprovisionDisable }), decision{action: actDisable}},
	{"28 out of scope, gone active present disable, due delete, after the guard",
		unwanted, []linkState{linkActive}, []targetState{targetPresent}, with(func(p *policy) { p.deprovision, p.deleteDue = DeprovisionDisable, true }), decision{action: actDelete}},
	{"29 out of scope, gone active present none, or no delete none",
		unwanted, []linkState{linkActive}, []targetState{targetPresent}, with(func(p *policy) { p.deprovision = DeprovisionNone }), decision{action: actNone}},
	{"30 out of scope, gone active internal fail InvalidAnchor",
		unwanted, []linkState{linkActive}, []targetState{targetInternal}, everything, decision{actFail, CodeInvalidAnchor}},
	{"31 out of scope, gone active bin, gone forget the link",
		unwanted, []linkState{linkActive}, []targetState{targetBin, targetGone}, everything, decision{action: actUnlink}},
	{"32 out of scope, gone held any none (stays held)",
		unwanted, []linkState{linkHeld}, anywhere, everything, decision{action: actNone}},
	{"33 out of scope, gone retained present none, or as 26–29 after a new event",
		unwanted, []linkState{linkRetained}, []targetState{targetPresent}, everything, decision{action: actNone}},
	{"34 out of scope, gone deleted any none",
		unwanted, []linkState{linkDeleted}, anywhere, everything, decision{action: actNone}},
	{"35 out of scope, gone missing any none",
		unwanted, []linkState{linkMissing}, anywhere, everything, decision{action: actNone}},
}

func TestDecisionTable(t *testing.T) {
	for _, r := range decisionTable {
		for _, s := range r.source {
			for _, l := range r.link {
				for _, at := range r.target {
					if got := decide(s, l, at, r.policy); got != r.want {
						t.Errorf("row %s: decide(%d, %d, %d): got %+v, want %+v", r.row, s, l, at, got, r.want)
					}
				}
			}
		}
	}
}

// The variants that a row describes with "or".
func TestDecisionTableVariants(t *testing.T) {
	noDelete := with(func(p *policy) { p.actions.Delete = false })
	anew := with(func(p *policy) { p.newEvent = true })
	anewDisable := with(func(p *policy) { p.newEvent, p.deprovision = true, DeprovisionDisable })
	for _, c := range []struct {
		name string
		s    sourceState
		l    linkState
		t    targetState
		p    policy
		want decision
	}{
		{"29, deletes not allowed", sourceOutOfScope, linkActive, targetPresent, noDelete, decision{action: actNone}},
		{"33, a new event, delete", sourceGone, linkRetained, targetPresent, anew, decision{action: actDelete}},
		{"33, a new event, disable", sourceGone, linkRetained, targetPresent, anewDisable, decision{action: actDisable}},
		{"33, a new event, internal", sourceGone, linkRetained, targetInternal, anew, decision{actFail, CodeInvalidAnchor}},
		{"12, creates not allowed", sourceActive, linkActive, targetGone, with(func(p *policy) { p.actions.Create = false }), decision{actSkip, CodeActionNotAllowed}},
	} {
		if got := decide(c.s, c.l, c.t, c.p); got != c.want {
			t.Errorf("row %s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// The test has the rows of the comment: a row that is added, dropped or reworded
// in one place only fails here.
func TestDecisionTableHasTheRowsOfTheComment(t *testing.T) {
	raw, err := os.ReadFile("decide.go")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^//\t *[0-9]+  `)
	var comment, tested []string
	for line := range strings.SplitSeq(string(raw), "\n") {
		if row.MatchString(line) {
			comment = append(comment, strings.Join(strings.Fields(strings.TrimPrefix(line, "//")), " "))
		}
	}
	for _, r := range decisionTable {
		tested = append(tested, r.row)
	}
	if diff := cmp.Diff(comment, tested); diff != "" {
		t.Errorf("rows (-comment +test):\n%s", diff)
	}
}

func drawCase(t *rapid.T) (sourceState, linkState, targetState, policy) {
	return rapid.SampledFrom([]sourceState{sourceGone, sourceOutOfScope, sourceDisabled, sourceActive}).Draw(t, "source"),
		linkState(rapid.IntRange(int(linkNone), int(linkMissing)).Draw(t, "link")),
		rapid.SampledFrom(anywhere).Draw(t, "target"),
		policy{actions: Actions{Create: rapid.Bool().Draw(t, "create"), Update: rapid.Bool().Draw(t, "update"), Delete: rapid.Bool().Draw(t, "delete")},
			deprovision: Deprovision(rapid.IntRange(0, 2).Draw(t, "deprovision")),
			deleteDue:   rapid.Bool().Draw(t, "due"), newEvent: rapid.Bool().Draw(t, "new event"), undelete: rapid.Bool().Draw(t, "undelete")}
}

func TestDecideNeverDoesWhatIsForbidden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, l, at, p := drawCase(t)
		got := decide(s, l, at, p)
		is := func(list ...action) bool { return slices.Contains(list, got.action) }
		linked := l == linkActive || l == linkRetained
		switch {
		case s <= sourceOutOfScope && is(actCreate, actAdopt, actUpdate, actRestore, actRelease):
			t.Errorf("out of scope: got %+v", got)
		case is(actDelete, actDisable) && (!linked || s > sourceOutOfScope):
			t.Errorf("removed without a link, or in scope: got %+v", got)
		case is(actDelete, actDisable) && (!p.actions.Delete || p.deprovision == DeprovisionNone):
			t.Errorf("removed against the policy: got %+v", got)
		case at == targetInternal && l != linkNone && is(actAdopt, actUpdate, actRestore, actRelease, actDelete, actDisable):
			t.Errorf("an internal user would be written: got %+v", got)
		case is(actCreate) && (s != sourceActive || !p.actions.Create || l != linkNone && at != targetGone):
			t.Errorf("created without need or leave: got %+v", got)
		case is(actRestore) && (at != targetBin || l != linkDeleted && !p.undelete):
			t.Errorf("restored what is not in the bin, or what somebody else deleted: got %+v", got)
		case is(actFail, actSkip) && got.code == "":
			t.Errorf("no reason: got %+v", got)
		}
	})
}
