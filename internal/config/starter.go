package config

import (
	_ "embed"
	"fmt"
	"io"
)

//go:embed starter.yaml
var starter string

// WriteStarter writes a commented configuration to begin with: two tenants and
// one job. It is valid once the environment variables it names are set.
func WriteStarter(w io.Writer) error {
	if _, err := io.WriteString(w, starter); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	return nil
}
