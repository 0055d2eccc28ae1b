// Package crashpoint ends a process at a named point: just before or just after
// it commits a batch to its state file, or sends a request to a tenant.
//
// It is for tests that kill the built program and look whether anything was
// lost or done twice. Only a build with the tag "crashpoints" links it; the
// product knows nothing of it. The process ends as by SIGKILL: nothing deferred
// runs, nothing is flushed, nobody is told.
//
// A point is a side, a kind of step and what the step was about, as derived from
// the step alone: "before-commit:intent", "after-request:invitations". Points
// lists all there are. The environment variables At and Trace say where to end
// and where to write down which points were passed.
package crashpoint
