package scale

import (
	"fmt"
	"slices"
	"strings"
)

// The chart's measures, in pixels.
const (
	chartWidth = 760
	gridLeft   = 122
	columnStep = 103
	boxWidth   = 97
	boxHeight  = 42
	rowStep    = 48
	panelTop   = 104
	panelStep  = 4*rowStep + 46
	legendTop  = panelTop + 2*panelStep - 32
	chartEnd   = legendTop + 34
)

// chartStyle has the colours of both modes: the reader's decides. It has a
// background, because the mode of the page around it may be the other one.
const chartStyle = `
text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}.group{font-weight:600}.small{font-size:12px;fill:#59636e}
.page{fill:#fff}.in{font-size:14px}.note{font-size:11px}
.c0{fill:#cfeadd}.c1{fill:#f6e3b4}.c2{fill:#f3bd8c}.c3{fill:#eb9c9c}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.small{fill:#9198a1}.page{fill:#0d1117}
.c0{fill:#1d5443}.c1{fill:#67531a}.c2{fill:#7d4a1c}.c3{fill:#843a3a}}
`

// kinds are what can become of a fleet, as the legend says it.
func kinds() []string {
	return []string{"never throttled", "throttled, every start succeeds", "starts fail, a repetition succeeds", "environments given up"}
}

// kind returns which of them became of a fleet.
func (c cell) kind() int {
	switch {
	case c.GivenUp > 0:
		return 3
	case c.FailedInits > 0:
		return 2
	case c.Throttled > 0:
		return 1
	default:
		return 0
	}
}

// chart draws the wait of every fleet's slowest environment as SVG.
func (r report) chart() string {
	var out strings.Builder
	fmt.Fprintf(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", chartWidth, chartEnd, chartWidth, chartEnd)
	fmt.Fprintf(&out, "<title>How long the slowest environment waits for its secrets</title>\n<style>%s</style>\n", chartStyle)
	fmt.Fprintf(&out, "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", chartWidth, chartEnd)
	out.WriteString("<text class=\"title\" x=\"16\" y=\"28\">How long the slowest environment waits for its secrets</text>\n")
	fmt.Fprintf(&out, "<text class=\"small\" x=\"16\" y=\"48\">Simulated, with one account’s quotas: %s GetSecretValue or %s BatchGetSecretValue calls a second, %d ms each</text>\n",
		grouped(getValue().quota), grouped(batch().quota), answerTime.Milliseconds())
	for i, within := range times() {
		out.WriteString(r.panel(within.Milliseconds(), panelTop+i*panelStep))
	}
	out.WriteString(legend())
	return out.String() + "</svg>\n"
}

// panel draws the fleets that start within a time, its first row at height y.
func (r report) panel(withinMS int64, y int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "<text class=\"group\" x=\"16\" y=\"%d\">Started within %d s</text>\n", y-28, withinMS/1000)
	fmt.Fprintf(&out, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"end\">environments</text>\n", gridLeft-12, y-9)
	for i, n := range secrets() {
		fmt.Fprintf(&out, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", gridLeft+i*columnStep+boxWidth/2, y-9, counted(n))
	}
	fmt.Fprintf(&out, "<text class=\"small\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">≤ %d, batch call</text>\n", gridLeft+len(secrets())*columnStep+boxWidth/2, y-9, batchSecrets())
	for i, environments := range sizes() {
		fmt.Fprintf(&out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", gridLeft-12, y+i*rowStep+boxHeight/2+5, grouped(environments))
		for _, c := range r.Fleets {
			if c.Environments == environments && c.WithinMS == withinMS {
				out.WriteString(box(c, gridLeft+column(c)*columnStep, y+i*rowStep))
			}
		}
	}
	return out.String()
}

// column is where in its row a fleet stands.
func column(c cell) int {
	if c.isBatch() {
		return len(secrets())
	}
	return slices.Index(secrets(), c.Secrets)
}

func counted(n int) string {
	if n == 1 {
		return "1 secret"
	}
	return fmt.Sprintf("%d secrets", n)
}

// box draws a fleet with its corner at x and y.
func box(c cell, x, y int) string {
	main, note := seconds(c.WaitMaxMS), fmt.Sprintf("%.1f × the calls", c.amplification())
	if c.GivenUp > 0 {
		main, note = fmt.Sprintf("%.0f %%", max(1, 100*float64(c.GivenUp)/float64(c.Environments))), "given up"
	}
	middle, baseline := x+boxWidth/2, y+18
	if c.kind() == 0 {
		note, baseline = "", y+26
	}
	return fmt.Sprintf("<rect class=\"c%d\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>\n", c.kind(), x, y, boxWidth, boxHeight) +
		fmt.Sprintf("<text class=\"in\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", middle, baseline, main) +
		fmt.Sprintf("<text class=\"note\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", middle, y+34, note)
}

// legend draws what the colours mean.
func legend() string {
	var out strings.Builder
	for i, x := range []int{16, 150, 366, 588} {
		fmt.Fprintf(&out, "<rect class=\"c%d\" x=\"%d\" y=\"%d\" width=\"14\" height=\"14\" rx=\"3\"/>\n", i, x, legendTop)
		fmt.Fprintf(&out, "<text class=\"small\" x=\"%d\" y=\"%d\">%s</text>\n", x+20, legendTop+12, kinds()[i])
	}
	return out.String()
}
