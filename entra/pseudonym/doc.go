// Package pseudonym replaces the names of people in a tenant file by invented
// ones, so that a rehearsal behaves as the tenant does and tells nobody's name.
//
// A [Pseudonymizer] replaces words: runs of letters, and runs of digits. The same
// word becomes the same pseudonym wherever it stands, whatever its case: in a name,
// an address, a guest's user principal name, in the file of every tenant that is
// pseudonymized with the same key. Different words stay different. A pseudonym has
// the length of its word and, letter by letter, its case and its class: Latin
// letters, letters with accents, digits, letters of another script. So addresses
// that were equal are equal, those that differed differ, and nothing becomes
// longer than Graph allows.
//
// What stands between words stays, and so do domains, ids and whatever
// synchronization decides by that names nobody: departments, places, types, states,
// policies. Properties that the package does not know are pseudonymized.
//
// It is a keyed permutation for each shape of word, a Feistel network over mixed
// radices that walks around the words that stay. Whoever has the key can undo it;
// and a file without names is not a file without persons: departments, titles and
// managers still tell who somebody is. Protect it as the original.
package pseudonym
