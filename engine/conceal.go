package engine

import (
	"errors"
	"regexp"
	"unicode/utf8"

	"tenantsync/directory"
)

// conceal hides what a refusal repeats of values that are not to be shown: Graph
// names in its messages what it was sent. The kind and everything else stay.
func (c *cycle) conceal(err error, diff []directory.Modified) error {
	var e *directory.Error
	if !errors.As(err, &e) || e.Message == "" {
		return err
	}
	text := e.Message
	for _, m := range diff {
		shown := c.job.Mapping.Hidden(m.Name)
		if shown == "" {
			continue
		}
		for _, v := range []directory.Value{m.Old, m.New} {
			for _, secret := range concealed(v) {
				text = secret.ReplaceAllLiteralString(text, shown)
			}
		}
	}
	if text == e.Message {
		return err
	}
	hidden := *e
	hidden.Message, hidden.Err = text, nil
	return &hidden
}

// concealed are the patterns of a value's texts, whatever their case. Very short
// ones are looked for as whole words: the rest of the sentence stays readable.
func concealed(v directory.Value) []*regexp.Regexp {
	texts := append([]string{v.String()}, v.List()...)
	var out []*regexp.Regexp
	for _, s := range texts {
		pattern := `(?i)` + regexp.QuoteMeta(s)
		switch n := utf8.RuneCountInString(s); {
		case n == 0:
			continue
		case n < 4:
			pattern = `(?i)\b` + regexp.QuoteMeta(s) + `\b`
		}
		out = append(out, regexp.MustCompile(pattern)) // a quoted text is a pattern
	}
	return out
}

// veil hides addresses of a source user that are not to be shown in a sentence
// about them. The user principal name is shown everywhere, also where it is one.
func (c *cycle) veil(o directory.Object, sentence string) string {
	if c.job.Mapping == nil {
		return sentence
	}
	upn := directory.NormalAddress(o.UPN())
	for _, name := range []string{attrMail, attrOtherMails, attrProxyAddresses} {
		shown := c.job.Mapping.HiddenSource(name)
		if shown == "" {
			continue
		}
		only := directory.Object{}
		only.Attributes.Set(name, o.Attributes.Get(name))
		for _, address := range only.Addresses() {
			if address != upn {
				sentence = addressIn(address).ReplaceAllLiteralString(sentence, shown)
			}
		}
	}
	return sentence
}

// addressIn is the pattern of an address that is no part of a longer one.
func addressIn(address string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:\b|^)` + regexp.QuoteMeta(address) + `\b`)
}

// invitedAs is the address of an invitation as it may be shown.
func (j *Job) invitedAs(address string) string {
	if shown := j.Mapping.HiddenSource(attrMail); shown != "" && j.Invitation.ByMail {
		return shown
	}
	return address
}
