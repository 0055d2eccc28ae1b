// Package entrasim simulates Microsoft Entra tenants: one [net/http.Handler]
// that speaks the wire protocol of Microsoft Graph v1.0 and of the Entra token
// endpoint, closely enough that any Graph client works against it and strictly
// enough that whatever Graph refuses is refused here with Graph's own code.
//
// The words of the package:
//
//   - A [Cloud] is a set of tenants behind one handler. As with Graph itself the
//     bearer token says which tenant a request means. An address whose domain
//     one tenant has verified belongs to that tenant's user, which is how an
//     invitation in another tenant finds the home identity of a guest.
//   - A [Tenant] is one directory: users, groups, contacts, service principals,
//     directory roles, applications and policies.
//   - A [File] is the state of a tenant as JSON. [Tenant.Load] moves a running
//     tenant to a file by the acts administrators would have taken, so that delta
//     queries report them; [Tenant.Dump] is its inverse.
//   - A [Fault] is a deviation written as data: an error, a lost answer, a cut
//     page, a shuffled delta round.
//
// Everything is in memory. Time is the real clock, read with time.Now and never
// awaited in the background, so a Cloud works inside a testing/synctest bubble
// through [Cloud.Transport]. The same [Options.Seed] gives the same run.
//
// The package is for rehearsals and for tests. It never talks to a real tenant,
// and it keeps no secret from anybody who can reach it.
package entrasim
