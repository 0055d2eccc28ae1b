package entrasim

import (
	"sort"
	"time"
)

// changeLog is the order in which objects last changed: what an incremental
// delta round reads. Only the latest entry of an object counts; older ones are
// swept out when they outnumber the objects.
type changeLog struct {
	entries []logEntry
	objects int // distinct objects, an estimate for the sweep
}

type logEntry struct {
	seq uint64
	at  time.Time
	o   *object
}

// add records that o changed at o.seq, now.
func (l *changeLog) add(o *object, lag time.Duration) {
	now := time.Now()
	if o.fullSeq == o.seq {
		l.objects++
	}
	l.entries = append(l.entries, logEntry{o.seq, now, o})
	if len(l.entries) > 2*l.objects+1024 {
		l.sweep(now.Add(-lag))
	}
}

// sweep drops entries that a later one of the same object has replaced, unless
// that later one is younger than horizon and may not be shown yet.
func (l *changeLog) sweep(horizon time.Time) {
	kept := make([]logEntry, 0, l.objects+64)
	distinct := map[*object]bool{}
	for _, e := range l.entries {
		distinct[e.o] = true
		if e.seq == e.o.seq || !e.at.Before(horizon) {
			kept = append(kept, e)
			continue
		}
		if last := l.lastEntry(e.o); last.at.After(horizon) {
			kept = append(kept, e)
		}
	}
	l.entries, l.objects = kept, len(distinct)
}

func (l *changeLog) lastEntry(o *object) logEntry {
	i := sort.Search(len(l.entries), func(i int) bool { return l.entries[i].seq >= o.seq })
	if i < len(l.entries) {
		return l.entries[i]
	}
	return logEntry{}
}

// visible returns the highest sequence number old enough to be shown.
func (l *changeLog) visible(clock uint64, lag time.Duration) uint64 {
	if lag == 0 {
		return clock
	}
	horizon := time.Now().Add(-lag)
	i := sort.Search(len(l.entries), func(i int) bool { return l.entries[i].at.After(horizon) })
	if i == len(l.entries) {
		return clock
	}
	return l.entries[i].seq - 1
}

// after returns the entries above a sequence number, in order.
func (l *changeLog) after(seq uint64) []logEntry {
	i := sort.Search(len(l.entries), func(i int) bool { return l.entries[i].seq > seq })
	return l.entries[i:]
}
