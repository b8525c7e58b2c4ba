//go:build !lambda

package main

import (
	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
)

// build tells which of the two builds this is.
const build = "plain"

// runExtension refuses the role that only the layer's build has.
func runExtension(p process, environment *environ.Block) int {
	return newStart(p, environment).fail(problem.List{{
		Class: problem.Config, Cause: "this build has no extension", Hint: "put the program of the layer into /opt/extensions",
	}})
}
