// Package suggest finds the known word that somebody probably meant: the nearest
// function, attribute, operator or flow type to one that does not exist.
//
// It is used while configuration is compiled and by nobody at run time. It is a
// leaf and knows no words of its own.
package suggest
