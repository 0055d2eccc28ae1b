package pseudonym

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// shortest is the fewest letters of a word that people take for a name, and effort
// how many words Choose looks at, over all keys it tries.
const (
	shortest = 3
	effort   = 400_000
	mostKeys = 64
)

// Choose makes a new key for a tenant file from a source of random bytes. Names of
// three or four letters are so many that by chance one becomes another, or stays
// itself; of some random keys it returns the one under which that happens to the
// fewest words of the file: to none, unless the directory is large.
func Choose(random io.Reader, file []byte, o Options) ([]byte, error) {
	probe, err := New(make([]byte, KeySize), o)
	if err != nil {
		return nil, err
	}
	if _, err := probe.File(file); err != nil {
		return nil, err
	}
	words := map[string]bool{}
	for w := range probe.known {
		if !isDigit(rune(w[0])) && utf8.RuneCountInString(w) >= shortest {
			words[w] = true
		}
	}
	var best []byte
	fewest := len(words) + 1
	for range min(max(effort/(len(words)+1), 1), mostKeys) {
		key := make([]byte, KeySize)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("read random bytes: %w", err)
		}
		p, err := New(key, o)
		if err != nil {
			return nil, err
		}
		if n := p.coincidences(words); n < fewest {
			best, fewest = key, n
		}
		if fewest == 0 {
			break
		}
	}
	return best, nil
}

// coincidences counts the words whose pseudonym is one of them.
func (p *Pseudonymizer) coincidences(words map[string]bool) int {
	n := 0
	for w := range words {
		if words[p.folded(w)] {
			n++
		}
	}
	return n
}
