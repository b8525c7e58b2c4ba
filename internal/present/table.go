package present

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// gap stands between two columns.
const gap = "  "

// layout prints rows as a table with aligned columns, without those that are empty,
// or one below the other where the terminal is too narrow for that.
func layout(out *strings.Builder, rows []row, style Style) {
	if len(rows) == 0 {
		return
	}
	widths := widthsOf(rows)
	total := -len(gap)
	for _, width := range widths {
		if width > 0 {
			total += width + len(gap)
		}
	}
	if style.Width > 0 && total > style.Width {
		stack(out, rows, style)
	} else {
		tabulate(out, rows, widths, style)
	}
	out.WriteString("\n")
}

// widthsOf returns how wide each column is, 0 for one that is empty.
func widthsOf(rows []row) [columns]int {
	var widths [columns]int
	for _, r := range rows {
		for i, cell := range r.cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for i, heading := range headings() {
		if widths[i] > 0 {
			widths[i] = max(widths[i], len(heading))
		}
	}
	return widths
}

func tabulate(out *strings.Builder, rows []row, widths [columns]int, style Style) {
	write := func(cells [columns]string, color func(column int) string) {
		last := 0
		for i, cell := range cells {
			if cell != "" {
				last = i
			}
		}
		for i, cell := range cells[:last+1] {
			if widths[i] == 0 {
				continue
			}
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i == bytesColumn: // numbers end below each other
				out.WriteString(padding + cell)
			case i == last:
				out.WriteString(style.paint(color(i), cell))
			default:
				out.WriteString(style.paint(color(i), cell) + padding)
			}
			if i < last {
				out.WriteString(gap)
			}
		}
		out.WriteString("\n")
	}
	write(headings(), func(int) string { return bold })
	for _, r := range rows {
		write(r.cells, func(column int) string {
			if column == destinationColumn {
				return r.color
			}
			return ""
		})
	}
}

// stack prints an item in a line, and each of its references in one below.
func stack(out *strings.Builder, rows []row, style Style) {
	for _, r := range rows {
		c := r.cells
		if c[nameColumn] != "" {
			out.WriteString(style.paint(bold, c[nameColumn]) + ": " + style.paint(r.color, c[destinationColumn]) + "\n")
		}
		secret, size := c[secretColumn], c[bytesColumn]
		if c[pathColumn] != "" {
			secret += "#" + c[pathColumn]
		}
		if size != "" {
			size += " bytes"
		}
		text := joined(" ", secret, c[stageColumn], c[versionColumn])
		if found := joined(", ", c[kindColumn], size); found != "" {
			text += ": " + found
		}
		out.WriteString("  " + text + "\n")
	}
}

// joined joins the texts that are not empty.
func joined(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), separator)
}
