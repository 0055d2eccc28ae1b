package pseudonym

import "strings"

// What stays of Microsoft's own synchronization: everything that decides what
// becomes of whom. Expressions, attribute names and the values that filters compare
// with stay as they were written; the titles of filters and who is notified do not.
var (
	jobStays     = staying("id", "templateId", "schedule", "code")
	schemaStays  = staying("id", "version", "provisioningTaskIdentifier", "directories")
	ruleStays    = staying("id", "name", "priority", "editable", "metadata", "sourceDirectoryName", "targetDirectoryName", "containerFilter", "groupFilter", "enabled", "flowTypes", "sourceObjectName", "targetObjectName", "attributeMappings")
	filterStays  = staying("operatorName", "sourceOperandName", "targetOperand")
	settingStays = staying("Enabled", "DeleteThresholdEnabled", "DeleteThresholdValue")
)

// synchronization says how the synchronization of a service principal is treated.
func (p *Pseudonymizer) synchronization() treatment {
	filters := treatment{member: p.property(filterStays)}
	var rule, schema, job func(name string) treatment
	rule = func(name string) treatment {
		switch {
		case strings.EqualFold(name, "scope"):
			return filters
		case ruleStays[strings.ToLower(name)]:
			return treatment{stays: true}
		}
		return treatment{member: rule}
	}
	schema = func(name string) treatment {
		if strings.EqualFold(name, "synchronizationRules") {
			return treatment{member: rule}
		}
		return treatment{stays: schemaStays[strings.ToLower(name)]}
	}
	job = func(name string) treatment {
		switch {
		case strings.EqualFold(name, "schema"):
			return treatment{member: schema}
		case jobStays[strings.ToLower(name)]:
			return treatment{stays: true}
		}
		return treatment{member: job}
	}
	secret := func(name string) treatment {
		if strings.EqualFold(name, "key") {
			return treatment{stays: true}
		}
		return treatment{setting: true}
	}
	return treatment{member: func(name string) treatment {
		switch strings.ToLower(name) {
		case "jobs":
			return treatment{member: job}
		case "secrets":
			return treatment{member: secret}
		}
		return treatment{}
	}}
}

// setting returns the value of a setting: a switch, a tenant and what is hidden
// stay, and of a JSON object that which is no text for people.
func (p *Pseudonymizer) setting(s string) string {
	if s == "*" || strings.EqualFold(s, "true") || strings.EqualFold(s, "false") || isCompactID(s) {
		return s
	}
	if object, err := p.object([]byte(s), p.property(settingStays)); err == nil {
		return string(object)
	}
	return p.Text(s)
}

// isCompactID reports an id written without hyphens.
func isCompactID(s string) bool {
	return len(s) == 32 && strings.IndexFunc(s, func(r rune) bool { return r > 0x7f || !isHex(byte(r)) }) < 0
}
