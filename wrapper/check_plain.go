//go:build !lambda

package main

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/fetch"
	"secretwrap/internal/inspect"
	"secretwrap/internal/present"
	"secretwrap/internal/problem"
	"secretwrap/internal/refresh"
)

// checkBudget is the time for asking Secrets Manager, if no setting says so: a
// laptop may be far away, and its credentials come from somewhere first.
const checkBudget = 15 * time.Second

// runCheck says what each reference leads to. It starts no program.
func runCheck(p process, environment *environ.Block, arguments []string) (*launch, int) {
	var from source
	options := from.options("check")
	offline := options.Bool("offline", false, "")
	asJSON := options.Bool("json", false, "")
	if next, status, done := from.begin(p, environment, options, arguments); done {
		return next, status
	}
	c := from.read(p, environment)
	result, asked := c.inspect(*offline)
	var err error
	if *asJSON {
		err = present.JSON(p.stdout, result, c.dir(), asked)
	} else {
		err = present.Text(p.stdout, result, c.dir(), asked, styleOf(p.stdout, c.start.variables))
	}
	switch {
	case err != nil:
		return nil, c.start.fail(problem.List{outputProblem()})
	case len(result.Problems) > 0:
		return nil, result.Problems.Class().Status()
	}
	return nil, 0
}

// outputProblem is that of an output that cannot be written.
func outputProblem() *problem.Problem {
	return &problem.Problem{Class: problem.File, Source: "standard output", Cause: "cannot be written", Hint: "check where it goes, and whether there is room"}
}

// dir returns the directory of file copies.
func (c *configuration) dir() string { return c.start.settings.Dir }

// inspect judges the configuration, and reports whether Secrets Manager was asked:
// not if there are problems before.
func (c *configuration) inspect(offline bool) (result inspect.Inspection, asked bool) {
	switch {
	case len(c.problems) > 0:
		result = inspect.Inspection{Problems: c.problems}
	case offline:
		result = inspect.Configuration(c.plan)
		result.Problems = c.route
	default:
		result, asked = c.ask()
		result.Problems = c.refine(result.Problems)
	}
	result.Notes = append(c.notes, result.Notes...)
	result.Warnings = append(c.warnings, result.Warnings...)
	return result, asked
}

// ask judges the plan with what Secrets Manager answers.
func (c *configuration) ask() (result inspect.Inspection, asked bool) {
	access, problems := awssecrets.Load(c.start.variables, requests(c.plan))
	if len(problems) > 0 {
		result = inspect.Configuration(c.plan)
		result.Problems = problems
		return result, false
	}
	outcomes := fetch.All(context.Background(), awssecrets.New(access), requests(c.plan), fetch.Options{
		Budget:      cmp.Or(c.start.settings.Timeout, checkBudget),
		Connections: access.Connections,
		Waiting:     func(pending []awssecrets.Request) { c.start.reportWaiting(pending, len(c.plan.Secrets)) },
	})
	if p := credentialsProblem(outcomes); p != nil {
		result = inspect.Configuration(c.plan)
		result.Problems = problem.List{p}
		return result, false
	}
	sources := make([]inspect.Source, len(outcomes))
	for i, source := range refresh.Sources(outcomes) {
		sources[i] = inspect.Source{Source: source, VersionID: outcomes[i].Document.VersionID}
	}
	if slices.ContainsFunc(outcomes, isDenied) {
		c.notes = append(c.notes, "asked with the credentials that are at hand here, not with the function's; policy prints what a role needs")
	}
	room := environ.Limit(c.start.process.stackLimit) - environ.Size("", nil, c.inherited.Entries())
	return inspect.Documents(c.plan, sources, c.inherited, room), true
}

func isDenied(outcome fetch.Outcome) bool {
	return outcome.Err != nil && outcome.Err.Class == problem.Denied
}

// credentialsProblem returns one problem if the credentials are what every secret
// failed for, nil if not.
func credentialsProblem(outcomes []fetch.Outcome) *problem.Problem {
	for _, outcome := range outcomes {
		if outcome.Err == nil || outcome.Err.Retry != awssecrets.Renewed {
			return nil
		}
	}
	p := outcomes[0].Problem()
	p.Cause, _, _ = strings.Cut(p.Cause, " (request ")
	return p
}

// styleOf returns how to print to a file: in colors and not wider than it, if it is
// a terminal. https://no-color.org
func styleOf(out any, variables map[string]string) present.Style {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return present.Style{}
	}
	width, _, _ := term.GetSize(int(file.Fd())) // 0 where the terminal does not tell
	return present.Style{Width: width, Color: variables["NO_COLOR"] == "" && variables["TERM"] != "dumb"}
}
