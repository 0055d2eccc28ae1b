package expr

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"tenantsync/directory"
	"tenantsync/mapping/pattern"
)

// Patterns that each stay below their own limit must not add up without end:
// when the time of the evaluation is used up, no match is begun.
func TestPatternsEndInTimeTogether(t *testing.T) {
	for _, text := range []string{`Replace([a], , "a", , "x", , )`, `Replace([a], , "(?<g>a)", "g", "x", , )`, `Replace("", , "(?<g>a)", "g", , [a], )`,
		`Join("", "x", Replace([a], , [a], , "x", , ))`} {
		p, err := Compile(text, nil)
		if err != nil {
			t.Fatal(err)
		}
		env := Env{Attributes: directory.Attributes{{Name: "a", Value: directory.TextOf("a")}}}
		if _, err := p.Evaluate(env); err != nil {
			t.Errorf("%s in time: error %v", text, err)
		}
		synctest.Test(t, func(t *testing.T) {
			c := context{env: env, program: p}
			err := c.patterns.Spend(func() error {
				time.Sleep(time.Second)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := p.root.eval(&c); !errors.Is(err, pattern.ErrTimeout) {
				t.Errorf("%s after a second of other patterns gives %v (error %v), want %v", text, v, err, pattern.ErrTimeout)
			}
		})
	}
}
