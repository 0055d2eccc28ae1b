package config

import (
	"fmt"
	"strings"

	"tenantsync/internal/token"
)

// validateTokens judges the named tokens of the control interface and reads their
// hashes.
func (v *validator) validateTokens() {
	seen := map[string]int{}
	bearers := map[token.Digest]int{}
	for i := range v.config.Control.Tokens {
		t := &v.config.Control.Tokens[i]
		path := fmt.Sprintf("control.tokens[%d]", i)
		v.checkName(path+".name", t.Name)
		if first, taken := seen[strings.ToLower(t.Name)]; taken && t.Name != "" {
			v.fatal(path+".name", Conflict, fmt.Sprintf("%s.name: control.tokens[%d] is already called %q", path, first, t.Name), "give one of them another name")
		} else {
			seen[strings.ToLower(t.Name)] = i
		}
		switch file := path + ".tokenFile"; {
		case !v.sound(file):
		case t.TokenFile == "":
			if v.written(file) {
				v.fatal(file, InvalidValue, file+" is empty", "name the file that tenantsync token new wrote")
			}
		default:
			t.Hashes = v.hashes(file, t.TokenFile)
			v.checkBearers(file, i, bearers)
		}
	}
}

// checkBearers reports a token that stands under two names: whose act it was, and
// by which role, could not be told. A token twice under one name is one.
func (v *validator) checkBearers(path string, i int, bearers map[token.Digest]int) {
	for _, d := range v.config.Control.Tokens[i].Hashes {
		if first, taken := bearers[d]; taken && first != i {
			v.fatal(path, Conflict, fmt.Sprintf("%s has a token that control.tokens[%d] (%s) has as well", path, first, v.config.Control.Tokens[first].Name),
				"give each name a token of its own: tenantsync token new NAME")
			return
		}
		bearers[d] = i
	}
}

// hashes reads a file of hashes. Whoever can write it lets himself in, so that
// only its owner should.
func (v *validator) hashes(path, file string) []token.Digest {
	content := v.readable(path, file)
	if content == nil {
		return nil
	}
	list, err := token.Parse(content)
	if err != nil {
		v.fatal(path, InvalidValue, fmt.Sprintf("%s names a file that cannot be used: %s", path, err), "let tenantsync token new write it")
	}
	if v.opts.Stat != nil {
		if info, err := v.opts.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o022 != 0 {
			v.warn(path, InvalidValue, fmt.Sprintf("others than its owner may write file %s, and with it let themselves in", v.shown(file)), "chmod 600 "+v.shown(file))
		}
	}
	return list
}
