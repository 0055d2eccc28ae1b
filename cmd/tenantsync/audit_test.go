package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tenantsync/store"
)

// A record has its seconds, and its zone, in what programs read; people see minutes.
func TestAuditAsCSVHasSeconds(t *testing.T) {
	t.Parallel()
	list := []store.Audit{{Seq: 7, At: time.Date(2026, 11, 22, 9, 20, 42, 123456000, time.FixedZone("", 3600)), Actor: "anna", Act: "pause", Outcome: "done"}}
	for format, want := range map[outputFormat]string{
		formatCSV: "7,2026-11-22T08:20:42Z,anna,", formatTable: "2026-11-22 08:20 ", formatMarkdown: "2026-11-22 08:20 ",
	} {
		var out bytes.Buffer
		p := &printer{w: &out, format: format}
		if err := p.Print(auditResult(list, format)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: got\n%s\nwant %q in it", format, out.String(), want)
		}
	}
}
