package main

import (
	"fmt"
	"io"

	"tenantsync/engine"
)

// planPart is what a plan tells beside its changes.
type planPart struct {
	title string // of its table
	key   string // in the JSON document
	table *table
}

func planParts(r *engine.PlanResult) []planPart {
	var parts []planPart
	if len(r.Attributes) > 0 {
		parts = append(parts, planPart{"Every mapping for this user", "attributes", planAttributesTable(r.Attributes)})
	}
	if len(r.Collisions) > 0 {
		parts = append(parts, planPart{fmt.Sprintf("Address collisions in %s", r.Target), "collisions", planCollisionsTable(r.Collisions)})
	}
	return parts
}

// printPlanParts prints these parts in the formats that are tables of the changes:
// as tables of their own where people read them, and not at all, but not in
// silence, where a program expects one kind of row.
func (e *environment) printPlanParts(r *engine.PlanResult) error {
	p := e.printer()
	if p.format == formatJSON || p.format == formatTable && len(p.columns) == 0 {
		return nil // they are in the document, and in the text
	}
	for _, line := range notChecked(r) {
		e.warn(line, "")
	}
	for _, part := range planParts(r) {
		if len(p.columns) > 0 || p.format == formatCSV || p.format == formatNDJSON {
			e.note("%s: %s, not shown among the changes. See them with -o json, under %s.", part.title, plural(len(part.table.Rows), "row", "rows"), part.key)
			continue
		}
		if _, err := io.WriteString(p.w, "\n"+escape(part.title)+"\n\n"); err != nil {
			return err
		}
		if err := p.table(part.table); err != nil {
			return err
		}
	}
	return nil
}
