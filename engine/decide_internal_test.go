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

var (
	active   = []sourceState{sourceActive}
	disabled = []sourceState{sourceDisabled}
	wanted   = []sourceState{sourceActive, sourceDisabled}
	unwanted = []sourceState{sourceOutOfScope, sourceGone}
	linked   = []linkState{linkActive, linkHeld, linkRetained}
	anywhere = []targetState{targetPresent, targetBin, targetGone, targetInternal}
)

// decisionRow stands for every combination of its states under every policy that
// when says yes to, nil to all of them.
type decisionRow struct {
	row    string
	source []sourceState
	link   []linkState
	target []targetState
	when   func(p policy) bool
	want   decision
}

func (r *decisionRow) has(s sourceState, l linkState, t targetState) bool {
	return slices.Contains(r.source, s) && slices.Contains(r.link, l) && slices.Contains(r.target, t)
}

func mayCreate(p policy) bool { return p.actions.Create }
func mayRemove(p policy) bool { return p.actions.Delete && p.deprovision != DeprovisionNone }
func notDue(p policy) bool    { return p.deprovision == DeprovisionDisable && !p.deleteDue }
func undelete(p policy) bool  { return p.undelete }
func newEvent(p policy) bool  { return p.newEvent }

func not(f func(p policy) bool) func(p policy) bool { return func(p policy) bool { return !f(p) } }

func all(list ...func(p policy) bool) func(p policy) bool {
	return func(p policy) bool {
		return !slices.ContainsFunc(list, func(f func(p policy) bool) bool { return f != nil && !f(p) })
	}
}

// leaving are the rows of users who left and are linked.
func leaving() []decisionRow {
	deletes := func(p policy) bool { return p.deprovision == DeprovisionDelete }
	present := []targetState{targetPresent}
	link := []linkState{linkActive}
	return []decisionRow{
		{"26 out of scope, gone active present deprovision delete delete, after the guard",
			unwanted, link, present, all(mayRemove, deletes), decision{action: actDelete}},
		{"27 out of scope, gone active present deprovision disable disable, after the guard",
			unwanted, link, present, all(mayRemove, notDue), decision{action: actDisable}},
		{"28 out of scope, gone active present disable, due delete, after the guard",
			unwanted, link, present, all(mayRemove, not(deletes), not(notDue)), decision{action: actDelete}},
		{"29 out of scope, gone active present none, or no delete none",
			unwanted, link, present, not(mayRemove), decision{action: actNone}},
		{"30 out of scope, gone active internal fail InvalidAnchor",
			unwanted, link, []targetState{targetInternal}, nil, decision{actFail, CodeInvalidAnchor}},
		{"31 out of scope, gone active bin, gone forget the link",
			unwanted, link, []targetState{targetBin, targetGone}, nil, decision{action: actUnlink}},
	}
}

// decisionTable has the rows of decide's comment, in its order and with its
// words. One that refers to others is there again for each of them.
func decisionTable() []decisionRow {
	anew := decision{action: actCreate}
	refused := decision{actSkip, CodeActionNotAllowed}
	update := decision{action: actUpdate}
	restore := decision{action: actRestore}
	foreign := decision{actSkip, CodeDeletedInTarget}
	nothing := decision{action: actNone}
	list := func(l ...linkState) []linkState { return l }
	at := func(t ...targetState) []targetState { return t }
	table := []decisionRow{
		{"1 active none – create create", active, list(linkNone), anywhere, mayCreate, anew},
		{"2 active none – no create skip ActionNotAllowed", active, list(linkNone), anywhere, not(mayCreate), refused},
		{"3 disabled none – skip NotEffectivelyEntitled", disabled, list(linkNone), anywhere, nil, decision{actSkip, CodeNotEffectivelyEntitled}},
		{"4 out of scope, gone none – none", unwanted, list(linkNone), anywhere, nil, nothing},
		{"5 active, disabled matched present adopt, update what differs", wanted, list(linkMatched), at(targetPresent), nil, decision{action: actAdopt}},
		{"6 active, disabled matched internal fail (by matching)", wanted, list(linkMatched), at(targetInternal), nil, decision{actFail, CodeAmbiguousUser}},
		{"7 out of scope, gone matched any none", unwanted, list(linkMatched), anywhere, nil, nothing},
		{"8 active, disabled active present update what differs", wanted, list(linkActive), at(targetPresent), nil, update},
		{"9 active, disabled active internal fail InvalidAnchor", wanted, list(linkActive), at(targetInternal), nil, decision{actFail, CodeInvalidAnchor}},
		{"10 active, disabled linked bin skip DeletedInTarget", wanted, linked, at(targetBin), not(undelete), foreign},
		{"11 active, disabled linked bin restore asked for restore", wanted, linked, at(targetBin), undelete, restore},
		{"12 active linked gone create anew, as 1 and 2", active, linked, at(targetGone), mayCreate, anew},
		{"12 active linked gone create anew, as 1 and 2", active, linked, at(targetGone), not(mayCreate), refused},
		{"13 disabled linked gone forget the link", disabled, linked, at(targetGone), nil, decision{action: actUnlink}},
		{"14 active, disabled held present release, update what differs", wanted, list(linkHeld), at(targetPresent), nil, decision{action: actRelease}},
		{"15 active, disabled retained present update what differs", wanted, list(linkRetained), at(targetPresent), nil, update},
		{"16 active deleted bin restore, update what differs", active, list(linkDeleted), at(targetBin), nil, restore},
		{"17 active deleted gone create anew, as 1 and 2", active, list(linkDeleted), at(targetGone), mayCreate, anew},
		{"17 active deleted gone create anew, as 1 and 2", active, list(linkDeleted), at(targetGone), not(mayCreate), refused},
		{"18 disabled deleted bin, gone none", disabled, list(linkDeleted), at(targetBin, targetGone), nil, nothing},
		{"19 active, disabled deleted present update what differs (restored by hand)", wanted, list(linkDeleted), at(targetPresent), nil, update},
		{"20 active, disabled missing bin skip DeletedInTarget", wanted, list(linkMissing), at(targetBin), not(undelete), foreign},
		{"21 active, disabled missing bin restore asked for restore", wanted, list(linkMissing), at(targetBin), undelete, restore},
		{"22 active missing gone create anew, as 1 and 2", active, list(linkMissing), at(targetGone), mayCreate, anew},
		{"22 active missing gone create anew, as 1 and 2", active, list(linkMissing), at(targetGone), not(mayCreate), refused},
		{"23 disabled missing gone none", disabled, list(linkMissing), at(targetGone), nil, nothing},
		{"24 active, disabled missing present update what differs (restored by hand)", wanted, list(linkMissing), at(targetPresent), nil, update},
		{"25 active, disabled others internal fail InvalidAnchor", wanted, list(linkHeld, linkRetained, linkDeleted, linkMissing), at(targetInternal), nil,
			decision{actFail, CodeInvalidAnchor}},
	}
	table = append(table, leaving()...)
	table = append(table, decisionRow{"32 out of scope, gone held any none (stays held)", unwanted, list(linkHeld), anywhere, nil, nothing})
	const retained = "33 out of scope, gone retained any none, or as 26–31 after a new event"
	table = append(table, decisionRow{retained, unwanted, list(linkRetained), anywhere, not(newEvent), nothing})
	for _, r := range leaving() {
		table = append(table, decisionRow{retained, r.source, list(linkRetained), r.target, all(newEvent, r.when), r.want})
	}
	return append(table,
		decisionRow{"34 out of scope, gone deleted any none", unwanted, list(linkDeleted), anywhere, nil, nothing},
		decisionRow{"35 out of scope, gone missing any none", unwanted, list(linkMissing), anywhere, nil, nothing})
}

// policies are all there are.
func policies() []policy {
	var list []policy
	for bits := range 1 << 6 {
		is := func(n int) bool { return bits>>n&1 == 1 }
		for _, d := range []Deprovision{DeprovisionDelete, DeprovisionDisable, DeprovisionNone} {
			list = append(list, policy{actions: Actions{Create: is(0), Update: is(1), Delete: is(2)},
				deprovision: d, deleteDue: is(3), newEvent: is(4), undelete: is(5)})
		}
	}
	return list
}

// Every combination of states and policy that there is falls into exactly one
// row, and decide says what this row says. No row is idle, and the condition of
// every row that has one is met and not met.
func TestDecisionTable(t *testing.T) {
	table := decisionTable()
	met, unmet := make([]int, len(table)), make([]int, len(table))
	for _, s := range slices.Concat(wanted, unwanted) {
		for l := linkNone; l <= linkMissing; l++ {
			for _, at := range anywhere {
				if l == linkMatched && slices.Contains(wanted, s) && (at == targetBin || at == targetGone) {
					continue // does not occur
				}
				for _, p := range policies() {
					var rows []string
					for i := range table {
						r := &table[i]
						switch {
						case !r.has(s, l, at):
							continue
						case r.when != nil && !r.when(p):
							unmet[i]++
							continue
						}
						met[i]++
						rows = append(rows, r.row)
						if got := decide(s, l, at, p); got != r.want {
							t.Fatalf("row %s: decide(%d, %d, %d, %+v): got %+v, want %+v", r.row, s, l, at, p, got, r.want)
						}
					}
					if len(rows) != 1 {
						t.Fatalf("decide(%d, %d, %d, %+v): got the rows %q, want one", s, l, at, p, rows)
					}
				}
			}
		}
	}
	for i, r := range table {
		if met[i] == 0 || r.when != nil && unmet[i] == 0 {
			t.Errorf("row %s: its condition is met %d times and not met %d times", r.row, met[i], unmet[i])
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
	for _, r := range decisionTable() {
		tested = append(tested, r.row)
	}
	if diff := cmp.Diff(comment, slices.Compact(tested)); diff != "" {
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
