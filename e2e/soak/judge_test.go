package main

import (
	"strings"
	"testing"
)

// kept are observations in which every promise was kept.
func kept() observations {
	return observations{
		name: "steady", faults: 3, steps: 4, filled: 1, lives: 1, judged: 1,
		counts: counts{invocations: 11, successes: 10, files: 5, explained: map[string]int{handlerCrashed: 1}},
	}
}

func TestNothingIsBrokenWhereEveryPromiseWasKept(t *testing.T) {
	hunted := kept()
	hunted.hunted, hunted.kills, hunted.judged = true, 1, 0
	hunted.explained = map[string]int{extensionKilled: 2, handlerCrashed: 1}
	for _, o := range []observations{kept(), hunted} {
		if broken := o.judge(); len(broken) > 0 {
			t.Errorf("broken: %q", broken)
		}
	}
}

func TestEveryPromiseCanBeBroken(t *testing.T) {
	some := examples{count: 1, first: []string{"example"}}
	cases := map[string]struct {
		change func(*observations)
		want   string
	}{
		"a canary":                            {func(o *observations) { o.sightings = []sighting{{"the log", "hex", 7}} }, "the canary (hex) in line 7 of the log"},
		"canaries beyond those that are kept": {func(o *observations) { o.leaks = 5 }, "the canary 5 times more"},
		"a mixed pair":                        {func(o *observations) { o.mixed = some }, "another version were read together: 1 times: example"},
		"an altered value":                    {func(o *observations) { o.altered = some }, "never a value: 1 times: example"},
		"an unexplained failure":              {func(o *observations) { o.failures = some }, "without a cause of ours: 1 times: example"},
		"a failure of a function left alone":  {func(o *observations) { o.explained["a cause"] = 2 }, "2 invocations failed of a function that is left alone: a cause"},
		"growth":                              {func(o *observations) { o.grown = some }, "holds more and more: 1 times: example"},
		"what was found at the end":           {func(o *observations) { o.broken = []string{"stale"} }, "stale"},
		"no success":                          {func(o *observations) { o.successes = 0 }, "there was no successful invocation"},
		"no fault":                            {func(o *observations) { o.faults = 0 }, "there was no fault"},
		"no step of the clock":                {func(o *observations) { o.steps = 0 }, "there was no step"},
		"no full disk":                        {func(o *observations) { o.filled = 0 }, "there was no full disk"},
		"no rotation":                         {func(o *observations) { o.files = 0 }, "there was no rotation"},
		"no process to be judged":             {func(o *observations) { o.judged = 0 }, "there was no process"},
		"no kill":                             {func(o *observations) { o.hunted = true }, "there was no kill"},
	}
	for name, c := range cases {
		o := kept()
		c.change(&o)
		broken := o.judge()
		if len(broken) != 1 || !strings.HasPrefix(broken[0], "steady: ") || !strings.Contains(broken[0], c.want) {
			t.Errorf("%s: broken is %q, want one that holds %q", name, broken, c.want)
		}
	}
}

func TestFilesAreJudged(t *testing.T) {
	tidy := []string{"..data", "..generation-A", "PASSWORD_PATH", "tls"}
	cases := map[string]struct {
		names []string
		kept  bool
	}{
		"one generation":    {tidy, true},
		"a former one":      {append([]string{"..generation-B"}, tidy...), false},
		"none":              {[]string{"..data"}, false},
		"a link being made": {append([]string{"..link-C"}, tidy...), false},
	}
	for name, c := range cases {
		if err := judgeFiles(c.names); (err == nil) != c.kept {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProcessesAreJudged(t *testing.T) {
	const extension, handler = "/opt/extensions/secretwrap", "/var/task/handler"
	cases := map[string]struct {
		found []string
		kept  bool
	}{
		"both":               {[]string{extension, handler}, true},
		"an orphan":          {[]string{"/bin/sleep", extension, handler}, false},
		"a second extension": {[]string{extension, extension, handler}, false},
		"a zombie":           {[]string{extension, handler, "secretwrap in state Z (zombie)"}, false},
		"none":               {nil, false},
	}
	for name, c := range cases {
		if err := judgeProcesses(c.found); (err == nil) != c.kept {
			t.Errorf("%s: %v", name, err)
		}
	}
}
