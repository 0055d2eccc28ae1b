package main

import (
	"time"

	"tenantsync/internal/config"
)

// span is a flag that takes a duration as the configuration writes it: 8h, 2d.
type span time.Duration

// String returns the duration as the configuration would write it.
func (s *span) String() string { return config.Duration(*s).String() }

// Type names what the flag takes.
func (s *span) Type() string { return "DURATION" }

// Set reads the flag's text.
func (s *span) Set(text string) error {
	d, err := config.ParseDuration(text)
	*s = span(d)
	return err
}
