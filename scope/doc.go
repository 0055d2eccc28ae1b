// Package scope decides by scoping filters which users a job takes: groups of
// clauses over source attributes, as Microsoft Entra provisioning has them
// (https://learn.microsoft.com/entra/identity/app-provisioning/define-conditional-rules-for-provisioning-user-accounts).
// Groups are alternatives, the clauses of a group must all hold, and no group at
// all lets everybody pass. What Entra documents is kept to the letter; what goes
// beyond it (several values, groups, references, dates, case) is marked so, in the
// operators and by [Clause.Beyond].
//
// [Compile] checks the groups and reports every problem at once; [Filter.Evaluate]
// judges one user and [Decision.Reason] says in a sentence which clause decided.
// Whether a user is assigned to the job is another question, answered elsewhere.
//
// The package is pure. A filter is immutable and safe for concurrent use.
package scope
