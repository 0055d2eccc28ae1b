package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"

	"tenantsync/engine"
)

// progressInterval is the time between two plain lines where there is no terminal.
const progressInterval = 30 * time.Second

// reporter shows how far a cycle has come. Report may be called from several
// goroutines; Stop ends the display and may be called twice.
type reporter interface {
	Report(engine.Progress)
	Stop()
}

// progress returns the reporter that fits standard error: bars on a terminal, a
// plain line every 30 s elsewhere, nothing with --quiet or --no-progress.
func (e *environment) progress() reporter {
	switch {
	case e.options.Quiet || e.options.NoProgress:
		return silence{}
	case !e.machine() && isTerminal(e.stderr):
		return newBars(e)
	}
	return &lines{env: e, last: e.now()}
}

// silence shows nothing.
type silence struct{}

func (silence) Report(engine.Progress) {}
func (silence) Stop()                  {}

// lines tells the progress in a line now and then. A cycle shorter than the
// interval is told by its result alone.
type lines struct {
	env  *environment
	mu   sync.Mutex
	last time.Time
}

// Report implements reporter.
func (l *lines) Report(p engine.Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.env.now()
	if now.Sub(l.last) < progressInterval {
		return
	}
	l.last = now
	l.env.note("%s: %s", p.Job, progressText(p, now))
}

// Stop implements reporter.
func (l *lines) Stop() {}

// progressText says where a cycle is, e.g. "reading contoso.com 12,480 of 20,000 (62 %), 1m20s".
func progressText(p engine.Progress, now time.Time) string {
	var b strings.Builder
	b.WriteString(p.Phase)
	switch {
	case p.Total > 0:
		fmt.Fprintf(&b, " %s of %s (%d %%)", count(p.Done), count(p.Total), percentOf(p.Done, p.Total))
	case p.Done > 0:
		b.WriteString(" " + count(p.Done))
	}
	if !p.StartedAt.IsZero() {
		fmt.Fprintf(&b, ", %s", now.Sub(p.StartedAt).Round(time.Second))
	}
	return b.String()
}

// percentOf returns how much of the whole a part is, 0 to 100.
func percentOf(part, whole int) int {
	if whole <= 0 {
		return 0
	}
	return min(100, int(int64(part)*100/int64(whole)))
}

// bars draws one bar a phase on a terminal.
type bars struct {
	writer progress.Writer
	ended  chan struct{}

	mu      sync.Mutex
	phase   string
	tracker *progress.Tracker
	stopped bool
}

func newBars(e *environment) *bars {
	w := progress.NewWriter()
	w.SetOutputWriter(e.stderr)
	w.SetUpdateFrequency(100 * time.Millisecond)
	w.SetTrackerLength(20)
	w.SetMessageLength(26)
	w.SetTrackerPosition(progress.PositionRight)
	w.SetStyle(progress.StyleBlocks)
	style := w.Style()
	style.Visibility = progress.StyleVisibility{ETA: true, Percentage: true, Speed: true, Time: true, Tracker: true, Value: true}
	style.Options.DoneString = "done"
	style.Options.Separator = " "
	style.Options.PercentIndeterminate = "     "
	style.Options.TimeInProgressPrecision = time.Second
	style.Options.TimeDonePrecision = time.Second
	style.Colors = progress.StyleColors{}
	b := &bars{writer: w, ended: make(chan struct{})}
	go func() {
		defer close(b.ended)
		w.Render()
	}()
	return b
}

// Report implements reporter.
func (b *bars) Report(p engine.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return
	}
	if b.tracker == nil || p.Phase != b.phase {
		if b.tracker != nil {
			b.tracker.MarkAsDone()
		}
		b.phase = p.Phase
		b.tracker = &progress.Tracker{Message: escape(capital(p.Phase)), Units: progress.Units{Formatter: func(n int64) string { return count(int(n)) }}}
		b.writer.AppendTracker(b.tracker)
	}
	b.tracker.UpdateTotal(int64(p.Total))
	b.tracker.SetValue(int64(p.Done))
}

// Stop implements reporter. The bars stay on the screen as they are.
func (b *bars) Stop() {
	b.mu.Lock()
	if b.stopped {
		b.mu.Unlock()
		return
	}
	b.stopped = true
	if b.tracker != nil {
		b.tracker.MarkAsDone()
	}
	b.mu.Unlock()
	// Stop is heard only once Render has begun, and a cycle may be quicker.
	for ended := false; !ended; {
		b.writer.Stop()
		select {
		case <-b.ended:
			ended = true
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// capital begins a phrase with a capital letter.
func capital(phrase string) string {
	if phrase == "" {
		return phrase
	}
	return strings.ToUpper(phrase[:1]) + phrase[1:]
}
