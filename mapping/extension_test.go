package mapping_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tenantsync/directory"
	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// What flows to a directory extension becomes what it was registered to hold.
func TestDirectoryExtensionsGetTheirType(t *testing.T) {
	number, list := directory.IntOf, directory.ListOf
	tests := []struct {
		name        string
		typ         attribute.Type
		multivalued bool
		source      directory.Value
		want        directory.Value // absent: a failure
		message     string          // of the failure, after the attribute's name
	}{
		{"undeclared text", "", false, text("a"), text("a"), ""},
		{"undeclared number", "", false, number(7), number(7), ""},
		{"undeclared boolean", "", false, directory.BoolOf(true), directory.BoolOf(true), ""},
		{"undeclared, a list of one", "", false, list("a"), text("a"), ""},
		{"undeclared, several", "", false, list("a", "b"), directory.Value{}, "holds one value, not 2"},
		{"undeclared, too long", "", false, text(strings.Repeat("x", 257)), directory.Value{}, "holds at most 256 characters, the value has 257"},

		{"String of text", attribute.String, false, text("a"), text("a"), ""},
		{"String of a number", attribute.String, false, number(-5), text("-5"), ""},
		{"String of a boolean", attribute.String, false, directory.BoolOf(false), text("False"), ""},
		{"String, 256 characters", attribute.String, false, text(strings.Repeat("å", 256)), text(strings.Repeat("å", 256)), ""},
		{"String, 257 characters", attribute.String, false, text(strings.Repeat("å", 257)), directory.Value{}, "holds at most 256 characters, the value has 257"},

		{"Integer of a number", attribute.Integer, false, number(7), number(7), ""},
		{"Integer of text", attribute.Integer, false, text("-12"), number(-12), ""},
		{"Integer of a list of one", attribute.Integer, false, list("12"), number(12), ""},
		{"Integer, greatest", attribute.Integer, false, text("2147483647"), number(2147483647), ""},
		{"Integer, too great", attribute.Integer, false, text("2147483648"), directory.Value{}, "is Integer: the number does not fit into its 32 bits"},
		{"Integer, least", attribute.Integer, false, number(-2147483648), number(-2147483648), ""},
		{"Integer, too small", attribute.Integer, false, number(-2147483649), directory.Value{}, "is Integer: the number does not fit into its 32 bits"},
		{"Integer of words", attribute.Integer, false, text("seven"), directory.Value{}, "is Integer: only whole numbers can flow to it"},
		{"Integer of a fraction", attribute.Integer, false, text("1.5"), directory.Value{}, "is Integer: only whole numbers can flow to it"},
		{"Integer of a boolean", attribute.Integer, false, directory.BoolOf(true), directory.Value{}, "is Integer: only whole numbers can flow to it"},
		{"Integer of several", attribute.Integer, false, list("1", "2"), directory.Value{}, "holds one value, not 2"},
		{"LargeInteger", attribute.LargeInteger, false, text("133894271990000000"), number(133894271990000000), ""},
		{"LargeInteger, too great", attribute.LargeInteger, false, text("9223372036854775808"), directory.Value{}, "is LargeInteger: the number does not fit into its 64 bits"},

		{"Boolean of text", attribute.Boolean, false, text("true"), directory.BoolOf(true), ""},
		{"Boolean of a boolean", attribute.Boolean, false, directory.BoolOf(false), directory.BoolOf(false), ""},
		{"Boolean of a number", attribute.Boolean, false, number(1), directory.Value{}, "is Boolean: only True and False can flow to it"},

		{"DateTime of a day", attribute.DateTime, false, text("2026-03-01"), text("2026-03-01T00:00:00Z"), ""},
		{"DateTime of an instant", attribute.DateTime, false, text("2026-03-01T08:00:00-02:00"), text("2026-03-01T10:00:00Z"), ""},
		{"DateTime as expressions write it", attribute.DateTime, false, text("3/1/2026 12:00:00 AM"), text("2026-03-01T00:00:00Z"), ""},
		{"DateTime of words", attribute.DateTime, false, text("soon"), directory.Value{},
			"is DateTime: only values such as 2026-03-01, 2026-03-01T08:00:00Z or 3/1/2026 8:00:00 AM can flow to it"},

		{"Binary", attribute.Binary, false, text("AQID"), text("AQID"), ""},
		{"Binary of words", attribute.Binary, false, text("no base64"), directory.Value{}, "is Binary: only Base64 can flow to it, as ConvertToBase64 makes it"},
		{"Binary, too long", attribute.Binary, false, text(strings.Repeat("AAAA", 86)), directory.Value{}, "holds at most 256 bytes, the value has 258"},

		{"several texts", attribute.String, true, list("a", "b"), list("a", "b"), ""},
		{"several of one", attribute.String, true, text("a"), list("a"), ""},
		{"several undeclared", "", true, list("a", "b"), list("a", "b"), ""},
		{"several, one too long", attribute.String, true, list("a", strings.Repeat("x", 257)), directory.Value{}, "holds at most 256 characters, the value has 257"},
		{"several dates", attribute.DateTime, true, list("2026-03-01", "2026-03-02T01:00:00+01:00"), list("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const source = "extension_ffffffffffffffffffffffffffffffff_source"
			m := mapping.Mapping{Target: extension, Type: tt.typ, Multivalued: tt.multivalued, Source: source}
			if tt.source.Kind() == directory.List {
				m.Source, m.Expression = "", "["+source+"]"
			}
			result, err := schema(t, m).Apply(mapping.Input{Source: attributes(source, tt.source)})
			if tt.want.IsAbsent() {
				var f *mapping.Failure
				if !errors.As(err, &f) || f.Message != extension+" "+tt.message || f.Value != tt.source.String() {
					t.Fatalf("error %v, want a failure saying %q and the value %q", err, tt.message, tt.source)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(show(attributes(extension, tt.want)), show(result.Desired)); diff != "" {
				t.Errorf("wanted values (-want +got):\n%s", diff)
			}
		})
	}
}

// What was converted once stays as it is: it would be written again in every
// cycle otherwise.
func TestConvertedValuesStay(t *testing.T) {
	const source = "extension_ffffffffffffffffffffffffffffffff_source"
	kinds := append([]string{""}, attribute.Types()...)
	rapid.Check(t, func(t *rapid.T) {
		m := mapping.Mapping{Target: extension, Source: source, Type: attribute.Type(rapid.SampledFrom(kinds).Draw(t, "type"))}
		s, problems := mapping.Compile([]mapping.Mapping{m})
		if s == nil {
			t.Fatal(problems)
		}
		v := rapid.OneOf(
			rapid.Map(rapid.String(), directory.TextOf), rapid.Map(rapid.Int64(), directory.IntOf), rapid.Map(rapid.Bool(), directory.BoolOf),
			rapid.Map(rapid.StringMatching(`-?[0-9]{1,20}|[A-Za-z0-9+/]{4,8}(==)?|[Tt]rue|20[0-9]{2}-0[1-9]-[0-2][0-9](T1[0-9]:00:00(\.[0-9]{1,3})?(Z|[+-]0[0-9]:30))?|1?[1-9]/2[0-8]/2026 1[0-2]:00:00 [AP]M`), directory.TextOf),
		).Draw(t, "value")
		first, err := s.Apply(mapping.Input{Source: attributes(source, v)})
		if err != nil || len(first.Desired) == 0 {
			return
		}
		got := first.Desired[0].Value
		again, err := s.Apply(mapping.Input{Source: attributes(source, got), Flow: mapping.Update})
		if err != nil || len(again.Desired) != 1 || !again.Desired[0].Value.Equal(got) {
			t.Fatalf("%s %q becomes %s %q, and that becomes %v, %v", v.Kind(), v, got.Kind(), got, show(again.Desired), err)
		}
		if changes := s.Changes(first.Desired, again.Desired); len(changes) > 0 {
			t.Fatalf("%q is written again as %+v", got, changes)
		}
	})
}

func TestOnlyDirectoryExtensionsAreGivenAType(t *testing.T) {
	tests := []struct {
		name string
		m    mapping.Mapping
		want mapping.Problem
	}{
		{"type of Graph's own attribute", mapping.Mapping{Target: "employeeId", Source: "employeeId", Type: attribute.Integer},
			mapping.Problem{Field: "type", Message: "only a directory extension can be given a type: employeeId is String"}},
		{"several values of Graph's own attribute", mapping.Mapping{Target: "employeeId", Source: "employeeId", Multivalued: true},
			mapping.Problem{Field: "multivalued", Message: "only a directory extension can be said to be multivalued: what employeeId holds is known"}},
		{"unknown type", mapping.Mapping{Target: extension, Source: "employeeId", Type: "Sting"},
			mapping.Problem{Field: "type", Message: `type "Sting" unknown: one of Binary, Boolean, DateTime, Integer, LargeInteger, String`, Suggestion: "String"}},
		{"several numbers", mapping.Mapping{Target: extension, Source: "employeeId", Type: attribute.Integer, Multivalued: true},
			mapping.Problem{Field: "multivalued", Message: "several values of type Integer are not supported: only of String, DateTime and Binary"}},
		{"boolean to a number", mapping.Mapping{Target: extension, Source: "accountEnabled", Type: attribute.Integer},
			mapping.Problem{Field: "source", Message: extension + " is Integer, accountEnabled is Boolean"}},
		{"date to a number", mapping.Mapping{Target: extension, Source: "employeeHireDate", Type: attribute.LargeInteger},
			mapping.Problem{Field: "source", Message: extension + " is LargeInteger, employeeHireDate is DateTime"}},
		{"boolean to a date", mapping.Mapping{Target: extension, Source: "accountEnabled", Type: attribute.DateTime},
			mapping.Problem{Field: "source", Message: extension + " is DateTime, accountEnabled is Boolean"}},
		{"several values to one", mapping.Mapping{Target: extension, Source: "otherMails", Type: attribute.String},
			mapping.Problem{Field: "source", Message: "otherMails has several values, " + extension + " has one: choose with an expression, as in Item([otherMails], 1)"}},
		{"constant that is no number", mapping.Mapping{Target: extension, Constant: text("x"), Type: attribute.Integer},
			mapping.Problem{Field: "constant", Message: extension + " is Integer: only whole numbers can flow to it"}},
		{"default that is no date", mapping.Mapping{Target: extension, Source: "employeeHireDate", Default: text("x"), Type: attribute.DateTime},
			mapping.Problem{Field: "defaultValue",
				Message: extension + " is DateTime: only values such as 2026-03-01, 2026-03-01T08:00:00Z or 3/1/2026 8:00:00 AM can flow to it"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Offset = -1
			if _, problems := mapping.Compile([]mapping.Mapping{tt.m}); cmp.Diff([]mapping.Problem{tt.want}, problems) != "" {
				t.Errorf("problems (-want +got):\n%s", cmp.Diff([]mapping.Problem{tt.want}, problems))
			}
		})
	}
}

// A date is written again only when it means another instant.
func TestOneInstantIsNoChange(t *testing.T) {
	s := schema(t, mapping.Mapping{Target: "employeeHireDate", Source: "employeeHireDate"},
		mapping.Mapping{Target: extension, Source: "employeeHireDate", Type: attribute.DateTime},
		mapping.Mapping{Target: "city", Source: "employeeHireDate"})
	current := attributes("employeeHireDate", text("2026-03-01T00:00:00Z"), extension, text("2026-03-01T00:00:00.0000000Z"), "city", text("2026-03-01T00:00:00Z"))
	desired := attributes("employeeHireDate", text("2026-03-01T00:00:00.000Z"), extension, text("2026-03-01T00:00:00Z"), "city", text("2026-03-01T00:00:00.0Z"))
	changes := s.Changes(current, desired)
	if len(changes) != 1 || changes[0].Name != "city" {
		t.Errorf("changes %+v, want only the text city", changes)
	}
	later := attributes("employeeHireDate", text("2026-03-01T00:00:01Z"))
	if changes := s.Changes(current, later); len(changes) != 1 {
		t.Errorf("changes %+v, want the later instant", changes)
	}
}
