// Package svg draws charts that can be read on light and dark pages.
package svg

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// The classes of what is drawn. Of colours there are as many as a chart compares
// things: Colour(0) is grey, for what everything else is compared with.
const (
	Title = "title"
	Head  = "head"
	Plain = "plain"
	Small = "small"
	Inner = "inner"
	Grid  = "grid"
	Range = "range"
)

// style has the colours of GitHub's pages, which take these classes from here
// only.
const style = `text{font:14px -apple-system,BlinkMacSystemFont,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.head{font-weight:600}.small{font-size:12px;fill:#59636e}.inner{font-size:12px}
.page{fill:#fff}.value{paint-order:stroke;stroke:#fff;stroke-width:4px}
.grid{stroke:#d1d9e0;fill:none}.range{stroke:#1f2328;stroke-width:1.5;fill:none}
.c0{fill:#c4ccd4;stroke:#c4ccd4}.c1{fill:#4aa889;stroke:#4aa889}.c2{fill:#2f6f9f;stroke:#2f6f9f}.c3{fill:#f0b072;stroke:#f0b072}.c4{fill:#dd7f7f;stroke:#dd7f7f}.c5{fill:#a48bd0;stroke:#a48bd0}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.small{fill:#9198a1}.page{fill:#0d1117}.value{stroke:#0d1117}
.grid{stroke:#3d444d}.range{stroke:#f0f6fc}
.c0{fill:#59636e;stroke:#59636e}.c1{fill:#2c8064;stroke:#2c8064}.c2{fill:#4385b8;stroke:#4385b8}.c3{fill:#a8692c;stroke:#a8692c}.c4{fill:#994b4b;stroke:#994b4b}.c5{fill:#7559a8;stroke:#7559a8}}
`

// Colour returns the class of colour n, from 0 to 5.
func Colour(n int) string { return fmt.Sprintf("c%d", n) }

// Chart is a drawing under way. Lengths are in pixels, from the upper left.
type Chart struct {
	width, height int
	title         string
	body          strings.Builder
}

// New returns a chart with a title, and below it a line that explains it.
func New(width, height int, title, explanation string) *Chart {
	c := &Chart{width: width, height: height, title: title}
	c.Text(16, 28, Title, title)
	c.Text(16, 48, Small, explanation)
	return c
}

// Text writes a text that begins at x.
func (c *Chart) Text(x, y float64, class, text string) { c.text(x, y, class, "start", text) }

// TextBefore writes a text that ends at x.
func (c *Chart) TextBefore(x, y float64, class, text string) { c.text(x, y, class, "end", text) }

// TextAround writes a text whose middle is at x.
func (c *Chart) TextAround(x, y float64, class, text string) { c.text(x, y, class, "middle", text) }

// Value writes a text that can be read over lines.
func (c *Chart) Value(x, y float64, text string) { c.text(x, y, "value", "start", text) }

func (c *Chart) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(&c.body, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", class, x, y, anchor, html.EscapeString(text))
}

// Bar draws a rectangle.
func (c *Chart) Bar(x, y, width, height float64, class string) {
	fmt.Fprintf(&c.body, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", class, x, y, max(width, 0.5), height)
}

// Horizontal draws a line.
func (c *Chart) Horizontal(x, y, to float64, class string) {
	fmt.Fprintf(&c.body, "<path class=\"%s\" d=\"M%.1f %.1fH%.1f\"/>\n", class, x, y, to)
}

// Vertical draws a line.
func (c *Chart) Vertical(x, y, to float64, class string) {
	fmt.Fprintf(&c.body, "<path class=\"%s\" d=\"M%.1f %.1fV%.1f\"/>\n", class, x, y, to)
}

// Whisker draws the range from low to high at height y.
func (c *Chart) Whisker(low, high, y float64) {
	fmt.Fprintf(&c.body, "<path class=\"%s\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8\"/>\n", Range, low, y, high, low, y-4, high, y-4)
}

// Point is a place in a chart.
type Point struct{ X, Y float64 }

// Line draws a line with a dot at each of its points.
func (c *Chart) Line(points []Point, class string) {
	var path strings.Builder
	for i, p := range points {
		fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(i, 1)], p.X, p.Y)
	}
	fmt.Fprintf(&c.body, "<path class=\"%s\" style=\"fill:none\" stroke-width=\"2.5\" d=\"%s\"/>\n", class, path.String())
	for _, p := range points {
		fmt.Fprintf(&c.body, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", class, p.X, p.Y)
	}
}

// String returns the chart as a file.
func (c *Chart) String() string {
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", c.width, c.height, c.width, c.height) +
		fmt.Sprintf("<title>%s</title>\n<style>%s</style>\n", html.EscapeString(c.title), style) +
		fmt.Sprintf("<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", c.width, c.height) +
		c.body.String() + "</svg>\n"
}

// Scale says where values stand between two places.
type Scale struct {
	// Ticks are the values to be marked, from the first place to the last one.
	Ticks    []float64
	from, to float64
	place    func(float64) float64
}

// Linear returns a scale from 0 with at most eight round steps that ends at most
// or little beyond.
func Linear(most, from, to float64) Scale {
	unit := math.Pow(10, math.Floor(math.Log10(most))-1) // most is 10 to 100 of it
	factors := []float64{2, 2.5, 5, 10, 20}
	step := unit * factors[slices.IndexFunc(factors, func(f float64) bool { return most <= 8*f*unit })]
	s := Scale{from: from, to: to}
	for v := 0.0; len(s.Ticks) == 0 || s.Ticks[len(s.Ticks)-1] < most; v += step {
		s.Ticks = append(s.Ticks, v)
	}
	last := s.Ticks[len(s.Ticks)-1]
	s.place = func(v float64) float64 { return v / last }
	return s
}

// Logarithmic returns a scale of 1, 2, 5, 10, 20, 50, … that encloses two values,
// which are above 0.
func Logarithmic(least, most, from, to float64) Scale {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	ticks := []float64{power}
	for i := 1; ticks[len(ticks)-1] < most; i++ {
		ticks = append(ticks, power*math.Pow(10, float64(i/3))*[]float64{1, 2, 5}[i%3])
	}
	for len(ticks) > 2 && ticks[1] <= least {
		ticks = ticks[1:]
	}
	first, last := math.Log10(ticks[0]), math.Log10(ticks[len(ticks)-1])
	return Scale{Ticks: ticks, from: from, to: to, place: func(v float64) float64 { return (math.Log10(v) - first) / (last - first) }}
}

// At returns the place of a value.
func (s Scale) At(v float64) float64 { return s.from + s.place(v)*(s.to-s.from) }
