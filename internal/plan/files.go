package plan

import (
	"fmt"
	"strings"

	"secretwrap/internal/problem"
	"secretwrap/internal/secretfiles"
	"secretwrap/internal/settings"
)

// checkFiles judges the paths of all files together.
func (b *builder) checkFiles() {
	var earlier []Target
	for _, target := range b.plan.Targets {
		if target.File == "" {
			continue
		}
		if p := b.checkFile(target, earlier); p != nil {
			b.fail(p, target.Label(), target.Origin)
			continue
		}
		earlier = append(earlier, target)
	}
}

// checkFile judges one path beside those before it.
func (b *builder) checkFile(target Target, earlier []Target) *problem.Problem {
	if err := secretfiles.CheckPath(target.File); err != nil {
		return &problem.Problem{
			Class: problem.Config, Cause: fmt.Sprintf("the file's path %q cannot be used: %v", target.File, err),
			Hint: "write a relative path without .. and without a dot at its start, such as tls/client.key",
		}
	}
	if b.plan.Dir == "" {
		return &problem.Problem{
			Class: problem.Config, Cause: "a file is wanted, but no directory is known for it",
			Hint: "set " + settings.Dir + " to an absolute path; in Lambda the default is /tmp/secretwrap",
		}
	}
	for _, other := range earlier {
		if overlap(target.File, other.File) {
			return &problem.Problem{
				Class: problem.Config, Cause: fmt.Sprintf("the file %q is in the way of %q, which %s declares", target.File, other.File, other.Label()),
				Hint: "give each file a path of its own; a file cannot be a directory too",
			}
		}
	}
	return nil
}

// overlap reports whether two paths are the same, or one is inside the other.
func overlap(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
