// Package docs holds the documentation, as Markdown. It has no code of its own:
// its tests run every command and load every configuration block of these pages
// and of the README, and compare the reference tables with what the code says.
//
// A fenced block tells by its first words what the tests do with it:
//
//	console            lines that begin with "$ " are run, in order, in the page's own folder; the lines
//	                   below a command must be found in its output ("…" stands for anything, numbers and
//	                   ids may differ)
//	console exit=5     the same, and the last command ends with this exit code
//	yaml config        a whole configuration file, loaded and validated
//	yaml top           keys beside tenants and jobs; yaml job: keys of one job; yaml tenant: keys of one tenant
//	yaml cases         a file of cases for mapping test; with file=NAME written as below
//	json file=NAME     written to the page's folder under that name, for the commands below it
//	sh, text, go, ini  shown only; a sh block must not call tenantsync
//
// The comment <!-- session: simulated --> starts two simulated tenants before a
// page's first command; <!-- session: synced --> also runs a first cycle;
// <!-- session: entra --> starts two that Microsoft's own service synchronized.
package docs
