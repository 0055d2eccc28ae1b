package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"tenantsync/mapping"
	"tenantsync/mapping/attribute"
)

// wholeWords are the functions after which a text still has the words it had: what
// they make of pseudonyms is the pseudonym of what they make of names.
var wholeWords = map[string]bool{
	"Append": true, "Join": true, "Split": true, "Item": true, "Word": true, "Trim": true, "ToUpper": true, "ToLower": true, "PCase": true,
	"IIF": true, "Switch": true, "Coalesce": true, "Not": true, "CBool": true, "CStr": true, "CRef": true, "Redact": true, "Error": true,
	"IsNull": true, "IsNullOrEmpty": true, "IsPresent": true, "IsString": true, "IgnoreFlowIfNullOrEmpty": true,
	"Contains": true, "Count": true, "RemoveDuplicates": true, "Len": true, "SelectUniqueValue": true,
	"Now": true, "Guid": true, "RandomString": true,
	"SingleAppRoleAssignment": true, "AppRoleAssignmentsComplex": true, "AssertiveAppRoleAssignmentsComplex": true,
}

// mapped returns the words of a job's mappings that have to stay, because they are
// written as they are and stand in the target as well. It warns of mappings that make
// something else of pseudonyms than of names: the rehearsal would show that every
// user differs.
func (m *masking) mapped(env *environment, job string, schema *mapping.Schema) (words []string) {
	// What an application calls its roles is no name of a person, and stays.
	stays := func(name string) bool { return name == attribute.AppRoles || m.stays(name) }
	for _, in := range schema.Ingredients() {
		if len(masked(in, stays)) == 0 {
			continue
		}
		for _, text := range in.Texts {
			if word := withoutDomain(text); strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
				words = append(words, word)
			}
		}
		if why := misleads(in, stays); why != "" && !slices.Contains(m.told, why) {
			m.told = append(m.told, why) // once, where a job was taken over and is still there
			env.warn(fmt.Sprintf("In %s, %s: a rehearsal with pseudonyms may show updates of it that are none.", job, why),
				"--keep "+strings.Join(masked(in, stays), ",")+" leaves the values as they are")
		}
	}
	return words
}

// misleads says why a mapping makes something else of pseudonyms, "" when it does not.
func misleads(in mapping.Ingredients, stays func(string) bool) string {
	named := slices.ContainsFunc(in.Reads, func(name string) bool { return !stays(name) })
	if inside := slices.DeleteFunc(slices.Clone(in.Functions), func(f string) bool { return wholeWords[f] }); named && len(inside) > 0 {
		return in.Target + " looks inside words with " + strings.Join(inside, ", ")
	}
	other := slices.DeleteFunc(slices.Clone(in.Carried), func(name string) bool { return stays(name) == stays(in.Target) })
	switch {
	case len(other) == 0:
		return ""
	case stays(in.Target):
		return in.Target + " stays as it is, but is made of " + strings.Join(other, ", ")
	}
	return in.Target + " becomes a pseudonym, but is made of " + strings.Join(other, ", ") + " as it is"
}

// masked returns the attributes of a mapping that do not stay, its target last.
func masked(in mapping.Ingredients, stays func(string) bool) []string {
	var names []string
	for _, name := range append(slices.Clone(in.Reads), in.Target) {
		if !stays(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
