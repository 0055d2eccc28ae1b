// Package mapping computes what a user of the target tenant should look like from
// what the user of the source tenant is: attribute mappings that are direct,
// constant or expressions, with their flow types, default values and matching
// attributes, as Microsoft Entra provisioning defines them
// (https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes).
//
// [Compile] checks a list of mappings as a whole and reports every problem at
// once; the [Schema] it returns is applied to one user at a time. Applying
// decides nothing about writing: [Schema.Apply] says what is wanted,
// [Schema.Changes] what of it differs from what is known of the target.
//
// The package is pure: no I/O, no clock but the instant it is given, the same
// answer for the same input. A schema is immutable and safe for concurrent use.
package mapping
