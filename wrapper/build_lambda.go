//go:build lambda

package main

import "secretwrap/internal/environ"

// build tells which of the two builds this is.
const build = "lambda"

// runCheck, runPolicy and withEnvFile refuse what only the build for laptops has.
func runCheck(p process, environment *environ.Block, _ []string) (*launch, int) {
	return nil, notHere(p, environment, "check")
}

func runPolicy(p process, environment *environ.Block, _ []string) (*launch, int) {
	return nil, notHere(p, environment, "policy")
}

func withEnvFile(p process, environment *environ.Block, _ string, _ []string) (*launch, int) {
	return nil, notHere(p, environment, envFileOption)
}

func notHere(p process, environment *environ.Block, what string) int {
	return misused(p, environment, "the layer's build has no "+what, "use the build for laptops: make build, then dist/secretwrap")
}
