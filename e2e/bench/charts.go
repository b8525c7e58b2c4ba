package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"secretwrap/e2e/bench/svg"
)

const (
	chartWidth = 820
	// plotLeft and plotRight are where the bars begin and end.
	plotLeft, plotRight = 190.0, 730.0
	rowStep, barHeight  = 25.0, 17.0
	// headStep is between the last row of a group and the first of the next.
	headStep = 44.0
	firstRow = 100.0
)

// colours are those of the ways.
func colour(w way) string { return svg.Colour(slices.Index(ways(), w)) }

// chartWays draws how long a function takes until it answers, for each way, under
// the conditions that people start with.
func (r *functionReport) chartWays(c computer) string {
	var groups []conditions
	rows, longest := 0, 1.0
	for _, group := range []conditions{usual(golang), usual(node), usual(python), small()} {
		if _, there := r.cell(bare, group); !there {
			continue
		}
		groups = append(groups, group)
		for _, s := range r.Cells {
			if s.conditions == group {
				rows, longest = rows+1, max(longest, s.AnswerMS.P90)
			}
		}
	}
	height := firstRow + float64(rows)*rowStep + float64(len(groups)-1)*headStep
	chart := svg.New(chartWidth, int(height)+44, "Cold start to first answer with three secrets, in ms",
		fmt.Sprintf("AWS’s Runtime Interface Emulator, Secrets Manager takes %d ms; grey is the function without secrets", usualLatency.Milliseconds()))
	scale, y := svg.Linear(longest, plotLeft, plotRight), firstRow
	for _, group := range groups {
		y = r.drawGroup(chart, group, scale, y) + headStep
	}
	for _, v := range scale.Ticks {
		chart.TextAround(scale.At(v), height+18, svg.Small, fmt.Sprintf("%.4g", v))
	}
	chart.Text(16, height+36, svg.Small, fmt.Sprintf("Median and p10 – p90 of %d interleaved starts on %s", r.Rounds, c))
	return chart.String()
}

// drawGroup draws the ways under the same conditions, the first one at height y,
// and returns where the next one would be.
func (r *functionReport) drawGroup(chart *svg.Chart, group conditions, scale svg.Scale, y float64) float64 {
	title := group.Language
	if group.MemoryMB != 0 {
		title += " with the share of CPU of " + group.name()
	}
	chart.Text(16, y-12, svg.Head, title)
	start, from := y, r.median(bare, group)
	for _, w := range ways() {
		if _, there := r.cell(w, group); there {
			y += rowStep
		}
	}
	for _, v := range scale.Ticks {
		chart.Vertical(scale.At(v), start-6, y, svg.Grid)
	}
	row := start
	for _, w := range ways() {
		s, there := r.cell(w, group)
		if !there {
			continue
		}
		end := scale.At(s.AnswerMS.Median)
		chart.TextBefore(plotLeft-10, row+13, svg.Plain, string(w))
		chart.Bar(plotLeft, row, min(scale.At(from), end)-plotLeft, barHeight, colour(bare))
		if w != bare {
			chart.Bar(scale.At(from), row, end-scale.At(from), barHeight, colour(w))
		}
		chart.Whisker(scale.At(s.AnswerMS.P10), scale.At(s.AnswerMS.P90), row+barHeight/2)
		chart.Value(max(end, scale.At(s.AnswerMS.P90))+8, row+13, fmt.Sprintf("%.0f", s.AnswerMS.Median))
		row += rowStep
	}
	return y
}

func (r *functionReport) median(w way, c conditions) float64 {
	s, _ := r.cell(w, c)
	return s.AnswerMS.Median
}

// axis is a panel of the chart of all conditions: what differs, and the
// conditions from the least to the most.
type axis struct {
	name   string
	labels []string
	points []conditions
}

// axes returns the panels.
func axes() []axis {
	change := func(change func(*conditions)) conditions {
		c := usual(golang)
		change(&c)
		return c
	}
	memory := func(mb int) conditions { return change(func(c *conditions) { c.MemoryMB = mb }) }
	secrets := func(n int) conditions { return change(func(c *conditions) { c.Secrets = n }) }
	latency := func(ms int) conditions { return change(func(c *conditions) { c.LatencyMS = ms }) }
	return []axis{
		{"secrets", []string{"1", "3", "5", "20"}, []conditions{secrets(1), secrets(3), secrets(5), secrets(20)}},
		{"latency of Secrets Manager, ms", []string{"5", "40", "300"}, []conditions{latency(5), latency(40), latency(300)}},
		{"share of CPU of a memory, MB", []string{"128", "512", "1769", "2 cores"}, []conditions{memory(128), memory(512), memory(1769), memory(0)}},
		{"page cache", []string{"warm", "cold"}, []conditions{usual(golang), change(func(c *conditions) { c.Cold = true })}},
	}
}

const (
	panelWidth, panelHeight = 390.0, 270.0
	panelsTop               = 116.0
)

// chartConditions draws what the ways add under all conditions.
func (r *functionReport) chartConditions() string {
	chart := svg.New(chartWidth, int(panelsTop+2*panelHeight)+10, "Added to the first answer of a function in Go, in ms",
		"From 3 secrets, 40 ms, two whole cores, warm, one thing changes at a time; median, p10 – p90; the scale is logarithmic")
	x := 16.0
	for _, w := range ways()[1:] {
		chart.Bar(x, 68, 12, 12, colour(w))
		chart.Text(x+18, 79, svg.Inner, string(w))
		x += 46 + 6.6*float64(len(w))
	}
	least, most := math.Inf(1), 0.0
	for _, s := range r.Cells {
		drawn := func(a axis) bool { return slices.Contains(a.points, s.conditions) }
		if s.Way != bare && slices.ContainsFunc(axes(), drawn) {
			least, most = min(least, s.AddedMS.P10), max(most, s.AddedMS.P90)
		}
	}
	for i, a := range axes() {
		left, top := 16+float64(i%2)*(panelWidth+10), panelsTop+float64(i/2)*panelHeight
		scale := svg.Logarithmic(max(least, 1), most, top+panelHeight-60, top+10)
		r.drawPanel(chart, a, scale, left, top)
	}
	return chart.String()
}

// drawPanel draws what the ways add along an axis.
func (r *functionReport) drawPanel(chart *svg.Chart, a axis, scale svg.Scale, left, top float64) {
	chart.Text(left, top-6, svg.Head, a.name)
	for _, v := range scale.Ticks {
		chart.Horizontal(left+40, scale.At(v), left+panelWidth-20, svg.Grid)
		chart.TextBefore(left+34, scale.At(v)+4, svg.Small, strconv.FormatFloat(v, 'f', -1, 64))
	}
	place := func(i int) float64 {
		return left + 70 + float64(i)*(panelWidth-130)/float64(len(a.points)-1)
	}
	for i, label := range a.labels {
		chart.TextAround(place(i), top+panelHeight-40, svg.Small, label)
	}
	for _, w := range slices.Backward(ways()[1:]) {
		var points []svg.Point
		for i, c := range a.points {
			if s, there := r.cell(w, c); there {
				points = append(points, svg.Point{X: place(i), Y: scale.At(max(s.AddedMS.Median, 1))})
				chart.Vertical(place(i), scale.At(max(s.AddedMS.P10, 1)), scale.At(max(s.AddedMS.P90, 1)), colour(w))
			}
		}
		chart.Line(points, colour(w))
	}
}

// laneStep is between the lanes of a waterfall.
const laneStep = 26.0

// chartWaterfalls draws cold starts step by step.
func chartWaterfalls(list []waterfall) string {
	rows, longest := 0, 1.0
	for _, w := range list {
		rows += len(w.lanes())
		for _, s := range w.Steps {
			longest = max(longest, s.To)
		}
	}
	height := firstRow + float64(rows)*laneStep + float64(len(list)-1)*headStep
	chart := svg.New(chartWidth, int(height)+30, "Cold starts step by step, in ms since the invocation",
		fmt.Sprintf("A function in Go with three secrets in AWS’s Runtime Interface Emulator; medians of %d starts", list[0].Starts))
	scale, y := svg.Linear(longest, plotLeft-40, chartWidth-40), firstRow
	for _, w := range list {
		chart.Text(16, y-12, svg.Head, w.Name)
		y = w.draw(chart, scale, y) + headStep
	}
	for _, v := range scale.Ticks {
		chart.TextAround(scale.At(v), height+16, svg.Small, fmt.Sprintf("%.4g", v))
	}
	return chart.String()
}

// lanes returns who does something, in the order of the steps.
func (w waterfall) lanes() []string {
	var list []string
	for _, s := range w.Steps {
		if !slices.Contains(list, s.Lane) {
			list = append(list, s.Lane)
		}
	}
	return list
}

// draw draws a cold start, its first lane at height y, and returns where the next
// lane would be.
func (w waterfall) draw(chart *svg.Chart, scale svg.Scale, y float64) float64 {
	lanes := w.lanes()
	for _, v := range scale.Ticks {
		chart.Vertical(scale.At(v), y-6, y+laneStep*float64(len(lanes)), svg.Grid)
	}
	for i, lane := range lanes {
		w.drawLane(chart, scale, lane, y+laneStep*float64(i))
	}
	return y + laneStep*float64(len(lanes))
}

// drawLane draws the steps of a lane. What does not fit into its bar is written
// after the last one, or before the first.
func (w waterfall) drawLane(chart *svg.Chart, scale svg.Scale, lane string, y float64) {
	chart.Text(16, y+13, svg.Plain, lane)
	var beside []string
	first, last := scale.At(scale.Ticks[len(scale.Ticks)-1]), 0.0
	for _, s := range w.Steps {
		if s.Lane != lane {
			continue
		}
		from, to := scale.At(s.From), scale.At(s.To)
		first, last = min(first, from), max(last, to)
		chart.Bar(from, y, to-from-1, barHeight, laneColour(lane))
		label := fmt.Sprintf("%s %.1f", s.Name, s.To-s.From)
		if width(label) < to-from {
			chart.Text(from+6, y+13, svg.Inner, label)
		} else {
			beside = append(beside, label)
		}
	}
	switch text := strings.Join(beside, ", "); {
	case last+width(text) < chartWidth:
		chart.Text(last+6, y+13, svg.Inner, text)
	default:
		chart.TextBefore(first-6, y+13, svg.Inner, text)
	}
}

// width returns how wide a text in a bar is at most.
func width(text string) float64 { return 12 + 6*float64(len(text)) }

// laneColour returns the class of a lane's bars.
func laneColour(lane string) string {
	return map[string]string{
		lambdaLane: svg.Colour(0), foreignLane: svg.Colour(5), extensionLane: svg.Colour(2),
		callLane: svg.Colour(3), wrapperLane: svg.Colour(1), runtimeLane: svg.Colour(4),
	}[lane]
}
