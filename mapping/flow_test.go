package mapping_test

import (
	"fmt"
	"testing"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// flowRow says what a source value does to the target under each flow type. "-"
// is nothing written, "null" and "[]" are cleared.
type flowRow struct {
	source, current                                                      directory.Value
	always, objectAddOnly, multiValueAddOnly, valueAddOnly, attributeAdd string
}

func (r flowRow) want(f mapping.FlowType) string {
	return [...]string{r.always, r.objectAddOnly, r.multiValueAddOnly, r.valueAddOnly, r.attributeAdd}[f]
}

// written is what a mapping does to one user: the value, or "-".
func written(t *testing.T, m mapping.Mapping, source, current directory.Value, flow mapping.Flow) string {
	t.Helper()
	s, problems := mapping.Compile([]mapping.Mapping{m})
	if s == nil {
		t.Fatalf("problems %+v", problems)
	}
	in := mapping.Input{Source: attributes("otherMails", source), Flow: flow, Current: attributes(s.TargetAttributes()[0], current)}
	result, err := s.Apply(in)
	switch {
	case err != nil:
		return err.Error()
	case len(result.Desired) == 0:
		return "-"
	}
	v := result.Desired[0].Value
	switch {
	case v.Kind() == directory.Null:
		return "null"
	case v.Kind() == directory.List:
		return fmt.Sprint(v.List())
	}
	return v.String()
}

// Several values to a directory extension that holds several, by flow type.
func TestFlowTypesOfSeveralValues(t *testing.T) {
	l := directory.ListOf
	none := directory.Value{}
	t.Run("create", func(t *testing.T) {
		for _, flow := range mapping.FlowTypes() {
			f, _ := mapping.ParseFlowType(flow)
			m := mapping.Mapping{Target: extension, Type: attribute.String, Multivalued: true, Source: "otherMails", FlowType: f, FlowNull: yes()}
			for _, tt := range []struct {
				source directory.Value
				want   string
			}{{l("a", "b"), "[a b]"}, {l(), "-"}, {directory.NullValue(), "-"}, {none, "-"}} {
				if got := written(t, m, tt.source, none, mapping.Create); got != tt.want {
					t.Errorf("%s of %v: %s, want %s", flow, tt.source, got, tt.want)
				}
			}
			m.Default = l("d", "e")
			if got := written(t, m, l(), none, mapping.Create); got != "[d e]" {
				t.Errorf("%s without a value: %s, want the default [d e]", flow, got)
			}
		}
	})
	t.Run("update", func(t *testing.T) {
		rows := []flowRow{ //     Always   ObjectAdd Multi    Value    Attribute
			{l("a", "b"), none, "[a b]", "-", "[a b]", "[a b]", "[a b]"},
			{l("a", "b"), l(), "[a b]", "-", "[a b]", "[a b]", "[a b]"},
			{l("a", "b"), l("c"), "[a b]", "-", "[c a b]", "[c a b]", "-"},
			{l("a", "b"), l("b", "c"), "[a b]", "-", "[b c a]", "[b c a]", "-"},
			{l("a"), l("a", "b"), "[a]", "-", "-", "-", "-"},
			{l(), l("a"), "[]", "-", "-", "-", "-"},
			{none, l("a"), "[]", "-", "-", "-", "-"},
		}
		checkFlow(t, rows, mapping.Mapping{Target: extension, Type: attribute.String, Multivalued: true, Source: "otherMails", FlowNull: yes()})
	})
	t.Run("update without flowNull", func(t *testing.T) {
		rows := []flowRow{{l(), l("a"), "-", "-", "-", "-", "-"}, {l("b"), l("a"), "[b]", "-", "[a b]", "[a b]", "-"}}
		checkFlow(t, rows, mapping.Mapping{Target: extension, Type: attribute.String, Multivalued: true, Source: "otherMails"})
	})
	t.Run("a list of Graph that takes one value", func(t *testing.T) {
		rows := []flowRow{
			{l("a", "b"), none, "[a]", "-", "[a]", "[a]", "[a]"},
			{l("a", "b"), l("c"), "[a]", "-", "-", "-", "-"}, // there is no room to add
			{l("a"), l("a"), "[a]", "-", "-", "-", "-"},
			{l(), l("a"), "[]", "-", "-", "-", "-"},
		}
		checkFlow(t, rows, mapping.Mapping{Target: "businessPhones", Source: "otherMails", FlowNull: yes()})
	})
}

// One value, by flow type. MultiValueAddOnly means nothing there and flows always.
func TestFlowTypesOfOneValue(t *testing.T) {
	none := directory.Value{}
	rows := []flowRow{ //  Always ObjectAdd Multi Value Attribute
		{text("a"), none, "a", "-", "a", "a", "a"},
		{text("a"), directory.NullValue(), "a", "-", "a", "a", "a"},
		{text("a"), text("b"), "a", "-", "a", "-", "-"},
		{text("a"), text("a"), "a", "-", "a", "-", "-"},
		{directory.NullValue(), text("b"), "null", "-", "null", "-", "-"},
	}
	checkFlow(t, rows, mapping.Mapping{Target: "city", Expression: "[otherMails]", FlowNull: yes()})
}

func checkFlow(t *testing.T, rows []flowRow, m mapping.Mapping) {
	t.Helper()
	if m.Expression != "" { // a lone attribute of several values cannot flow to one
		m.Expression = `Join("", ` + m.Expression + `)`
	}
	for _, row := range rows {
		for _, name := range mapping.FlowTypes() {
			m.FlowType, _ = mapping.ParseFlowType(name)
			if got := written(t, m, row.source, row.current, mapping.Update); got != row.want(m.FlowType) {
				t.Errorf("%s of %v onto %v: %s, want %s", name, row.source, row.current, got, row.want(m.FlowType))
			}
		}
	}
}
