// Package config reads the configuration file: one YAML document that names
// tenants, synchronization jobs, the store, the control interface and the log.
//
// Reading goes through five stages, each in files of its own:
//
//	parse     YAML text becomes a tree of nodes that know line and column
//	decode    the tree becomes a Config: unknown keys, duplicates and wrong
//	          types are problems, ${…} references are replaced
//	default   what the file leaves out gets its default
//	validate  values are judged, alone and against each other
//	compile   filters and mappings become executable
//
// No stage stops at its first problem: Load reports all of one file together,
// sorted by position, as an *Invalid. Defaults judge nothing and validation
// changes nothing.
//
// The package reads files and environment variables, through Options, and
// never writes; it knows neither Graph nor the store nor the engine. The
// command line calls it, and hands the parts of a Config to whoever needs them.
package config
