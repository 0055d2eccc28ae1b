package datetime

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tenantsync/mapping/suggest"
)

// Styles say how freely a text may be written and what stands for what it leaves
// out: a set of the members of .NET's DateTimeStyles
// (https://learn.microsoft.com/dotnet/api/system.globalization.datetimestyles).
//
// A date without a zone is in UTC whatever the styles say, AssumeLocal included:
// the service that evaluates the expression has no zone of its own. Therefore
// AssumeLocal, AssumeUniversal, AdjustToUniversal and RoundtripKind change
// nothing; they are known so that expressions can name them.
type Styles uint8

// The styles.
const (
	AllowLeadingWhite Styles = 1 << iota
	AllowTrailingWhite
	AllowInnerWhite
	// NoCurrentDateDefault: a text that has only a time of day lies on the first
	// day of the year 1, not on the present day.
	NoCurrentDateDefault
	AdjustToUniversal
	AssumeLocal
	AssumeUniversal
	RoundtripKind

	None Styles = 0
	// DefaultStyles are those of a FormatDateTime that names none.
	DefaultStyles = RoundtripKind | AllowLeadingWhite | AllowTrailingWhite
)

var stylesByName = map[string]Styles{
	"None":                 None,
	"AllowLeadingWhite":    AllowLeadingWhite,
	"AllowTrailingWhite":   AllowTrailingWhite,
	"AllowInnerWhite":      AllowInnerWhite,
	"AllowWhiteSpaces":     AllowLeadingWhite | AllowTrailingWhite | AllowInnerWhite,
	"NoCurrentDateDefault": NoCurrentDateDefault,
	"AdjustToUniversal":    AdjustToUniversal,
	"AssumeLocal":          AssumeLocal,
	"AssumeUniversal":      AssumeUniversal,
	"RoundtripKind":        RoundtripKind,
}

// ParseStyles reads names of styles, separated by commas, in any case. Like .NET
// it refuses AssumeLocal beside AssumeUniversal, and RoundtripKind beside any of
// the styles that convert. The error is a [*SyntaxError].
func ParseStyles(s string) (Styles, error) {
	styles, at := None, 0
	for word := range strings.SplitSeq(s, ",") {
		name := strings.TrimSpace(word)
		style, ok := styleNamed(name)
		if !ok {
			return None, &SyntaxError{at + strings.Index(word, name), unknownStyle(name)}
		}
		styles |= style
		at += len(word) + 1
	}
	const converting = AssumeLocal | AssumeUniversal | AdjustToUniversal
	switch {
	case styles&AssumeLocal != 0 && styles&AssumeUniversal != 0:
		return None, &SyntaxError{0, "AssumeLocal and AssumeUniversal exclude each other"}
	case styles&RoundtripKind != 0 && styles&converting != 0:
		return None, &SyntaxError{0, "RoundtripKind excludes AssumeLocal, AssumeUniversal and AdjustToUniversal"}
	}
	return styles, nil
}

func styleNamed(name string) (Styles, bool) {
	if style, ok := stylesByName[name]; ok {
		return style, true
	}
	for known, style := range stylesByName {
		if strings.EqualFold(known, name) {
			return style, true
		}
	}
	return None, false
}

func unknownStyle(name string) string {
	if name == "" {
		return "the name of a style is missing"
	}
	message := fmt.Sprintf("%q is no member of DateTimeStyles", name)
	if near := suggest.Nearest(name, slices.Values(slices.Sorted(maps.Keys(stylesByName)))); near != "" {
		message += fmt.Sprintf(" (did you mean %s?)", near)
	}
	return message
}
