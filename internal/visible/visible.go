// Package visible makes a text safe to print.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Line shows control characters, and those that turn the direction of a text, so
// that no name can forge a line of a log, or steer a terminal.
func Line(text string) string {
	var out strings.Builder
	for _, c := range text {
		switch {
		case strconv.IsGraphic(c):
			out.WriteRune(c)
		case c <= 0xff:
			fmt.Fprintf(&out, `\x%02x`, c)
		default:
			fmt.Fprintf(&out, `\u%04x`, c)
		}
	}
	return out.String()
}

// JSON returns a JSON text in which such characters are written as \uXXXX, which
// means the same: encoding/json leaves those beyond ASCII as they are.
func JSON(encoded []byte) []byte {
	var out []byte
	for _, c := range string(encoded) {
		switch {
		case c == '\n' || strconv.IsGraphic(c):
			out = utf8.AppendRune(out, c)
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, c)
		}
	}
	return out
}
