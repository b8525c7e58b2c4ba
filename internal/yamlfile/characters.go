package yamlfile

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// byteOrderMark is what some editors put before UTF-8.
const byteOrderMark = "\uFEFF"

// refusedCharacter returns the line of the first character that must not stand
// in a file, with what is wrong with it, or an empty cause. Beyond what
// YAML refuses these are invisible ones, and whatever the YAML library but no
// editor counts as a line.
func refusedCharacter(data []byte) (line int, cause string) {
	if bytes.HasPrefix(data, []byte{0xFE, 0xFF}) || bytes.HasPrefix(data, []byte{0xFF, 0xFE}) {
		return 1, "file is UTF-16"
	}
	line = 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			line++
		case r == '\r' && bytes.HasPrefix(data, []byte("\r\n")), r == '\t':
		case r == utf8.RuneError && size == 1:
			return line, "file is not valid UTF-8"
		case refused(r):
			return line, fmt.Sprintf("holds the character %U", r)
		}
		data = data[size:]
	}
	return 0, ""
}

func refused(r rune) bool {
	switch r {
	case '\u2028', '\u2029', '\uFEFF', '\uFFFE', '\uFFFF':
		return true
	}
	return unicode.IsControl(r)
}

// lineEnds returns the offsets at which the lines of data end, each after its
// line break. Even an empty file has a line.
func lineEnds(data []byte) []int {
	var ends []int
	for i, b := range data {
		if b == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(data) == 0 || data[len(data)-1] != '\n' {
		ends = append(ends, len(data))
	}
	return ends
}

// lineAt returns a line of data, counted from 1, up to its line break.
func lineAt(data []byte, line int) []byte {
	for range line - 1 {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	text, _, _ := bytes.Cut(data, []byte("\n"))
	return text
}
