package pseudonym

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// external stands in the user principal names of guests, after the invited address.
const external = "#EXT#"

// eachRun calls f for each run of letters, of digits, and of what is neither.
func eachRun(s string, f func(run []rune, word bool)) {
	const none, letters, numbers, rest = 0, 1, 2, 3
	var run []rune
	kind := none
	flush := func(next int) {
		if len(run) > 0 {
			f(run, kind != rest)
		}
		run, kind = nil, next
	}
	for _, r := range s {
		now := rest
		switch {
		case isDigit(r):
			now = numbers
		case isLetter(r):
			now = letters
		}
		if now != kind {
			flush(now)
		}
		run = append(run, r)
	}
	flush(none)
}

// Text returns a text with its words replaced. What follows the @ of an address
// stays, and so does a text that is an object id; an instant becomes another of the
// same year. Invalid UTF-8 becomes U+FFFD.
func (p *Pseudonymizer) Text(s string) string {
	if isID(s) {
		return s
	}
	if day, ok := p.day(s); ok {
		return day
	}
	if mark := markOf(s); mark != "" {
		return mark + p.Text(s[len(mark):])
	}
	if at := strings.Index(strings.ToUpper(s), external); at >= 0 && at+len(external) <= len(s) {
		return p.invited(s[:at]) + s[at:at+len(external)] + p.afterAt(s[at+len(external):])
	}
	if local, domain, ok := cutAddress(s); ok {
		return p.words(local) + domain
	}
	return p.words(s)
}

// words replaces every word, and leaves the domains of addresses that stand in a
// longer text.
func (p *Pseudonymizer) words(s string) string {
	var b strings.Builder
	for {
		start, end := embedded(s)
		if start < 0 {
			break
		}
		p.plain(&b, s[:start])
		b.WriteString(s[start:end])
		s = s[end:]
	}
	p.plain(&b, s)
	return b.String()
}

func (p *Pseudonymizer) plain(b *strings.Builder, s string) {
	eachRun(s, func(run []rune, word bool) {
		if word {
			b.WriteString(p.word(run))
			return
		}
		b.WriteString(string(run))
	})
}

// invited is the address that a guest's name was made of: its @ became an
// underscore, which no domain has.
func (p *Pseudonymizer) invited(s string) string {
	at := strings.LastIndexByte(s, '_')
	if at > 0 && isDomain(s[at+1:]) {
		return p.words(s[:at]) + s[at:]
	}
	return p.words(s)
}

func (p *Pseudonymizer) afterAt(s string) string {
	if strings.HasPrefix(s, "@") && isDomain(s[1:]) {
		return s
	}
	return p.words(s)
}

// cutAddress cuts a text that is nothing but an address before its @.
func cutAddress(s string) (local, domain string, ok bool) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || !isDomain(s[at+1:]) || strings.ContainsAny(s[:at], " \t\r\n<>") {
		return s, "", false
	}
	return s[:at], s[at:], true
}

// embedded finds the first domain of an address in a text: where its @ stands and
// where it ends; -1 when there is none.
func embedded(s string) (start, end int) {
	for i := 1; i < len(s); i++ {
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if s[i] != '@' || !isLetter(before) && !isDigit(before) && before != '#' {
			continue
		}
		end = i + 1
		for end < len(s) {
			r, n := utf8.DecodeRuneInString(s[end:])
			if !isLetter(r) && !isDigit(r) && r != '.' && r != '-' {
				break
			}
			end += n
		}
		for end > i && (s[end-1] == '.' || s[end-1] == '-') {
			end--
		}
		if isDomain(s[i+1 : end]) {
			return i, end
		}
	}
	return -1, -1
}

// isDomain reports a name of at least two labels whose last is no number.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || strings.ContainsFunc(l, func(r rune) bool { return !isLetter(r) && !isDigit(r) && r != '-' }) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return utf8.RuneCountInString(last) >= 2 && strings.ContainsFunc(last, unicode.IsLetter)
}

// isID reports an object id.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// markOf returns the object id that the directory puts before the name of a user
// in the recycle bin.
func markOf(s string) string {
	const length = 32
	if len(s) <= length || !strings.Contains(s, "@") {
		return ""
	}
	for i := range length {
		if !isHex(s[i]) {
			return ""
		}
	}
	return s[:length]
}
