package reliability_test

// defect is a fault that is planted into a copy of the program, to see that the
// simulation is not blind to it.
type defect struct {
	name     string
	sentence string // what the program does with it
	edits    []edit
	// but, where it is not 0: the edits from there on only take other fences away,
	// and alone they must not break what the seed breaks.
	but int
}

// edit replaces the one place in a file where old stands.
type edit struct{ file, old, new string }

// defects are the faults that the simulation has to catch. A fault that two parts
// of the program guard against is planted into both.
var defects = []defect{
	{name: "guardSkipped", sentence: "The guard lets everything through", edits: []edit{
		{"engine/guarding.go", "w.ruling = guard(w.census, c.job)", "w.ruling = ruling{}"}}},
	{name: "intentDropped", sentence: "No intent is left before an invitation", edits: []edit{
		{"engine/create.go", "b.PutIntents = append(b.PutIntents, store.Intent{Job: c.job.Name, SourceID: ch.o.ID, Address: ch.address, Began: now()})", ""}}},
	{name: "watermarkEarly", sentence: "The watermark moves when the source is read, before its changes are carried over", edits: []edit{
		{"engine/stage.go", "stage.Cursor, stage.Watermark = page.Next, page.Watermark\n", "stage.Cursor, stage.Watermark = page.Next, page.Watermark\n\tif page.Watermark != \"\" {\n\t\tc.rec.Watermark = page.Watermark\n\t\tc.rec.Query, c.rec.Rules, c.rec.NeedInitial = c.rec.Stage.Query, c.job.Rules, false\n\t}\n"}}},
	{name: "absentIsNull", sentence: "What a delta record does not mention counts as cleared", edits: []edit{
		{"engine/stage.go", "case !c.initial && c.lacks(o):", "case false && c.lacks(o):"}}},
	{name: "linkRepointedByMail", sentence: "A match on an address takes a target user that is linked to somebody else", edits: []edit{
		{"engine/match.go", "if c.linked != \"\" && c.linked != sourceID {", "if false {"},
		{"engine/create.go", "l.SourceID != ch.o.ID && l.State != store.LinkDeleted {", "l.SourceID != ch.o.ID && l.State > store.LinkMissing {"}}},
	{name: "lostAnswerIsSuccess", sentence: "A write whose answer was lost counts as done", edits: []edit{
		{"entra/write.go", "\t\tpause, more := item.p.next(directory.Transient, cause.RetryAfter, jitter)\n\t\tt.retry(item, cause, pause, more)\n\t}\n}\n\n// refused handles", "\t\t_ = jitter\n\t\titem.finish(nil)\n\t}\n}\n\n// refused handles"}}},
	{name: "retryAfterIgnored", sentence: "Retry-After of a whole answer is not waited for", edits: []edit{
		{"entra/budget.go", "if until := now.Add(retryAfter); until.After(b.paused) {", "if until := now.Add(retryAfter); false {"},
		{"entra/retry.go", "if until := time.Now().Add(d); until.After(l.until) {", "if until := time.Now().Add(d); false {"},
		{"entra/retry.go", "\tcase pause > 0:\n", "\tcase pause > 0:\n\t\tpause = time.Millisecond\n"}}},
	{name: "budgetIgnored", sentence: "The write budget grants ten times what is set", edits: []edit{
		{"entra/budget.go", "return max(1, int(float64(b.full)*b.share+1e-9))", "return max(1, int(float64(10*b.full)*b.share+1e-9))"}}},
	{name: "deleteUnconfirmed", sentence: "A source user is not read again before the delete", edits: []edit{
		{"engine/confirm.go", "if x.approved || len(part) == 0 {", "if true {"}}},
	{name: "writeBeforeRead", sentence: "Deletes go out before the source has been read to its end", edits: []edit{
		{"engine/read.go", "for stage.Watermark == \"\" {\n", "for stage.Watermark == \"\" && stage.Pages < 1 {\n"},
		{"engine/confirm.go", "if x.approved || len(part) == 0 {", "if true {"}}, but: 1},
	{name: "createOnlyRewritten", sentence: "Create-only attributes are written with every update", edits: []edit{
		{"engine/update.go", "in := mapping.Input{Source: o.Attributes, Flow: mapping.Update,", "in := mapping.Input{Source: o.Attributes, Flow: mapping.Create,"}}},
	{name: "internalAdopted", sentence: "An internal account of the target is taken over by its address", edits: []edit{
		{"engine/match.go", "if !isExternal(c.object, target) {\n\t\t\tcontinue", "if false {\n\t\t\tcontinue"},
		{"engine/match.go", "if trusted && source.Verified(directory.Domain(address)) {", "if source.Verified(directory.Domain(address)) {"}}},
	{name: "logForgotten", sentence: "An update leaves no entry in the log", edits: []edit{
		{"engine/refused.go", "\tb.Log = append(b.Log, ch.r.done(now()))\n", "\tif ch.created {\n\t\tb.Log = append(b.Log, ch.r.done(now()))\n\t}\n"}}},
	{name: "restoreForgotten", sentence: "Who comes back is invited anew, and the deleted target user stays in the recycle bin", edits: []edit{
		{"engine/judge.go", "if state == linkDeleted && d.action == actRestore ||", "if state == linkDeleted && d.action == actRestore {\n\t\tb.DropLinks = append(b.DropLinks, j.link.Key())\n\t\tw.creates = append(w.creates, &item{id: j.o.ID, at: j.at, act: actCreate})\n\t\treturn nil\n\t}\n\tif "}}},
	{name: "managerForgotten", sentence: "A manager who is linked later is not set", edits: []edit{
		{"engine/update.go", "if want != l.ManagerSource {\n\t\treturn true\n\t}\n\treturn want == \"\" && l.ManagerTarget != \"\"", "return want != l.ManagerSource && l.ManagerSource == \"\" && want == \"\""}}},
	{name: "deleteWithoutLooking", sentence: "A target user is deleted without being read again", edits: []edit{
		{"engine/remove.go", "\t\tif found[i].Err == nil {\n\t\t\tcode, reason = c.job.spares(found[i].Object, target)\n\t\t}\n", "\t\t_ = target\n"}}},
	{name: "blockUndone", sentence: "A block set by hand in the target is undone", edits: []edit{
		{"engine/look.go", "case want && !ch.link.DisabledByJob && !x.c.mayUnblock(ch.o, &ch.link):", "case false:"}}},
	{name: "truncatedPageTrusted", sentence: "A page that ends in the middle of its objects is taken for whole when its link was read", edits: []edit{
		{"entra/decode.go", "\tcase err != nil:\n\t\treturn directory.Page{}, err\n\tcase !seen:", "\tcase err != nil && page.Next == \"\" && page.Watermark == \"\":\n\t\treturn directory.Page{}, err\n\tcase !seen:"}}},
	{name: "linkFollowedElsewhere", sentence: "A link, and with it the token, goes to a host that only begins as the configured one", edits: []edit{
		{"entra/transport.go", "return u.User == nil && u.Opaque == \"\" && originOf(u) == o", "return u.User == nil && u.Opaque == \"\" && strings.HasPrefix(originOf(u).host, o.host)"}}},
	{name: "batchByPosition", sentence: "The answers of a batch are taken by their position instead of their id", edits: []edit{
		{"entra/batch.go", "\t\t\tif out[at-1].present {\n", "\t\t\tfor at = 1; at < n && out[at-1].present; at++ {\n\t\t\t}\n\t\t\tif out[at-1].present {\n"}}},
	{name: "heldDeletionReleased", sentence: "A deletion that waits for approval is judged anew in the next cycle", edits: []edit{
		{"engine/decide.go", "case linkNone, linkMatched, linkHeld, linkDeleted, linkMissing:", "case linkNone, linkMatched, linkDeleted, linkMissing:"}}},
	{name: "deleteAfterIgnored", sentence: "Who was disabled for leaving scope is deleted before deleteAfter is over", edits: []edit{
		{"engine/judge.go", " && elapsed(&c.rec, l.LeftScopeAt, c.began) >= c.job.DeleteAfter", ""},
		{"engine/complete.go", "return e.First.After(c.began) || elapsed(&c.rec, e.First, c.began) >= e.Next.Sub(e.First)", "return true"}}}, {name: "disabledInvited", sentence: "A source user who may not sign in is invited", edits: []edit{
		{"engine/decide.go", "\t\tif s == sourceDisabled {\n\t\t\treturn decision{actSkip, CodeNotEffectivelyEntitled}", "\t\tif false {\n\t\t\treturn decision{actSkip, CodeNotEffectivelyEntitled}"}}},
	{name: "intentsUnsettled", sentence: "What became of writes without an outcome is not looked up", edits: []edit{
		{"engine/intent.go", "\tfor i := range links {\n\t\tif err := s.settle(", "\tfor i := range links[:0] {\n\t\tif err := s.settle("}}},
	{name: "notFoundIsSuccess", sentence: "An update of a user who is not there counts as done", edits: []edit{
		{"entra/write.go", "(kind == directory.Delete || kind == directory.ClearManager) && why.status", "why.status"}}},
	{name: "emptiedScopeIgnored", sentence: "A scope that shrank, to nothing even, holds no deletion", edits: []edit{
		{"engine/guard.go", "case shrunk(c, j.ScopeShrink):", "case false:"}}},
	{name: "oldStateTrusted", sentence: "A state that was put back from a backup is taken for the present one", edits: []edit{
		{"engine/restored.go", "return !c.rec.Restored.IsZero()", "return false"}}},
	{name: "halfRoundTrusted", sentence: "A group round that breaks off after a page is taken for whole", edits: []edit{
		{"engine/members.go", "\t\t\treturn nil, err\n\t\t}\n\t\tfor _, g := range page.Groups {", "\t\t\tif pages > 0 {\n\t\t\t\treturn r, nil\n\t\t\t}\n\t\t\treturn nil, err\n\t\t}\n\t\tfor _, g := range page.Groups {"}}},
	{name: "retriesForgotten", sentence: "What failed is tried again only when somebody asks for it", edits: []edit{
		{"engine/complete.go", "return waited(e.Next, c.began)", "return false"}}},
	{name: "concurrencyIsSuccess", sentence: "An update that met another change (409, 412) counts as done", edits: []edit{
		{"entra/write.go", "\tcase why.kind == directory.Throttled, why.kind == directory.Transient && refusedOutright(why.status):\n", "\tcase why.kind == directory.Transient && refusedOutright(why.status):\n\t\titem.finish(nil)\n\tcase why.kind == directory.Throttled:\n"}}},
	{name: "windowIgnored", sentence: "Deletions of earlier cycles are not added up", edits: []edit{
		{"engine/guard.go", "case j.Window > 0 && c.windowLeavers > 0:", "case false:"}}},
	{name: "staleReadTrusted", sentence: "What is read by id moments after a cycle is believed over what that cycle was told", edits: []edit{
		{"engine/stale.go", "\tif !c.soon {", "\tif true {"}}},
}
