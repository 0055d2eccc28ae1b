package token

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// prefix begins every token, so that a scanner for secrets knows what it found.
const prefix = "tenantsync_"

// randomBytes is how much of a token is random.
const randomBytes = 32

// MaxHashes bounds a file of hashes: the one in use and those it takes turns with.
const MaxHashes = 16

// Draw returns a new token.
func Draw() string {
	var random [randomBytes]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the process instead
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// Digest is the SHA-256 of a token.
type Digest [sha256.Size]byte

// Hash returns the digest of a token.
func Hash(token string) Digest { return sha256.Sum256([]byte(token)) }

// algorithm begins the line of a digest.
const algorithm = "sha256:"

// String returns the line of a file of hashes: sha256: and 64 hexadecimal digits.
func (d Digest) String() string { return algorithm + hex.EncodeToString(d[:]) }

// Matches reports whether a token has one of the digests. How long that takes
// depends on nothing but how many there are.
func Matches(token string, digests []Digest) bool {
	given, found := Hash(token), 0
	for i := range digests {
		found |= subtle.ConstantTimeCompare(given[:], digests[i][:])
	}
	return found == 1
}

// Parse reads a file of hashes: one sha256: line for each token that is valid.
// Empty lines and lines that begin with # are passed over. An error names the
// line, never its text, which may be a token that somebody put there.
func Parse(text []byte) ([]Digest, error) {
	var list []Digest
	n := 0
	for line := range bytes.Lines(text) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		digits, ok := bytes.CutPrefix(line, []byte(algorithm))
		var d Digest
		if !ok || len(digits) != hex.EncodedLen(len(d)) {
			return nil, fmt.Errorf("line %d is not %s and 64 hexadecimal digits; the file holds hashes, never a token", n, algorithm)
		}
		if _, err := hex.Decode(d[:], digits); err != nil {
			return nil, fmt.Errorf("line %d has something else than 64 hexadecimal digits after %s", n, algorithm)
		}
		if list = append(list, d); len(list) > MaxHashes {
			return nil, fmt.Errorf("it holds more than %d hashes", MaxHashes)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it holds no hash")
	}
	return list, nil
}
