//go:build lambda

package main

// build tells which of the two builds this is.
const build = "lambda"
