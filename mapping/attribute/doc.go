// Package attribute is the table of user attributes: what each is called in
// Graph v1.0, what kind of value it holds, how long it may be, whether it can be
// written for an external user and cleared, and whether a scoping filter may ask
// for it. Old directory names lead to the attribute they stand for.
//
// The table is what the compilers of mappings and scoping filters check names
// and types against; at run time mappings consult the limits they kept from it.
// It is immutable, so every function is safe for concurrent use. Sources: the
// Graph reference of the user resource
// (https://learn.microsoft.com/graph/api/resources/user), its update operation
// (https://learn.microsoft.com/graph/api/user-update) and the known issues of
// provisioning (https://learn.microsoft.com/entra/identity/app-provisioning/known-issues).
package attribute
