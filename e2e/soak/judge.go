package main

import (
	"fmt"
	"slices"
	"strings"
)

// observations are what was seen of one function.
type observations struct {
	name string
	// hunted is set if processes are killed. Where they are not, no invocation may fail
	// but the one at the end whose handler is told to crash.
	hunted bool
	counts
	// sightings of the canary are the first ones of leaks.
	sightings []sighting
	leaks     int
	// lives is how many processes of the extension were seen, judged how many of them
	// long enough, grown those that hold more and more.
	lives, judged int
	grown         examples
	faults, steps int
	filled        int
	// broken is what was found at the end.
	broken []string
}

// judge returns every promise that is broken.
func (o observations) judge() []string {
	var broken []string
	breaks := func(format string, args ...any) {
		broken = append(broken, o.name+": "+fmt.Sprintf(format, args...))
	}
	for _, s := range o.sightings {
		breaks("%v", s)
	}
	if more := o.leaks - len(o.sightings); more > 0 {
		breaks("the canary %d times more", more)
	}
	for what, x := range map[string]examples{
		"a certificate and the key of another version were read together": o.mixed,
		"something was read that was never a value":                       o.altered,
		"an invocation failed without a cause of ours":                    o.failures,
		"the extension holds more and more":                               o.grown,
	} {
		if x.count > 0 {
			breaks("%s: %d times: %s", what, x.count, strings.Join(x.first, "; "))
		}
	}
	for cause, n := range o.explained {
		if cause != handlerCrashed && !o.hunted {
			breaks("%d invocations failed of a function that is left alone: %s", n, cause)
		}
	}
	for _, one := range o.broken {
		breaks("%s", one)
	}
	slices.Sort(broken)
	return append(broken, o.missing()...)
}

// missing returns what did not happen, so that nothing is known about it.
func (o observations) missing() []string {
	happened := map[string]int{
		"successful invocation": o.successes, "fault of Secrets Manager": o.faults, "step of the clock": o.steps,
		"full disk": o.filled, "rotation that arrived": o.files,
	}
	if o.hunted {
		happened["kill"] = o.kills
	} else {
		happened["process that lived long enough to be judged"] = o.judged
	}
	var missing []string
	for what, n := range happened {
		if n == 0 {
			missing = append(missing, fmt.Sprintf("%s: nothing is known: there was no %s", o.name, what))
		}
	}
	slices.Sort(missing)
	return missing
}

// judgeFiles judges the names in the directory of file copies when all readers have
// had their time: one generation, and the links that lead through it.
func judgeFiles(names []string) error {
	generations := 0
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "..generation-"):
			generations++
		case name == "..data", name == "tls", name == "PASSWORD_PATH":
		default:
			return fmt.Errorf("%q is left in the directory of files", name)
		}
	}
	if generations != 1 {
		return fmt.Errorf("%d generations of files are left, not one", generations)
	}
	return nil
}

// judgeProcesses judges what runs in an environment that waits for an invocation.
func judgeProcesses(found []string) error {
	want := []string{"/opt/extensions/secretwrap", "/var/task/handler"}
	if !slices.Equal(found, want) {
		return fmt.Errorf("%q run in the environment, not %q", found, want)
	}
	return nil
}
