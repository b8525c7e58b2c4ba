// Package visible makes a text safe to print in one line.
package visible

import (
	"fmt"
	"strconv"
	"strings"
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
