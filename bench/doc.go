// Package bench holds the benchmarks that drive the built binary as a whole
// process against simulated tenants, and those that compare packages with each
// other. They print ratios and counts measured in
// one run, because machines differ; docs/performance.md has their output.
package bench
