package expr

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// random returns random bytes.
func (c call) random(n int) ([]byte, error) {
	source := c.c.env.Random
	if source == nil {
		source = rand.Reader
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(source, raw); err != nil {
		return nil, &EvalError{Function: c.node.function.Name, Offset: c.node.at, Message: "there is no randomness to be had", Err: err}
	}
	return raw, nil
}

// guid gives a random GUID by RFC 9562, version 4.
func guid(c call) (value, error) {
	raw, err := c.random(16)
	if err != nil {
		return value{}, err
	}
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	return textValue(fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])), nil
}

// longestRandom is the greatest length of a random text.
const longestRandom = 256

// The characters that Windows tells apart in its rules for passwords, in the order
// of RandomString's parameters.
// https://learn.microsoft.com/windows/security/threat-protection/security-policy-settings/password-must-meet-complexity-requirements
var randomClasses = [...]struct{ name, characters string }{
	{"numbers", "0123456789"},
	{"special characters", "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"},
	{"capital letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"lower-case letters", "abcdefghijklmnopqrstuvwxyz"},
}

// randomPlan says how many characters are drawn from where.
type randomPlan struct {
	least   [len(randomClasses)]int
	classes [len(randomClasses)]string
	rest    int    // drawn from any class
	any     string // all classes
}

// planRandom returns the plan for a length, the least number of each class and
// characters to avoid, or what is wrong with them.
func planRandom(length int64, least [len(randomClasses)]int64, avoid string) (*randomPlan, string) {
	if length < 0 || length > longestRandom {
		return nil, fmt.Sprintf("the length must be from 0 to %d", longestRandom)
	}
	p := &randomPlan{}
	sum := int64(0)
	for i, class := range randomClasses {
		if least[i] < 0 || least[i] > longestRandom {
			return nil, fmt.Sprintf("the number of %s must be from 0 to %d", class.name, longestRandom)
		}
		sum += least[i]
		p.least[i] = int(least[i])
		p.classes[i] = strings.Map(func(r rune) rune {
			if strings.ContainsRune(avoid, r) {
				return -1
			}
			return r
		}, class.characters)
		p.any += p.classes[i]
		if p.least[i] > 0 && p.classes[i] == "" {
			return nil, fmt.Sprintf("all %s are to be avoided", class.name)
		}
	}
	switch {
	case sum > length:
		return nil, fmt.Sprintf("the length must be at least the sum of the minimum numbers, %d", sum)
	case length > sum && p.any == "":
		return nil, "all characters are to be avoided"
	}
	p.rest = int(length - sum)
	return p, ""
}

func randomString(c call) (value, error) {
	p, ok := c.node.prepared.(*randomPlan)
	if !ok {
		var numbers [1 + len(randomClasses)]int64
		for i := range numbers {
			var err error
			if numbers[i], err = c.integer(i); err != nil {
				return value{}, err
			}
		}
		avoid, _, err := c.text(1 + len(randomClasses))
		if err != nil {
			return value{}, err
		}
		var problem string
		if p, problem = planRandom(numbers[0], [len(randomClasses)]int64(numbers[1:]), avoid); problem != "" {
			return value{}, c.fail("", problem)
		}
	}
	return p.draw(c)
}

// draw takes the characters class by class and then shuffles them.
func (p *randomPlan) draw(c call) (value, error) {
	drawn := make([]byte, 0, longestRandom)
	take := func(n int, from string) error {
		for range n {
			i, err := c.below(len(from))
			if err != nil {
				return err
			}
			drawn = append(drawn, from[i])
		}
		return nil
	}
	for i, n := range p.least {
		if err := take(n, p.classes[i]); err != nil {
			return value{}, err
		}
	}
	if err := take(p.rest, p.any); err != nil {
		return value{}, err
	}
	for i := len(drawn) - 1; i > 0; i-- {
		j, err := c.below(i + 1)
		if err != nil {
			return value{}, err
		}
		drawn[i], drawn[j] = drawn[j], drawn[i]
	}
	return textValue(string(drawn)), nil
}

// below returns a random number from 0 to n-1. 64 bits for a small n leave no
// preference that could be measured.
func (c call) below(n int) (int, error) {
	raw, err := c.random(8)
	if err != nil {
		return 0, err
	}
	return int(binary.LittleEndian.Uint64(raw) % uint64(n)), nil
}

// prepareRandom judges constant arguments, which they nearly always are.
func prepareRandom(n *node) *Error {
	var numbers [1 + len(randomClasses)]int64
	for i := range numbers {
		if n.args[i].op != opConstant {
			return nil
		}
		numbers[i], _ = n.args[i].constant.integer()
	}
	avoid := ""
	if len(n.args) > len(numbers) && n.args[len(numbers)].op != opOmitted {
		if n.args[len(numbers)].op != opConstant {
			return nil
		}
		avoid = n.args[len(numbers)].constant.String()
	}
	p, problem := planRandom(numbers[0], [len(randomClasses)]int64(numbers[1:]), avoid)
	if problem != "" {
		return n.mistake(n.function.Name + ": " + problem)
	}
	n.prepared = p
	return nil
}
