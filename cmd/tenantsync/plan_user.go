package main

import (
	"maps"
	"slices"
	"strings"

	"tenantsync/engine"
)

// planAttributes lists, for the user that a plan was asked for, how every
// mapping comes to its value and whether that is written.
func planAttributes(b *strings.Builder, p *printer, r *engine.PlanResult) error {
	if len(r.Attributes) == 0 {
		return nil
	}
	b.WriteString("Every mapping for this user:\n")
	if err := planAttributesTable(r.Attributes).readable(b, p.width, p.colour); err != nil {
		return err
	}
	b.WriteByte('\n')
	return nil
}

func planAttributesTable(list []engine.PlanAttribute) *table {
	t := &table{Columns: []column{
		{Key: "targetAttribute", Title: "ATTRIBUTE"}, {Key: "sourceValues", Title: "SOURCE VALUE", Flex: true},
		{Key: "expression", Title: "MAPPING", Flex: true}, {Key: "result", Title: "RESULT", Flex: true},
		{Key: "current", Title: "IN THE TARGET", Flex: true}, {Key: "dropped", Title: "WRITTEN", Flex: true},
	}}
	for i := range list {
		a := &list[i]
		t.Rows = append(t.Rows, []string{a.Target, sourceValues(a), a.Expression, namedValue(a.Result, a.ResultName),
			namedValue(a.Current, a.CurrentName), writtenWord(a)})
	}
	return t
}

// sourceValues writes what a mapping reads: the value alone where the mapping is
// that attribute, else each with its name.
func sourceValues(a *engine.PlanAttribute) string {
	if a.Type == "direct" {
		for _, v := range a.Sources {
			return shownValue(v)
		}
	}
	parts := make([]string, 0, len(a.Sources))
	for _, name := range slices.Sorted(maps.Keys(a.Sources)) {
		parts = append(parts, name+" "+shownValue(a.Sources[name]))
	}
	return strings.Join(parts, ", ")
}

// namedValue writes a value; of a reference, the name of its user.
func namedValue(v *string, name string) string {
	if name != "" {
		return name
	}
	return shownValue(v)
}

func writtenWord(a *engine.PlanAttribute) string {
	switch {
	case a.Error != "":
		return "no: " + strings.TrimPrefix(a.Error, "mapping of "+a.Target+": ") // its row names it
	case a.Dropped != "":
		return "no: " + a.Dropped
	}
	return "yes"
}
