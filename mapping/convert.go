package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tenantsync/directory"
	"tenantsync/mapping/attribute"
	"tenantsync/mapping/suggest"
)

// convert turns a value that is not empty into what the target attribute holds
// and checks it against the attribute's limits. Its error speaks of the attribute
// and never repeats the value.
func convert(v directory.Value, to *attribute.Info) (directory.Value, error) {
	switch {
	case to.Kind == directory.List && to.First:
		s, err := single(v, to)
		if err != nil {
			return v, err
		}
		return directory.ListOf(s), nil
	case to.Kind == directory.List:
		return convertList(v, to)
	case to.Kind == directory.Bool:
		return convertBool(v, to)
	case to.Kind == directory.Absent:
		// A directory extension takes any single value; Graph judges its type.
		if members := v.List(); len(members) == 1 {
			return directory.TextOf(members[0]), nil
		} else if len(members) > 1 {
			return v, fmt.Errorf("%s holds one value, not %d", to.Name, len(members))
		}
		return v, nil
	}
	s, err := single(v, to)
	if err != nil {
		return v, err
	}
	if to.Date {
		if s, err = convertDate(s, to); err != nil {
			return v, err
		}
	}
	if err := fits(s, to); err != nil {
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

func convertList(v directory.Value, to *attribute.Info) (directory.Value, error) {
	if v.Kind() != directory.List {
		return directory.ListOf(v.String()), nil
	}
	if members := v.List(); to.MaxMembers == 1 && len(members) > 1 {
		// Graph takes one business phone: the first is the one it shows.
		return directory.ListOf(members[0]), nil
	} else if to.MaxMembers > 0 && len(members) > to.MaxMembers {
		return v, fmt.Errorf("%s holds at most %d values, not %d", to.Name, to.MaxMembers, len(members))
	}
	return v, nil
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

// convertDate accepts a date or an instant and gives an instant, which is what
// Graph stores.
func convertDate(s string, to *attribute.Info) (string, error) {
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return s, nil
	}
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return s + "T00:00:00Z", nil
	}
	return "", fmt.Errorf("%s is a date: only values such as 2026-03-01 or 2026-03-01T08:00:00Z can flow to it", to.Name)
}

// fits checks a text against the limits of the attribute.
func fits(s string, to *attribute.Info) error {
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

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }
