package scale

import (
	"fmt"
	"strings"
)

// fleetTable is the table of the fleets that met the quota. All others wait for
// nothing but the answers.
func (r report) fleetTable() string {
	var out strings.Builder
	out.WriteString("| environments, within | secrets | wait: p50 | p99 | slowest | last one late by | failed inits | given up | calls | throttled | calls / needed |\n")
	out.WriteString("|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, c := range r.Fleets {
		if c.Throttled == 0 {
			continue
		}
		fmt.Fprintf(&out, "| %s, %d s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %.1f |\n",
			grouped(c.Environments), c.WithinMS/1000, c.asked(), seconds(c.WaitP50MS), seconds(c.WaitP99MS), seconds(c.WaitMaxMS), seconds(c.LateMS),
			grouped(c.FailedInits), grouped(c.GivenUp), grouped(c.Calls), grouped(c.Throttled), c.amplification())
	}
	return out.String()
}

// asked says what each environment of a fleet asks for.
func (c cell) asked() string {
	if c.isBatch() {
		return "batch"
	}
	return fmt.Sprint(c.Secrets)
}

// brakeTable is the table of functions of which every start fails.
func (r report) brakeTable() string {
	var out strings.Builder
	out.WriteString("| environments | calls a second without the brake | of them throttled | with the brake |\n|---|---|---|---|\n")
	for i := 0; i+1 < len(r.Brake); i += 2 {
		without, with := r.Brake[i], r.Brake[i+1]
		fmt.Fprintf(&out, "| %s | %s | %.0f %% | %s |\n", grouped(without.Environments), rate(without.PerSecond), 100*float64(without.Throttled)/float64(without.Calls), rate(with.PerSecond))
	}
	return out.String()
}

// rate writes calls a second.
func rate(perSecond float64) string {
	if perSecond < 10 {
		return fmt.Sprintf("%.1f", perSecond)
	}
	return grouped(int(perSecond + 0.5))
}

// seconds writes milliseconds as seconds.
func seconds(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%.2f s", float64(ms)/1000)
	}
	return fmt.Sprintf("%.1f s", float64(ms)/1000)
}

// grouped writes a number with commas between the thousands.
func grouped(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

// withTable returns text with table in place of the one that has the same head.
func withTable(text, table string) string {
	head, _, _ := strings.Cut(table, "\n")
	before, after, found := strings.Cut(text, head)
	if !found {
		return text
	}
	_, after, _ = strings.Cut(after, "\n\n")
	return before + table + "\n" + after
}
