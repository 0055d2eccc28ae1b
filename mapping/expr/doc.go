// Package expr is the expression language of attribute mappings: the functions,
// quoted texts and bracketed attributes that administrators know from the
// mappings of Microsoft Entra provisioning
// (https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data).
//
// [Compile] turns a text into a [Program]; every mistake that can be seen without
// a user at hand is found there and carries its place. [Program.Evaluate] then
// gives the value for one user. A program is immutable and safe for concurrent
// use; evaluating performs no I/O, reads no clock but the one it is given, and
// ends: expressions have no loops, texts and nesting are bounded, and regular
// expressions have a time limit.
//
// A new function is one entry in one of the tables by theme, functions_text.go and
// its neighbours: its name, its parameters and the Go function that computes it.
package expr
