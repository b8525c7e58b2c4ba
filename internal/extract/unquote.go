package extract

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escape returns the length of the escape sequence, without its backslash, with
// which text begins, or 0 if it is none.
func escape(text string) int {
	const unicode = len("u0000")
	switch {
	case text == "":
		return 0
	case strings.IndexByte(`"\/bfnrt`, text[0]) >= 0:
		return 1
	case text[0] != 'u' || len(text) < unicode:
		return 0
	}
	for _, c := range []byte(text[1:unicode]) {
		if !isHex(c) {
			return 0
		}
	}
	return unicode
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unquote returns the text of a valid JSON string, or ErrLoneSurrogate.
func unquote(quoted string) (string, error) {
	rest := quoted[1 : len(quoted)-1]
	if strings.IndexByte(rest, '\\') < 0 {
		return rest, nil
	}
	text := make([]byte, 0, len(rest))
	for {
		plain, escaped, found := strings.Cut(rest, `\`)
		text = append(text, plain...)
		if !found {
			return string(text), nil
		}
		char, size := unescape(escaped)
		if utf16.IsSurrogate(char) {
			return "", ErrLoneSurrogate
		}
		text = utf8.AppendRune(text, char)
		rest = escaped[size:]
	}
}

// unescape returns the character that a valid escape sequence stands for, and
// its length without the first backslash. Both halves of a surrogate pair are
// one sequence; a half that stands alone is returned as it is.
func unescape(escaped string) (char rune, size int) {
	switch escaped[0] {
	case 'u':
		return unescapeUnicode(escaped)
	case 'b':
		return '\b', 1
	case 'f':
		return '\f', 1
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	}
	return rune(escaped[0]), 1
}

func unescapeUnicode(escaped string) (char rune, size int) {
	const one, pair = len("u0000"), len(`u0000\u0000`)
	char = hex(escaped[1:one])
	if !utf16.IsSurrogate(char) || len(escaped) < pair || escaped[one:one+2] != `\u` {
		return char, one
	}
	whole := utf16.DecodeRune(char, hex(escaped[one+2:pair]))
	if whole == utf8.RuneError {
		return char, one
	}
	return whole, pair
}

// hex returns the value of hexadecimal digits, which are known to be valid.
func hex(digits string) rune {
	n, _ := strconv.ParseUint(digits, 16, 32)
	return rune(n)
}
