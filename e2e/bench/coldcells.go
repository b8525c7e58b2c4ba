package main

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Which parts of the layer a function has.
const (
	noLayer     = "no layer"
	wrapperOnly = "wrapper alone"
	noHandover  = "extension, no hand-over"
	handover    = "extension, hand-over"
)

// Where a function with them starts.
const (
	alone     = "nothing beside it"
	beside    = "beside an extension that takes 100 ms"
	throttled = "at the CPU share of 128 MB"
)

// smallMemory is the memory in MB of a throttled function.
const smallMemory = 128

// coldSecrets is how many secrets a function has.
const coldSecrets = 3

// coldCell is one way to cold-start a function.
type coldCell struct {
	where, has string
	samples    []coldSample
}

// coldSample is what one cold start took.
type coldSample struct {
	// init is from the start of the extensions until the runtime asks for work.
	init time.Duration
	// calls is how many Secrets Manager got until the environment ended.
	calls int
	// way is how the wrapper got the secrets, in its own word: directly or from
	// the extension.
	way string
	// extension is the memory of the layer's extension after the first invocation.
	extension resident
}

// coldCells returns all cells, without the throttled ones unless CPU can be
// limited.
func coldCells(limited bool) []*coldCell {
	var list []*coldCell
	for _, where := range []string{alone, beside} {
		for _, has := range []string{noLayer, wrapperOnly, noHandover, handover} {
			list = append(list, &coldCell{where: where, has: has})
		}
	}
	if !limited {
		return list
	}
	for _, has := range []string{noLayer, wrapperOnly, handover} {
		list = append(list, &coldCell{where: throttled, has: has})
	}
	return list
}

// env returns the function's configuration.
func (c *coldCell) env() []string {
	var env []string
	if c.where == throttled {
		env = append(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(smallMemory))
	}
	if c.has == noHandover {
		env = append(env, "SECRETWRAP_HANDOVER=off")
	}
	return append(env, secretVariables(c.has)...)
}

// secretVariables returns the variables with the secrets: themselves where
// nobody resolves references.
func secretVariables(has string) []string {
	if has != noLayer {
		return append(references(coldSecrets, "secretsmanager://"+smallName+"#password"), execWrapper)
	}
	env := make([]string, coldSecrets)
	for i := range env {
		env[i] = fmt.Sprintf("SECRET_%03d=%s", i, smallPassword)
	}
	return env
}

// took matches what the wrapper logs at the end of a start that went well.
var took = regexp.MustCompile(`(?m), [0-9]+ ms, ([a-z]+) \[SecretsDelivered\]$`)

// wayIn returns how the wrapper got the secrets, "" if the log does not tell.
func wayIn(log string) string {
	match := took.FindStringSubmatch(log)
	if match == nil {
		return ""
	}
	return match[1]
}

// extended reports whether the layer's extension is there.
func (c *coldCell) extended() bool { return c.has == noHandover || c.has == handover }
