package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenAttribute
	tokenText
	tokenNumber
	tokenOpen
	tokenClose
	tokenComma
	tokenOperator // & = <> > >= < <=
)

// token is one word of an expression. Its text is the name of an attribute or
// function, the content of a quoted text, the number or the operator.
type token struct {
	kind        tokenKind
	text        string
	at, end     int
	hexadecimal bool
}

// lexer reads tokens on demand, because the parser alone knows what an ampersand
// is: before an operand it begins a hexadecimal number (&HF7), after one it joins
// texts.
type lexer struct {
	text string
	at   int
}

// next reads a token. operand says that one is expected.
func (l *lexer) next(operand bool) (token, *Error) {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	if l.at == len(l.text) {
		return token{kind: tokenEnd, at: l.at, end: l.at}, nil
	}
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c == '(':
		return l.take(tokenOpen, 1), nil
	case c == ')':
		return l.take(tokenClose, 1), nil
	case c == ',':
		return l.take(tokenComma, 1), nil
	case c == '"':
		return l.quoted()
	case c == '[':
		return l.attribute()
	case operand && (isDigit(c) || c == '-' || c == '&'):
		return l.number()
	case operand && isLetter(c):
		return l.take(tokenName, nameLength(rest)), nil
	case strings.HasPrefix(rest, "<>"), strings.HasPrefix(rest, ">="), strings.HasPrefix(rest, "<="):
		return l.take(tokenOperator, 2), nil
	case strings.IndexByte("&=<>", c) >= 0:
		return l.take(tokenOperator, 1), nil
	case isLetter(c):
		return l.take(tokenName, nameLength(rest)), nil
	case isDigit(c):
		return l.number()
	}
	r, size := utf8.DecodeRuneInString(rest)
	message := fmt.Sprintf("unexpected %q", r)
	if advice, ok := strayCharacters[r]; ok {
		message += ": " + advice
	}
	return token{}, &Error{Offset: l.at, Length: size, Message: message}
}

func (l *lexer) take(kind tokenKind, length int) token {
	t := token{kind: kind, text: l.text[l.at : l.at+length], at: l.at, end: l.at + length}
	l.at = t.end
	return t
}

// quoted reads a text constant. Only \" and \\ are escapes: any other backslash
// stays, because patterns are written both as "\d" and as "\\d".
func (l *lexer) quoted() (token, *Error) {
	start := l.at
	var b strings.Builder
	for i := start + 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == '"':
			l.at = i + 1
			return token{kind: tokenText, text: b.String(), at: start, end: l.at}, nil
		case c == '\\' && i+1 < len(l.text) && (l.text[i+1] == '"' || l.text[i+1] == '\\'):
			i++
			b.WriteByte(l.text[i])
		default:
			b.WriteByte(c)
		}
	}
	return token{}, &Error{Offset: start, Length: 1, Message: "the text that begins here has no closing quote"}
}

// attribute reads a name in brackets. No name has a comma or a bracket in it: one
// of them says that the bracket was not closed.
func (l *lexer) attribute() (token, *Error) {
	length := strings.IndexByte(l.text[l.at:], ']')
	if length < 0 || strings.ContainsAny(l.text[l.at+1:l.at+length], "[,") {
		return token{}, &Error{Offset: l.at, Length: 1, Message: `the attribute that begins here has no closing "]"`}
	}
	t := l.take(tokenAttribute, length+1)
	t.text = t.text[1:length]
	if strings.TrimSpace(t.text) == "" {
		return token{}, &Error{Offset: t.at, Length: length + 1, Message: "the name of the attribute is missing between the brackets"}
	}
	return t, nil
}

func (l *lexer) number() (token, *Error) {
	rest := l.text[l.at:]
	if hex, ok := strings.CutPrefix(rest, "&H"); ok {
		n := 0
		for n < len(hex) && isHex(hex[n]) {
			n++
		}
		if n > 0 && (n == len(hex) || !isLetter(hex[n])) {
			t := l.take(tokenNumber, n+2)
			t.hexadecimal = true
			return t, nil
		}
		return token{}, &Error{Offset: l.at, Length: len("&H"), Message: "hexadecimal digits must follow &H, as in &HF7"}
	}
	n := 0
	if rest[0] == '-' {
		n++
	}
	digits := n
	for n < len(rest) && isDigit(rest[n]) {
		n++
	}
	if n == digits {
		message := fmt.Sprintf("unexpected %q", rest[0])
		if strings.HasSuffix(l.text[:l.at], "&") {
			message += ": there is no AND: put an IIF in the second place of another"
		}
		return token{}, &Error{Offset: l.at, Length: 1, Message: message}
	}
	if n+1 < len(rest) && rest[n] == '.' && isDigit(rest[n+1]) {
		for n++; n < len(rest) && isDigit(rest[n]); n++ {
		}
	}
	return l.take(tokenNumber, n), nil
}

func nameLength(s string) int {
	n := 1
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	return n
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
