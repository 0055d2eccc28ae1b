package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"strings"
)

// KeySize is how many random bytes a new key should have; shorter ones than half
// of it are refused.
const KeySize = 32

// Options say what keeps its value.
type Options struct {
	// Keep are user attributes by their flat names (extensionAttribute1,
	// employeeId, …), in any case, whose values stay as they are.
	Keep []string
	// Words are texts whose words stay themselves wherever they stand, such as the
	// values that scoping filters compare with.
	Words []string
}

// Pseudonymizer replaces words by pseudonyms. It remembers those it has met, so its
// memory grows with the number of different words. It is not safe for concurrent
// use.
type Pseudonymizer struct {
	hash      hash.Hash       // keyed
	sum       []byte          // its last result
	keep      map[string]bool // by lower-case name
	stays     map[string]bool // folded words
	known     map[string]string
	orders    map[class][]int
	alphabets map[class][]rune
}

// ErrKey reports a key that is too short to keep anything secret.
var ErrKey = errors.New("the key is too short: 16 bytes at least, 32 random ones are good")

// New returns a Pseudonymizer. The same key and the same words give the same
// pseudonyms.
func New(key []byte, o Options) (*Pseudonymizer, error) {
	if len(key) < KeySize/2 {
		return nil, ErrKey
	}
	sum := sha256.Sum256(append([]byte("tenantsync pseudonyms 1\x00"), key...))
	p := &Pseudonymizer{
		hash: hmac.New(sha256.New, sum[:]), keep: map[string]bool{}, stays: map[string]bool{}, known: map[string]string{},
		orders: map[class][]int{}, alphabets: map[class][]rune{},
	}
	for _, name := range o.Keep {
		p.keep[strings.ToLower(name)] = true
	}
	for _, text := range o.Words {
		eachRun(text, func(run []rune, word bool) {
			if word {
				for i, r := range run {
					run[i], _ = fold(r)
				}
				p.stays[string(run)] = true
			}
		})
	}
	return p, nil
}
