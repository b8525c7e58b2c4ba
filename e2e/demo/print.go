package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// width is that of the smallest terminal that people use.
const width = 80

// style is how a terminal shows text.
type style string

// The styles, as the parameters of the terminal's sequence for them.
const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
	cyan   style = "36"
)

// printer writes the demo's output.
type printer struct {
	out    io.Writer
	colour bool
	acts   int
}

// newPrinter returns a printer that uses colour on a terminal, unless the
// environment forbids it, see https://no-color.org.
func newPrinter(out *os.File, getenv func(string) string) *printer {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &printer{out: out, colour: terminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}

func (p *printer) paint(s style, text string) string {
	if !p.colour || s == plain {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *printer) title() {
	p.line("%s", p.paint(bold, "secretwrap: secrets from AWS Secrets Manager in the environment of a function"))
	p.line("%s", p.paint(dim, "No AWS account is needed: Lambda and Secrets Manager are stand-ins on this"))
	p.line("%s", p.paint(dim, "machine. The wrapper is the layer's own program. The function is in Go, as it"))
	p.line("%s", p.paint(dim, "could be in any language, and calls os.Getenv."))
	p.line("")
}

// progress runs work, and says what it is and how long it took.
func (p *printer) progress(what string, work func() error) error {
	fmt.Fprint(p.out, p.paint(dim, what+" … "))
	started := time.Now()
	if err := work(); err != nil {
		p.line("failed")
		return err
	}
	p.line("%s", p.paint(dim, fmt.Sprintf("%.1f s", time.Since(started).Seconds())))
	return nil
}

// act begins the next act.
func (p *printer) act(title string) {
	p.acts++
	p.line("\n%s %s", p.paint(bold, fmt.Sprintf("%d.", p.acts)), p.paint(bold, title))
}

// heading says what the lines below it are.
func (p *printer) heading(format string, args ...any) {
	p.line("   %s", fmt.Sprintf(format, args...))
}

// callerReads prints the JSON of an error, type and message on a line each.
func (p *printer) callerReads(s style, payload []byte) {
	var answer struct{ ErrorType, ErrorMessage json.RawMessage }
	if err := json.Unmarshal(payload, &answer); err != nil {
		p.wrapped(s, string(payload))
		return
	}
	p.wrapped(s, fmt.Sprintf(`{"errorType":%s,`, answer.ErrorType))
	p.wrapped(s, fmt.Sprintf(` "errorMessage":%s}`, answer.ErrorMessage))
}

// wrapped prints text indented, broken between words.
func (p *printer) wrapped(s style, text string) {
	const indent = "     "
	room := width - len(indent)
	for first := true; text != ""; first = false {
		hanging := ""
		if !first {
			hanging = "  "
		}
		var line string
		line, text = split(text, room-len(hanging))
		p.line("%s%s%s", indent, hanging, p.paint(s, line))
	}
}

// split cuts text at the last blank that leaves at most room characters, or at
// the first one if there is none.
func split(text string, room int) (string, string) {
	if utf8.RuneCountInString(text) <= room {
		return text, ""
	}
	cut := strings.LastIndexByte(string([]rune(text)[:room+1]), ' ')
	if cut <= 0 {
		cut = strings.IndexByte(text, ' ')
	}
	if cut <= 0 {
		return text, ""
	}
	return text[:cut], text[cut+1:]
}

// variable prints a variable as it is configured, above what the function saw.
func (p *printer) variable(v variable, seen string) {
	p.line("   %s %s", p.paint(bold, fmt.Sprintf("%-12s", v.name)), p.paint(cyan, v.reference))
	p.value("→", seen, v.note)
}

// value prints what the function saw, with a note behind it unless that is
// empty.
func (p *printer) value(mark, seen, note string) {
	if note != "" {
		note = "  " + p.paint(dim, "("+note+")")
	}
	p.line("   %12s %s%s", mark, p.paint(green, seen), note)
}

// logLines prints a function's log, coloured by level.
func (p *printer) logLines(log string) {
	for line := range strings.Lines(log) {
		s := plain
		switch {
		case strings.Contains(line, "error:"):
			s = red
		case strings.Contains(line, "hint:"):
			s = yellow
		}
		p.wrapped(s, strings.TrimSpace(line))
	}
}

func (p *printer) end() {
	p.line("\nwhat next: %s tells how to add the layer to a function of yours", p.paint(bold, "README.md"))
}
