package config

import (
	"slices"
	"strconv"
	"strings"

	"tenantsync/mapping/attribute"
	"tenantsync/scope"
)

// writeItself is what to do about a mask that was copied from config show.
const writeItself = hiddenText + " is what config show writes in the place of a value: write the value itself"

// comparesSensitive reports whether a filter of the job that names an attribute
// holds what somebody may not see. Where the mappings do not say, it may.
func (j *Job) comparesSensitive(name string) bool {
	if j.Schema == nil {
		return slices.ContainsFunc(j.Mappings, func(m Mapping) bool { return m.Sensitive })
	}
	info, known := attribute.Lookup(name)
	return known && j.Schema.SensitiveSource(info.Name)
}

// keepBack keeps the values of a clause out of excerpts if its attribute is
// sensitive, and warns of values that are none.
func (c *compiler) keepBack(path string, j *Job, clause Clause) {
	for _, key := range []string{"value", "values"} {
		n := c.nodes[join(path, key)]
		if n == nil {
			continue
		}
		if j.comparesSensitive(clause.Attribute) {
			c.hideAll(n)
		}
		if n.text == hiddenText || slices.ContainsFunc(n.items, func(item *node) bool { return item.text == hiddenText }) {
			c.add(finding{path: join(path, key), severity: warning, code: InvalidFilter,
				message: join(path, key) + " is masked: the filter compares with the word " + hiddenText, action: writeItself})
		}
	}
}

// discreet returns what is wrong with the values of a clause without the values.
func discreet(message string, clause scope.Clause) string {
	switch clause.Operator {
	case scope.RegexMatch, scope.NotRegexMatch: // the reason may cite the pattern
		return "the regular expression is wrong"
	}
	for _, v := range clause.Values {
		message = strings.ReplaceAll(message, strconv.Quote(v), hiddenText)
	}
	return message
}
