package config

import "tenantsync/mapping"

// Effective returns the mappings the job works with, in the order of the file:
// its own, or the default ones if it names none. The job has been validated.
func (j *Job) Effective() []mapping.Mapping {
	if len(j.Mappings) == 0 {
		return defaultMappings()
	}
	list := make([]mapping.Mapping, len(j.Mappings))
	for i, m := range j.Mappings {
		list[i] = m.compiled()
	}
	return list
}
