// Package storetest is the proof that an implementation keeps the contract of
// package store. An implementation's tests call [Run]; every implementation must
// pass the same suite.
//
// Three kinds of test stand beside each other: records of every kind come back
// field by field, also the fields that are added to them later; the promises of
// the contract, each under its own name; and random batches whose every query is
// compared with a model that keeps the same records in maps.
package storetest
