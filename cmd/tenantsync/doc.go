// Command tenantsync keeps users of one Microsoft Entra tenant present and up to
// date in others, as B2B users.
//
// main turns arguments into an exit code and nothing else: [run] has no state of
// its own and can be called any number of times. One file holds one command: its
// options, its flags and the function that runs it. Commands get everything they
// need from an [environment]; wire.go alone knows which implementations stand
// behind the interfaces.
//
// Data goes to standard output, everything else to standard error. The exit codes
// are those of exit.go and are the same whether a daemon answers or the command
// opens the state file itself.
package main
