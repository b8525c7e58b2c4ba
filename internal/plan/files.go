package plan

import (
	"fmt"
	"slices"
	"strings"

	"secretwrap/internal/problem"
	"secretwrap/internal/secretfiles"
	"secretwrap/internal/settings"
)

// Files returns a plan of nothing but the files, under no variable's name, and
// the secrets they need.
func (p *Plan) Files() *Plan {
	files := &Plan{Dir: p.Dir, MaxEnvValue: p.MaxEnvValue}
	indexes := make(map[int]int)
	for _, target := range p.Targets {
		if target.File == "" {
			continue
		}
		target.Name = ""
		target.Parts = slices.Clone(target.Parts)
		for i, part := range target.Parts {
			if part.Ref == nil {
				continue
			}
			index, known := indexes[part.Secret]
			if !known {
				index = len(files.Secrets)
				indexes[part.Secret] = index
				files.Secrets = append(files.Secrets, p.Secrets[part.Secret])
			}
			target.Parts[i].Secret = index
		}
		files.Targets = append(files.Targets, target)
	}
	return files
}

// checkFile judges the path of a target, if it has one, beside those before it.
func (b *builder) checkFile(target Target) *problem.Problem {
	if target.File == "" {
		return nil
	}
	const form = "write a relative path without .. and without a dot at its start, such as tls/client.key"
	if err := secretfiles.CheckPath(target.File); err != nil {
		return &problem.Problem{Class: problem.Config, Cause: err.Error(), Hint: form}
	}
	if target.File[0] == '~' || strings.Contains(target.File, "$") {
		return &problem.Problem{Class: problem.Config, Cause: fmt.Sprintf("file %q: no shell replaces ~ or $ in the path", target.File), Hint: form}
	}
	if b.plan.Dir == "" {
		return &problem.Problem{
			Class: problem.Config, Cause: "a file is wanted, but no directory is known for it",
			Hint: "set " + settings.Dir + " to an absolute path; in Lambda the default is /tmp/secretwrap",
		}
	}
	for _, other := range b.plan.Targets {
		if other.File != "" && overlap(target.File, other.File) {
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
