package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/deliver"
	"secretwrap/internal/fetch"
	"secretwrap/internal/report"
)

// isJSON reads AWS_LAMBDA_LOG_FORMAT, which has been seen in both cases.
func isJSON(format string) bool { return strings.EqualFold(format, "json") }

// reportWaiting names what a start still waits for.
func (s *start) reportWaiting(pending []awssecrets.Request, all int) {
	names := make([]string, len(pending))
	for i, request := range pending {
		names[i] = request.Secret
	}
	s.reporter.Event(report.Warn, report.CodeWaiting, "still waiting for %d of %s: %s", len(pending), count(all, "secret"), shorten(names))
}

// reportDelivery sums up a start that went well.
func (s *start) reportDelivery(delivery deliver.Delivery, outcomes []fetch.Outcome, handedOver bool) {
	s.reportMoved(delivery.Moved)
	s.reportAbsent(delivery.Absent)
	for _, skipped := range delivery.Skipped {
		quoted := make([]string, len(skipped.Names))
		for i, name := range skipped.Names {
			quoted[i] = strconv.Quote(name)
		}
		s.reporter.Event(report.Warn, report.CodeSkipped, "secret %q: env_from skipped fields that may not become variables: %s", skipped.Secret, shorten(quoted))
	}
	for _, name := range delivery.Shadowed {
		s.reporter.Event(report.Debug, report.CodeShadowed, "%s: the secret's field gives way to what has precedence", name)
	}
	calls, found := 0, 0
	for _, o := range outcomes {
		calls += o.Attempts
		if o.Err == nil {
			found++
		}
	}
	way := "direct"
	if handedOver {
		way = "extension"
	}
	s.reporter.Event(report.Info, report.CodeStart, "%s into %s and %s: %s, %s, %d ms, %s",
		count(found, "secret"), count(len(delivery.Variables), "variable"), count(len(delivery.Files), "file"),
		count(calls, "call"), retries(calls-len(outcomes)), time.Since(s.process.started).Milliseconds(), way)
}

// reportMoved names every value that went to a file nobody declared.
func (s *start) reportMoved(moved []deliver.Moved) {
	if len(moved) == 0 {
		return
	}
	rest := ""
	if len(moved) > shownMoved {
		rest = fmt.Sprintf(" and %d more", len(moved)-shownMoved)
		moved = moved[:shownMoved]
	}
	names := make([]string, len(moved))
	for i, m := range moved {
		names[i] = fmt.Sprintf("%s (%d bytes, %s)", m.Name, m.Size, m.Why)
	}
	s.reporter.Event(report.Warn, report.CodeMoved, "moved to files (the path is in NAME_FILE), because they do not fit a variable: %s%s", strings.Join(names, ", "), rest)
}

// reportAbsent names every optional reference that nothing was found for.
func (s *start) reportAbsent(absent []deliver.Absent) {
	if len(absent) == 0 {
		return
	}
	names, level := make([]string, len(absent)), report.Info
	for i, a := range absent {
		names[i] = a.Name
		if a.Default {
			names[i] += " (default)"
		}
		if a.Near != "" {
			level = report.Warn
			names[i] += fmt.Sprintf(" (did you mean %q?)", a.Near)
		}
	}
	s.reporter.Event(level, report.CodeAbsent, "optional, and not found: %s", strings.Join(names, ", "))
}

func retries(n int) string {
	if n == 1 {
		return "1 retry"
	}
	return strconv.Itoa(n) + " retries"
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// shownNames is how many names a line holds before it counts the rest, shownMoved
// how many of values that moved, which have to be found, and shownLength how many
// bytes of each.
const (
	shownNames  = 5
	shownMoved  = 100
	shownLength = 120
)

func shorten(names []string) string {
	rest := ""
	if len(names) > shownNames {
		rest = " and " + strconv.Itoa(len(names)-shownNames) + " more"
		names = names[:shownNames]
	}
	cut := make([]string, len(names))
	for i, name := range names {
		cut[i] = strings.ToValidUTF8(name[:min(len(name), shownLength)], "")
	}
	return strings.Join(cut, ", ") + rest
}
