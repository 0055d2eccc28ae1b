// Package importer turns a synchronization schema of Microsoft Entra, as Graph
// exports it, into a synchronization job of this program.
//
// The work has three stages, each in files of its own:
//
//	read      bytes become a document with places, the document a schema
//	          (document.go, schema.go)
//	convert   the user object mapping becomes a job: mappings, expressions,
//	          scoping filters (convert.go, attribute.go, expression.go, filter.go)
//	write     the job as commented YAML or JSON, and the report (job.go, yaml.go,
//	          json.go, report.go)
//
// What the job holds is what the configuration accepts: every mapping and every
// filter is compiled before it is taken over. What cannot be taken over becomes a
// Note, and a comment in the YAML at the place where it would stand; nothing is
// dropped in silence, and the scope never gets wider in silence: a job that lost
// a restriction is written with enabled: false.
//
// The package reads and writes no file and knows neither Graph nor the engine.
// Facts about the schema: https://learn.microsoft.com/graph/api/resources/synchronization-synchronizationschema
package importer
