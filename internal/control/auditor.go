package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"tenantsync/engine"
	"tenantsync/store"
)

// The acts that are no method of Service.
const (
	ActConfiguration = "configuration"
	ActDaemonStart   = "daemon start"
	ActDaemonStop    = "daemon stop"
	actRefused       = "control refused"
)

// The outcomes of records.
const (
	outcomeBegun       = "begun"
	outcomeDone        = "done"
	outcomeFailed      = "failed"
	outcomeInterrupted = "interrupted"
	outcomeRefused     = "refused"
)

// Trail keeps the record of administrative acts: the part of a store that it takes.
type Trail interface {
	Apply(ctx context.Context, b *store.Batch) error
	Audit(ctx context.Context, q store.AuditQuery) ([]store.Audit, error)
}

// Auditor writes the record of administrative acts. Each act is recorded before it
// begins, durably, and again with what came of it: an act that cannot be recorded
// is not carried out, and one that a crash cut short shows as begun. It is safe for
// concurrent use.
type Auditor struct {
	trail Trail
	log   *zap.Logger

	mu            sync.Mutex
	configuration Configuration
	noted         bool // the trail says which configuration it is
	requireReason bool
	refusals      map[refusalKey]int
	refusedAt     time.Time // when refusals were last written
}

// refusalKey is what refusals are counted by.
type refusalKey struct{ name, via, code string }

// NewAuditor returns the auditor of one configuration over a store.
func NewAuditor(t Trail, c Configuration, requireReason bool, log *zap.Logger) *Auditor {
	return &Auditor{trail: t, log: log, configuration: c, requireReason: requireReason, refusals: map[refusalKey]int{}}
}

// Record appends records as they are, sealed onto those before them.
func (a *Auditor) Record(ctx context.Context, records ...store.Audit) error {
	b := &store.Batch{Audit: records}
	if err := a.trail.Apply(ctx, b); err != nil {
		return &engine.Error{Class: engine.ClassFailed, Code: "AuditFailed", Message: "the act cannot be recorded, so it is not carried out.",
			Cause: err.Error(), Action: "mend the state file, or make room on its disk", Err: err}
	}
	for i := range b.Audit {
		r := &b.Audit[i]
		// Whoever keeps this line elsewhere can tell later that no record is missing at
		// the end.
		a.log.Info("audit", zap.Uint64("seq", r.Seq), zap.String("actor", r.Actor), zap.String("act", r.Act),
			zap.String("outcome", r.Outcome), zap.String("job", r.Job), zap.String("hash", r.Hash))
	}
	return nil
}

// act is an administrative act under way.
type act struct {
	auditor *Auditor
	record  store.Audit
}

// begin records that an act begins; its error says that it must not.
func (a *Auditor) begin(ctx context.Context, c Caller, what string, need Role, job string, details map[string]string) (*act, error) {
	a.mu.Lock()
	missing := a.requireReason && need >= Approver && strings.TrimSpace(c.Reason) == ""
	hash := a.configuration.Hash
	a.mu.Unlock()
	if missing {
		return nil, &engine.Error{Class: engine.ClassUsage, Code: "ReasonRequired", Message: what + " needs a reason.",
			Cause: "the configuration says control.requireReason: true", Action: "say why: --reason TEXT"}
	}
	if err := a.noteConfiguration(ctx, c.Name, c.Via); err != nil {
		return nil, err
	}
	a.flushRefusals(ctx)
	begun := store.Audit{At: time.Now(), Actor: c.Name, Via: c.Via, Act: what, Outcome: outcomeBegun, Job: job, Reason: c.Reason,
		Details: details, NewHash: hash}
	records := []store.Audit{begun}
	if err := a.Record(ctx, records...); err != nil {
		return nil, err
	}
	return &act{auditor: a, record: records[0]}, nil
}

// end records what came of the act. It returns err, or that the record failed.
func (a *act) end(ctx context.Context, details map[string]string, err error) error {
	if err == nil {
		return a.finish(ctx, outcomeDone, details)
	}
	told, outcome := engine.AsError(err), outcomeFailed
	if told.Class == engine.ClassInterrupted || ctx.Err() != nil {
		outcome = outcomeInterrupted
	}
	_ = a.finish(ctx, outcome, map[string]string{"error": told.Code}) // the error that counts is the act's
	return err
}

// finish records how the act ended; its error says that the record failed.
func (a *act) finish(ctx context.Context, outcome string, details map[string]string) error {
	record := store.Audit{At: time.Now(), Actor: a.record.Actor, Via: a.record.Via, Act: a.record.Act, Outcome: outcome,
		Of: a.record.Seq, Job: a.record.Job, Details: details}
	failed := a.auditor.Record(context.WithoutCancel(ctx), record)
	if failed == nil {
		return nil
	}
	told := *engine.AsError(failed)
	told.Message = "what was asked is done, but its end cannot be recorded."
	return &told
}

// Refused counts a request that was refused. The first is recorded at once, those
// after it together, at most every ten minutes: whoever knocks a thousand times
// does not fill the record. A failure to write goes to the log.
func (a *Auditor) Refused(c Caller, code string) {
	a.mu.Lock()
	a.refusals[refusalKey{c.Name, c.Via, code}]++
	due := time.Since(a.refusedAt) >= refusalPause
	a.mu.Unlock()
	if due {
		a.flushRefusals(context.Background())
	}
}

// refusalPause is how long refusals are counted before they are recorded again.
const refusalPause = 10 * time.Minute

// Flush records what was counted and not yet recorded. A daemon calls it at its end.
func (a *Auditor) Flush() { a.flushRefusals(context.Background()) }

func (a *Auditor) flushRefusals(ctx context.Context) {
	a.mu.Lock()
	counted := a.refusals
	a.refusals = map[refusalKey]int{}
	if len(counted) > 0 {
		a.refusedAt = time.Now()
	}
	a.mu.Unlock()
	if len(counted) == 0 {
		return
	}
	keys := slices.SortedFunc(maps.Keys(counted), func(x, y refusalKey) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	records := make([]store.Audit, len(keys))
	for i, k := range keys {
		records[i] = store.Audit{At: time.Now(), Actor: k.name, Via: k.via, Act: actRefused, Outcome: outcomeRefused,
			Details: map[string]string{"code": k.code, "count": strconv.Itoa(counted[k])}}
	}
	if err := a.Record(context.WithoutCancel(ctx), records...); err != nil {
		a.log.Error("refused requests not recorded", zap.Error(err))
	}
}
