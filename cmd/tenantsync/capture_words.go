package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Words that stay must stay in the files of both tenants, or a user and its guest
// would be called otherwise. Those of the configuration are known to both captures;
// those of Microsoft's own filters only to the capture of the tenant that has them.
// They are kept beside the key, as secret as it is, for the next capture.

// wordsPath is the file beside the key.
func (m *masking) wordsPath() string { return m.path + ".words" }

// shareWords takes the words over that stay in the files of other tenants, and
// leaves those of this capture, ours, for them.
func (m *masking) shareWords(env *environment, ours []string) error {
	raw, err := os.ReadFile(m.wordsPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the words that stay: %w", err)
	}
	var known []string
	if err == nil {
		if err := json.Unmarshal(raw, &known); err != nil {
			return fmt.Errorf("%s: a list of words is expected: %w", m.wordsPath(), err)
		}
	}
	isNew := func(word string) bool {
		return !slices.Contains(known, word) && !slices.Contains(m.options.Words, word)
	}
	added := slices.ContainsFunc(ours, isNew)
	m.options.Words = append(append(m.options.Words, known...), ours...)
	if !added {
		return nil
	}
	if m.key != nil {
		env.warn("Words that filters and mappings of this tenant's jobs name stay in its file; a file that was written with the same key before may have pseudonyms for them.",
			"capture the other tenant again with the same key")
	}
	all := append(known, ours...)
	slices.Sort(all)
	content, err := json.Marshal(slices.Compact(all))
	if err != nil {
		return err
	}
	m.shared = true
	return writeBytes(m.wordsPath(), content)
}
