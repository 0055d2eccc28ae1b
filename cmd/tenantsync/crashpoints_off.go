//go:build !crashpoints

package main

import (
	"net/http"

	"tenantsync/store"
)

// stepsOf is where a build for tests of crashes puts its points around commits.
func stepsOf(s store.Store) store.Store { return s }

// requestsOf is where such a build puts them around requests.
func requestsOf(t http.RoundTripper) http.RoundTripper { return t }
