package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth = 760
	plotLeft   = 190
	plotRight  = 690
	firstGroup = 98
	barHeight  = 18
	barStep    = 28
	groupStep  = 4*barStep + 34
	chartEnd   = firstGroup + 2*groupStep + 8
)

// chartStyle has the colours of both modes: the reader's decides. It has a
// background, because the mode of the page around it may be the other one.
const chartStyle = `
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.group{font-weight:600}.small{font-size:12px;fill:#59636e}
.page{fill:#fff}.value{paint-order:stroke;stroke:#fff;stroke-width:4px}
.grid{stroke:#d1d9e0}.axis{stroke:#818b98}.whisker{stroke:#1f2328;stroke-width:1.5;fill:none}
.b0{fill:#b7c0ca}.b1{fill:#f0b072}.b2{fill:#e08a8a}.b3{fill:#4aa889}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.small{fill:#9198a1}.page{fill:#0d1117}.value{stroke:#0d1117}
.grid{stroke:#3d444d}.axis{stroke:#656c76}.whisker{stroke:#f0f6fc}
.b0{fill:#59636e}.b1{fill:#a8692c}.b2{fill:#994b4b}.b3{fill:#2c8064}}
`

// chart draws the cold starts at full CPU as SVG.
func (r *coldReport) chart() string {
	var out strings.Builder
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", chartWidth, chartEnd, chartWidth, chartEnd)
	fmt.Fprintf(&out, "<title>Init of a Lambda function with %d secrets</title>\n<style>%s</style>\n", coldSecrets, chartStyle)
	fmt.Fprintf(&out, "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", chartWidth, chartEnd)
	fmt.Fprintf(&out, "<text class=\"title\" x=\"16\" y=\"28\">Init of a Lambda function with %d secrets, in ms</text>\n", coldSecrets)
	fmt.Fprintf(&out, "<text class=\"small\" x=\"16\" y=\"48\">AWS’s Runtime Interface Emulator; Secrets Manager takes %d ms; median and p10 – p90 of %d interleaved starts</text>\n", serverDelay.Milliseconds(), r.Rounds)
	scale := r.scale()
	for i, where := range []string{alone, beside} {
		out.WriteString(r.group(where, firstGroup+i*groupStep, scale))
	}
	for v := 0.0; v <= scale.most; v += scale.step {
		fmt.Fprintf(&out, "<text class=\"small\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g</text>\n", scale.x(v), chartEnd-24, v)
	}
	return out.String() + "</svg>\n"
}

// group draws the cells of one kind with the first bar's top at height y.
func (r *coldReport) group(where string, y int, scale scale) string {
	var out strings.Builder
	fmt.Fprintf(&out, "<text class=\"group\" x=\"16\" y=\"%d\">%s</text>\n", y-12, where)
	for v := 0.0; v <= scale.most; v += scale.step {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		fmt.Fprintf(&out, "<path class=\"%s\" d=\"M%.1f %dv%d\"/>\n", class, scale.x(v), y-5, 4*barStep)
	}
	for i, has := range []string{noLayer, wrapperOnly, noHandover, handover} {
		out.WriteString(bar(r.cell(where, has), i, y+i*barStep, scale))
	}
	return out.String()
}

// bar draws a cell with its top at height y.
func bar(c coldSummary, kind, y int, scale scale) string {
	middle, end := y+barHeight/2, scale.x(c.InitMS.Median)
	low, high := scale.x(c.InitMS.P10), scale.x(c.InitMS.P90)
	return fmt.Sprintf("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", plotLeft-10, middle+5, c.Has) +
		fmt.Sprintf("<rect class=\"b%d\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", kind, plotLeft, y, end-plotLeft, barHeight) +
		fmt.Sprintf("<path class=\"whisker\" d=\"M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8\"/>\n", low, middle, high, low, middle-4, high, middle-4) +
		fmt.Sprintf("<text class=\"value\" x=\"%.1f\" y=\"%d\">%.1f</text>\n", max(end, high)+8, middle+5, c.InitMS.Median)
}

// scale says where a time stands.
type scale struct{ most, step float64 }

// scale returns one that has room for all cells at full CPU.
func (r *coldReport) scale() scale {
	longest := 1.0
	for _, c := range r.Cells {
		if c.Where != throttled {
			longest = max(longest, c.InitMS.P90)
		}
	}
	return newScale(longest)
}

// newScale returns a scale of at most eight round steps that ends at longest or
// little beyond.
func newScale(longest float64) scale {
	unit := math.Pow(10, math.Floor(math.Log10(longest))-1) // longest is 10 to 100 of it
	factors := []float64{2, 2.5, 5, 10, 20}
	step := unit * factors[slices.IndexFunc(factors, func(f float64) bool { return longest <= 8*f*unit })]
	return scale{most: step * math.Ceil(longest/step), step: step}
}

func (s scale) x(ms float64) float64 { return plotLeft + ms/s.most*(plotRight-plotLeft) }
