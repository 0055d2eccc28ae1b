package mapping

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/datetime"
	"tenantsync/mapping/suggest"
)

// convert turns a value that is not empty into what the target attribute holds
// and checks it against the attribute's limits. Its error speaks of the attribute
// and never repeats the value.
func convert(v directory.Value, to *attribute.Info) (directory.Value, error) {
	switch to.Kind {
	case directory.List:
		return convertList(v, to)
	case directory.Bool:
		return convertBool(v, to)
	case directory.Int:
		return convertInt(v, to)
	case directory.Absent:
		return convertAny(v, to)
	}
	s, err := single(v, to)
	if err != nil {
		return v, err
	}
	if s, err = convertText(s, to); err != nil {
		return v, err
	}
	if v.Kind() == directory.Text && v.Text() == s {
		return v, nil
	}
	return directory.TextOf(s), nil
}

// single returns the text form of a value that counts as one.
func single(v directory.Value, to *attribute.Info) (string, error) {
	if v.Kind() != directory.List {
		return v.String(), nil
	}
	members := v.List()
	if len(members) != 1 {
		return "", fmt.Errorf("%s holds one value, not %d", to.Name, len(members))
	}
	return members[0], nil
}

// convertAny is for a directory extension whose type the mapping does not give:
// it takes any single value, and the directory judges it.
func convertAny(v directory.Value, to *attribute.Info) (directory.Value, error) {
	if v.Kind() == directory.Bool || v.Kind() == directory.Int {
		return v, nil
	}
	s, err := single(v, to)
	if err == nil {
		err = fits(s, to)
	}
	if err != nil {
		return v, err
	}
	return directory.TextOf(s), nil
}

func convertList(v directory.Value, to *attribute.Info) (directory.Value, error) {
	members := v.List()
	switch {
	case v.Kind() != directory.List:
		members = []string{v.String()}
	case to.First:
		s, err := single(v, to)
		if err != nil {
			return v, err
		}
		members = []string{s}
	case to.MaxMembers == 1 && len(members) > 1:
		// Graph takes one business phone: the first is the one it shows.
		members = members[:1]
	case to.MaxMembers > 0 && len(members) > to.MaxMembers:
		return v, fmt.Errorf("%s holds at most %d values, not %d", to.Name, to.MaxMembers, len(members))
	}
	out := members
	for i, m := range members {
		s, err := convertText(m, to)
		if err != nil {
			return v, err
		}
		if s == m {
			continue
		}
		if &out[0] == &members[0] {
			out = slices.Clone(members) // what came from the source is not changed
		}
		out[i] = s
	}
	return directory.ListOf(out...), nil
}

func convertBool(v directory.Value, to *attribute.Info) (directory.Value, error) {
	if v.Kind() == directory.Bool {
		return v, nil
	}
	s, err := single(v, to)
	switch {
	case err != nil:
		return v, err
	case strings.EqualFold(s, "True"):
		return directory.BoolOf(true), nil
	case strings.EqualFold(s, "False"):
		return directory.BoolOf(false), nil
	}
	return v, fmt.Errorf("%s is Boolean: only True and False can flow to it", to.Name)
}

// convertInt accepts whole numbers, and texts that are nothing else.
func convertInt(v directory.Value, to *attribute.Info) (directory.Value, error) {
	if v.Kind() == directory.Bool {
		return v, fmt.Errorf("%s is %s: only whole numbers can flow to it", to.Name, to.Type)
	}
	s, err := single(v, to)
	if err != nil {
		return v, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), to.Type == attribute.Integer && (n < math.MinInt32 || n > math.MaxInt32):
		bits := 32
		if to.Type == attribute.LargeInteger {
			bits = 64
		}
		return v, fmt.Errorf("%s is %s: the number does not fit into its %d bits", to.Name, to.Type, bits)
	case err != nil:
		return v, fmt.Errorf("%s is %s: only whole numbers can flow to it", to.Name, to.Type)
	}
	return directory.IntOf(n), nil
}

// convertText returns a text in the form in which the attribute holds it.
func convertText(s string, to *attribute.Info) (string, error) {
	switch {
	case to.Date:
		return convertDate(s, to)
	case to.Type == attribute.Binary:
		return convertBinary(s, to)
	}
	return s, fits(s, to)
}

// convertDate accepts what CDate reads, the text form of a date included, and
// gives an instant in UTC, which is what Graph stores. An instant that is in UTC
// already keeps its spelling.
func convertDate(s string, to *attribute.Info) (string, error) {
	t, err := datetime.Parse(s)
	if err != nil {
		return s, fmt.Errorf("%s is DateTime: only values such as 2026-03-01, 2026-03-01T08:00:00Z or 3/1/2026 8:00:00 AM can flow to it", to.Name)
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil && strings.HasSuffix(s, "Z") {
		return s, nil
	}
	return t.Format(time.RFC3339Nano), nil
}

// convertBinary accepts Base64 and gives it as Graph writes it, with padding.
func convertBinary(s string, to *attribute.Info) (string, error) {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return s, fmt.Errorf("%s is Binary: only Base64 can flow to it, as ConvertToBase64 makes it", to.Name)
	}
	if len(b) > to.MaxLength {
		return s, fmt.Errorf("%s holds at most %d bytes, the value has %d", to.Name, to.MaxLength, len(b))
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// fits checks a text against the limits of the attribute.
func fits(s string, to *attribute.Info) error {
	if err := checkCharacters(s, to); err != nil {
		return err
	}
	if to.MaxLength > 0 && len(s) > to.MaxLength {
		if n := utf8.RuneCountInString(s); n > to.MaxLength {
			return fmt.Errorf("%s holds at most %d characters, the value has %d", to.Name, to.MaxLength, n)
		}
	}
	if to.Name == "usageLocation" && (len(s) != 2 || !isUpper(s[0]) || !isUpper(s[1])) {
		return fmt.Errorf("%s holds two letters, as in NO", to.Name)
	}
	if len(to.Values) > 0 && !slices.Contains(to.Values, s) {
		message := fmt.Sprintf("%s holds one of %s", to.Name, strings.Join(to.Values, ", "))
		if near := suggest.Nearest(s, slices.Values(to.Values)); near != "" && strings.EqualFold(near, s) {
			message += ", in this spelling"
		}
		return errors.New(message)
	}
	return nil
}

// checkCharacters refuses what no name has and what disturbs whoever shows it: a
// control character in a name or address, and a NUL anywhere. Other texts, such as
// a street address, may have several lines.
func checkCharacters(s string, to *attribute.Info) error {
	switch to.Name {
	case "displayName", "givenName", "surname", "mail":
		if strings.ContainsFunc(s, unicode.IsControl) {
			return fmt.Errorf("%s must not hold control characters", to.Name)
		}
	}
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return fmt.Errorf("%s must be text without NUL, in valid UTF-8", to.Name)
	}
	return nil
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
