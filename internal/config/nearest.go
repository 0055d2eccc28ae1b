package config

import (
	"slices"

	"tenantsync/mapping/suggest"
)

// nearest returns the word that was probably meant, "" when none comes close.
func nearest(written string, words []string) string {
	return suggest.Nearest(written, slices.Values(words))
}
