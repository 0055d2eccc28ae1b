package datetime

import "fmt"

// standardPatterns are the standard formats of .NET in the invariant culture
// (https://learn.microsoft.com/dotnet/standard/base-types/standard-date-and-time-format-strings).
// U differs from F only in that it converts to UTC, which every instant is in.
var standardPatterns = map[string]string{
	"d": "MM/dd/yyyy",
	"D": "dddd, dd MMMM yyyy",
	"f": "dddd, dd MMMM yyyy HH:mm",
	"F": "dddd, dd MMMM yyyy HH:mm:ss",
	"g": "MM/dd/yyyy HH:mm",
	"G": "MM/dd/yyyy HH:mm:ss",
	"m": "MMMM dd",
	"M": "MMMM dd",
	"o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
	"O": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
	"r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
	"R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
	"s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
	"t": "HH:mm",
	"T": "HH:mm:ss",
	"u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
	"U": "dddd, dd MMMM yyyy HH:mm:ss",
	"y": "yyyy MMMM",
	"Y": "yyyy MMMM",
}

// standardPattern returns what a format of one character stands for.
func standardPattern(format string) (string, error) {
	if format == "" {
		return "", &SyntaxError{0, "the date format is empty"}
	}
	if pattern, ok := standardPatterns[format]; ok {
		return pattern, nil
	}
	message := fmt.Sprintf("%q alone is no standard date format", format)
	switch format {
	case "h", "H", "s", "z", "K":
		message += fmt.Sprintf(": write %%%s for that part of a date", format)
	}
	return "", &SyntaxError{0, message}
}
