// Package control lets commands reach a running daemon: a small HTTP interface
// with JSON bodies over a unix socket or a loopback port, and its client.
//
// [Service] is what an engine can be asked for. The daemon serves its engine
// through [NewHandler] and [Listen]; a command asks through [Client], which is a
// Service as well, so a command need not know which of the two answers it.
//
// Every method of Service has one route, POST /v1/METHOD in lower case, except
// the methods that report progress: those answer with one JSON object a line,
// {"progress":…} any number of times and then {"result":…} or {"error":…}.
//
// Who may connect: over a unix socket whoever may open the socket file (mode
// 0600); over TCP whoever knows the bearer token, which the daemon draws anew at
// each start and keeps in a file of mode 0600. The package never listens on
// anything but loopback and serves nothing to a browser of another origin.
package control
