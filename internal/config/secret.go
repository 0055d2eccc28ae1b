package config

import "fmt"

// Secret is a text that nothing prints: every way of formatting shows
// "(sensitive)". Reveal returns it.
type Secret struct{ text string }

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text itself, for the one who signs in with it.
func (s Secret) Reveal() string { return s.text }

// IsEmpty reports that there is no secret.
func (s Secret) IsEmpty() bool { return s.text == "" }

// String hides the secret.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return hiddenText
}

// Format hides the secret whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalText hides the secret from every encoder that asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
