package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
)

// resolver replaces the references in a text:
//
//	${VAR}            an environment variable; missing or empty is an error
//	${VAR:-default}   the default when the variable is missing or empty
//	${file:PATH}      a file's content without its final line breaks
//	$${               the two characters ${ themselves
//
// PATH is relative to the configuration file; PATH and default may hold
// references themselves.
type resolver struct {
	dir      string
	env      func(string) (string, bool)
	readFile func(string) ([]byte, error)
}

// unresolved says which reference of a text cannot be replaced, and why.
type unresolved struct {
	offset  int // of the reference in the text
	code    Code
	message string
	action  string
	name    string // of the variable that is missing, else ""
}

// maxReferenceDepth bounds references inside references.
const maxReferenceDepth = 8

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand returns the text with every reference replaced. What a reference
// brings in is not searched for further references.
func (r resolver) expand(text string) (string, *unresolved) {
	return r.expandAt(text, 0)
}

func (r resolver) expandAt(text string, depth int) (string, *unresolved) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			b.WriteString("${")
			i += 3
		case strings.HasPrefix(text[i:], "${"):
			end := closing(text, i+2)
			if end < 0 || depth == maxReferenceDepth {
				return "", &unresolved{offset: i, code: InvalidValue, message: "a reference begins here and does not end", action: "close it with }, or write $${ for the characters ${"}
			}
			value, problem := r.reference(text[i+2:end], depth)
			if problem != nil {
				problem.offset = i
				return "", problem
			}
			b.WriteString(value)
			i = end + 1
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String(), nil
}

// closing returns where the brace that ends a reference stands, -1 if nowhere.
func closing(text string, from int) int {
	depth := 1
	for i := from; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "${"):
			depth++
			i++
		case text[i] == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// reference resolves what stands between the braces.
func (r resolver) reference(body string, depth int) (string, *unresolved) {
	if path, isFile := strings.CutPrefix(body, "file:"); isFile {
		path, problem := r.expandAt(path, depth+1)
		if problem != nil {
			return "", problem
		}
		return r.file(path)
	}
	name, fallback, hasFallback := strings.Cut(body, ":-")
	if !variableName.MatchString(name) {
		return "", &unresolved{code: InvalidValue, message: fmt.Sprintf("%q is not the name of a variable", name), action: "write ${VAR}, ${VAR:-default}, ${file:PATH}, or $${ for the characters ${"}
	}
	value, set := r.env(name)
	if set && value != "" {
		return value, nil
	}
	if hasFallback {
		return r.expandAt(fallback, depth+1)
	}
	problem := &unresolved{code: MissingVariable, name: name, message: fmt.Sprintf("environment variable %s is not set", name),
		action: fmt.Sprintf("set %s, or write ${%s:-default}", name, name)}
	if set {
		problem.message = fmt.Sprintf("environment variable %s is empty", name)
	}
	return "", problem
}

func (r resolver) file(path string) (string, *unresolved) {
	if strings.TrimSpace(path) == "" {
		return "", &unresolved{code: InvalidValue, message: "${file:} names no file", action: "write ${file:PATH}"}
	}
	content, err := r.readFile(absolute(r.dir, path))
	if err != nil {
		return "", &unresolved{code: UnreadableFile, message: fmt.Sprintf("cannot read file %s: %s", path, plainError(err)), action: "create the file, or correct its path; it is relative to the configuration file"}
	}
	if len(content) > maxSize || bytes.IndexByte(content, 0) >= 0 {
		return "", &unresolved{code: InvalidValue, message: fmt.Sprintf("file %s is not a short text", path)}
	}
	return string(bytes.TrimRight(content, "\r\n")), nil
}

// plainError is why a file could not be read, without the operation and the
// path, which the message names already.
func plainError(err error) string {
	if pathError := (*fs.PathError)(nil); errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

// absolute joins a path of the file to the file's folder.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}
