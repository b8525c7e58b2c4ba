// Package present prints an inspection.
package present

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"secretwrap/internal/inspect"
	"secretwrap/internal/visible"
)

// Style is how a text is laid out.
type Style struct {
	// Width is that of the terminal in characters, 0 for no terminal.
	Width int
	// Color is set where colors are shown.
	Color bool
}

// The colors of a terminal.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint returns a text in a color.
func (s Style) paint(color, text string) string {
	if !s.Color || color == "" || text == "" {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// Text prints an inspection for people. Dir is the directory of file copies. Asked
// is set if Secrets Manager was. The error is that of out.
func Text(out io.Writer, result inspect.Inspection, dir string, asked bool, style Style) error {
	var text strings.Builder
	layout(&text, rows(result.Items), style)
	for _, note := range result.Notes {
		line(&text, style.paint(cyan, "note:"), note)
	}
	for _, warning := range result.Warnings {
		line(&text, style.paint(yellow, "warning:"), labelled(warning.Label, warning.Text))
	}
	for i, p := range result.Problems {
		line(&text, style.paint(red, "error:"), p.Error())
		if i+1 < len(result.Problems) && result.Problems[i+1].Hint == p.Hint {
			continue // it follows the last of them
		}
		for hint := range strings.SplitSeq(p.Hint, "\n") {
			line(&text, style.paint(cyan, "hint:"), hint)
		}
	}
	text.WriteString(summary(result, dir, asked, style) + "\n")
	_, err := io.WriteString(out, text.String())
	return err
}

func line(out *strings.Builder, label, text string) {
	out.WriteString(label + " " + visible.Line(text) + "\n")
}

func labelled(label, text string) string {
	if label == "" {
		return text
	}
	return label + ": " + text
}

// summary counts what would be delivered, or says what is in the way of it.
func summary(result inspect.Inspection, dir string, asked bool, style Style) string {
	variables, files, secrets := 0, 0, make(map[string]bool)
	for _, item := range result.Items {
		if item.Outcome == inspect.Absent {
			continue
		}
		if item.File != "" {
			files++
		}
		if item.Variable != "" {
			variables++
		}
		for _, reference := range item.References {
			secrets[reference.Secret] = true
		}
	}
	const notAsked = "; only the configuration was checked, Secrets Manager was not asked"
	if n := len(result.Problems); n > 0 {
		text := style.paint(red, "failed:") + " " + count(n, "problem") + ", " + count(len(result.Warnings), "warning")
		if !asked {
			text += notAsked
		}
		return text
	}
	text := count(variables, "variable")
	if files > 0 {
		text += ", " + count(files, "file") + " below " + dir
	}
	text += ", from " + count(len(secrets), "secret")
	if !asked {
		text += notAsked
	}
	if n := len(result.Warnings); n > 0 {
		text += "; " + count(n, "warning")
	}
	return style.paint(green, "ok:") + " " + text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// row is one line of the table.
type row struct {
	cells [columns]string
	// color is that of the last cell, where the outcome is.
	color string
}

// The columns, and how many there are.
const (
	nameColumn = iota
	secretColumn
	stageColumn
	versionColumn
	pathColumn
	kindColumn
	bytesColumn
	destinationColumn
	columns
)

func headings() [columns]string {
	return [columns]string{"VARIABLE", "SECRET", "STAGE", "VERSION", "PATH", "TYPE", "BYTES", "DELIVERED TO"}
}

// rows returns a line for each reference. The first of an item has what is the
// item's.
func rows(items []inspect.Item) []row {
	var list []row
	for _, item := range items {
		for index, reference := range item.References {
			r := row{cells: cells(reference)}
			if index == 0 {
				r.cells[nameColumn], r.cells[destinationColumn] = name(item), destination(item)
				r.color = colorOf(item)
			}
			for i, cell := range r.cells {
				r.cells[i] = visible.Line(cell)
				if item.Explodes {
					r.cells[i] = shorten(r.cells[i])
				}
			}
			list = append(list, r)
		}
	}
	return list
}

// shownField is how much of the name of a field is shown. Whoever may write a secret
// picks it, and could push all other columns out of sight.
const shownField = 80

func shorten(text string) string {
	if characters := []rune(text); len(characters) > shownField {
		return string(characters[:shownField]) + "…"
	}
	return text
}

// shownVersion is how much of a version's id is shown.
const shownVersion = 8

func cells(reference inspect.Reference) [columns]string {
	size := ""
	if reference.Size != inspect.Unknown {
		size = strconv.Itoa(reference.Size)
	}
	return [columns]string{
		"", shortSecret(reference.Secret), reference.Stage, reference.Version[:min(len(reference.Version), shownVersion)],
		reference.Path, reference.Kind, size, "",
	}
}

// shortSecret returns the name in an ARN, marked as a part.
func shortSecret(secret string) string {
	fields := strings.SplitN(secret, ":", 7)
	if len(fields) < 7 {
		return secret
	}
	return "…:" + fields[6]
}

func name(item inspect.Item) string {
	switch {
	case item.Variable != "":
		return item.Variable
	case item.Explodes:
		return "(every field)"
	}
	return "(file)"
}

// destination says where an item goes, or why it does not.
func destination(item inspect.Item) string {
	where := "variable"
	switch {
	case item.Moved:
		where = "file " + item.File + " (no variable can hold it)"
	case item.File != "" && item.Mode != 0:
		where = fmt.Sprintf("file %s, %04o", item.File, item.Mode)
	case item.File != "":
		where = "file " + item.File
	case item.Explodes && item.Variable == "":
		where = "variables"
	}
	switch {
	case item.Outcome == inspect.Failed && item.File != "":
		return "no file " + item.File + ": " + item.Reason
	case item.Outcome == inspect.Failed:
		return "nowhere: " + item.Reason
	case item.Outcome == inspect.Absent:
		return "nowhere: does not exist"
	case item.Outcome == inspect.Nothing:
		return "nowhere: gives no variable"
	case item.Outcome == inspect.Default:
		return where + ", its default"
	case item.Outcome == inspect.Unchecked && item.Optional:
		return where + ", if it exists"
	}
	return where
}

func colorOf(item inspect.Item) string {
	switch {
	case item.Outcome == inspect.Failed:
		return red
	case item.Outcome == inspect.Absent, item.Outcome == inspect.Nothing, item.Outcome == inspect.Default, item.Moved:
		return yellow
	}
	return ""
}
