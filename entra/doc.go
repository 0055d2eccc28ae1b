// Package entra speaks to a Microsoft Entra tenant through Microsoft Graph v1.0.
//
// It is the only package that knows of Graph. A [Client] belongs to one tenant
// and one credential; it hands out a [Source], which only reads, and a [Target],
// which also writes. Both speak the vocabulary of package directory: a caller
// never sees a status code it would have to interpret, because every refusal is
// a *[directory.Error] whose kind says what can be done about it.
//
// The words of the package:
//
//   - A meter ([Meter]) counts the requests of one run, a batch as one.
//   - A budget ([Budget]) bounds the writes of one app in one tenant, whatever
//     jobs share it.
//   - A link is an absolute address the service hands out (nextLink, deltaLink).
//     Links are opaque and are followed as they are, after a check that they
//     point to the configured endpoint and nowhere else.
//
// Tokens come from azidentity, calls go through the request adapter of the Graph
// SDK with an explicit chain of middleware. Retry, throttling, batches and JSON
// are the package's own: the SDK's defaults corrupt repeated writes, lose the
// difference between null and absent, and cost many times the processor time.
//
// The package starts no goroutine that outlives a call and reads time only
// through package time, so a whole client runs inside a testing/synctest bubble
// over [Config.Transport]. It knows nothing of jobs, cycles or stores, keeps no
// state but tokens, and never writes to a tenant through a Source.
package entra
