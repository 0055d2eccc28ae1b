package reliability_test

// defect is a fault that is planted into a copy of the program, to see that the
// simulation is not blind to it.
type defect struct {
	name     string
	sentence string // what the program does with it
	edits    []edit
}

// edit replaces the one place in a file where old stands.
type edit struct{ file, old, new string }

// defects are the faults that the simulation has to catch. A fault that two parts
// of the program guard against is planted into both.
var defects = []defect{
	{"guardSkipped", "The guard lets everything through", []edit{
		{"engine/guarding.go", "w.ruling = guard(w.census, c.job)", "w.ruling = ruling{}"}}},
	{"intentDropped", "No intent is left before an invitation", []edit{
		{"engine/create.go", "b.PutIntents = append(b.PutIntents, store.Intent{Job: c.job.Name, SourceID: ch.o.ID, Address: ch.address, Began: now()})", ""}}},
	{"watermarkEarly", "The watermark moves when the source is read, before its changes are carried over", []edit{
		{"engine/stage.go", "stage.Cursor, stage.Watermark = page.Next, page.Watermark\n", "stage.Cursor, stage.Watermark = page.Next, page.Watermark\n\tif page.Watermark != \"\" {\n\t\tc.rec.Watermark = page.Watermark\n\t\tc.rec.Query, c.rec.Rules, c.rec.NeedInitial = c.rec.Stage.Query, c.job.Rules, false\n\t}\n"}}},
	{"absentIsNull", "What a delta record does not mention counts as cleared", []edit{
		{"engine/stage.go", "case !c.initial && c.lacks(o):", "case false && c.lacks(o):"}}},
	{"linkRepointedByMail", "A match on an address takes a target user that is linked to somebody else", []edit{
		{"engine/match.go", "if c.linked != \"\" && c.linked != sourceID {", "if false {"},
		{"engine/create.go", "l.SourceID != ch.o.ID && l.State != store.LinkDeleted {", "l.SourceID != ch.o.ID && l.State > store.LinkMissing {"}}},
	{"lostAnswerIsSuccess", "A write whose answer was lost counts as done", []edit{
		{"entra/write.go", "\t\tpause, more := item.p.next(directory.Transient, cause.RetryAfter, jitter)\n\t\tt.retry(item, cause, pause, more)\n\t}\n}\n\n// refused handles", "\t\t_ = jitter\n\t\titem.finish(nil)\n\t}\n}\n\n// refused handles"}}},
	{"retryAfterIgnored", "Retry-After of a whole answer is not waited for", []edit{
		{"entra/budget.go", "if until := now.Add(retryAfter); until.After(b.paused) {", "if until := now.Add(retryAfter); false {"},
		{"entra/retry.go", "if until := time.Now().Add(d); until.After(l.until) {", "if until := time.Now().Add(d); false {"},
		{"entra/retry.go", "\tcase pause > 0:\n", "\tcase pause > 0:\n\t\tpause = time.Millisecond\n"}}},
	{"budgetIgnored", "The write budget grants ten times what is set", []edit{
		{"entra/budget.go", "return max(1, int(float64(b.full)*b.share+1e-9))", "return max(1, int(float64(10*b.full)*b.share+1e-9))"}}},
	{"deleteUnconfirmed", "A source user is not read again before the delete", []edit{
		{"engine/confirm.go", "if x.approved || len(part) == 0 {", "if true {"}}},
	{"writeBeforeRead", "Deletes go out before the source has been read to its end", []edit{
		{"engine/read.go", "for stage.Watermark == \"\" {\n", "for stage.Watermark == \"\" && stage.Pages < 1 {\n"},
		{"engine/confirm.go", "if x.approved || len(part) == 0 {", "if true {"}}},
	{"createOnlyRewritten", "Create-only attributes are written with every update", []edit{
		{"engine/update.go", "in := mapping.Input{Source: o.Attributes, Flow: mapping.Update,", "in := mapping.Input{Source: o.Attributes, Flow: mapping.Create,"}}},
	{"internalAdopted", "An internal account of the target is taken over by its address", []edit{
		{"engine/match.go", "if !isExternal(c.object, target) {\n\t\t\tcontinue", "if false {\n\t\t\tcontinue"},
		{"engine/match.go", "if trusted && source.Verified(directory.Domain(address)) {", "if source.Verified(directory.Domain(address)) {"}}},
	{"logForgotten", "An update leaves no entry in the log", []edit{
		{"engine/refused.go", "\tb.Log = append(b.Log, ch.r.done(now()))\n", "\tif ch.created {\n\t\tb.Log = append(b.Log, ch.r.done(now()))\n\t}\n"}}},
	{"restoreForgotten", "Who comes back is invited anew, and the deleted target user stays in the recycle bin", []edit{
		{"engine/judge.go", "if state == linkDeleted && d.action == actRestore ||", "if state == linkDeleted && d.action == actRestore {\n\t\tb.DropLinks = append(b.DropLinks, j.link.Key())\n\t\tw.creates = append(w.creates, &item{id: j.o.ID, at: j.at, act: actCreate})\n\t\treturn nil\n\t}\n\tif "}}},
	{"managerForgotten", "A manager who is linked later is not set", []edit{
		{"engine/update.go", "if want != l.ManagerSource {\n\t\treturn true\n\t}\n\treturn want == \"\" && l.ManagerTarget != \"\"", "return want != l.ManagerSource && l.ManagerSource == \"\" && want == \"\""}}},
}
