//go:build !lambda

package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/environ"
	"secretwrap/internal/policy"
	"secretwrap/internal/problem"
	"secretwrap/internal/visible"
)

// managedPolicy is how many characters a managed policy may have, blanks not
// counted. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const managedPolicy = 6144

// runPolicy prints the IAM policy that the references need. It asks nobody.
func runPolicy(p process, environment *environ.Block, arguments []string) (*launch, int) {
	var from source
	var keys list
	options := from.options("policy")
	account := options.String("account", "", "")
	options.Var(&keys, "kms-key", "")
	if next, status, done := from.begin(p, environment, options, arguments); done {
		return next, status
	}
	c := from.read(p, environment)
	c.problems = append(c.problems, checkPolicyOptions(*account, keys)...)
	if len(c.problems) > 0 {
		return nil, c.start.fail(c.problems)
	}
	access, _ := awssecrets.Load(c.start.variables, nil) // of all this the region alone matters
	if problems := access.CheckRegion(requests(c.plan)); len(problems) > 0 {
		return nil, c.start.fail(problems)
	}
	made := policy.For(c.plan, policy.Options{Region: access.Region, Account: cmp.Or(*account, "*"), Keys: keys, NoKeys: slices.Contains(keys, noKey)})
	text := made.JSON()
	if _, err := p.stdout.Write(text); err != nil {
		return nil, c.start.fail(problem.List{outputProblem()})
	}
	notes := c.notes
	for _, warning := range c.warnings {
		notes = append(notes, strings.TrimPrefix(warning.Label+": "+warning.Text, ": "))
	}
	for _, note := range append(notes, c.explain(*account, keys, text)...) {
		_, _ = io.WriteString(p.stderr, "secretwrap: note: "+visible.Line(note)+"\n")
	}
	return nil, 0
}

// noKey says that no secret has a key of one's own.
const noKey = "none"

// checkPolicyOptions judges what is no configuration of a function.
func checkPolicyOptions(account string, keys []string) (problems problem.List) {
	if account != "" && !regexp.MustCompile(`^[0-9]{12}$`).MatchString(account) {
		problems = append(problems, commandProblem("the account is not one", "write 12 digits: --account 123456789012"))
	}
	key := regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
	if len(keys) > 1 && slices.Contains(keys, noKey) {
		problems = append(problems, commandProblem("the keys are none, and others", "keep --kms-key none, or the ARNs"))
	}
	for _, given := range keys {
		if given != noKey && !key.MatchString(given) {
			problems = append(problems, commandProblem("the key is not the ARN of a KMS key, which alone IAM understands",
				"write --kms-key arn:aws:kms:REGION:ACCOUNT:key/ID, or none"))
		}
	}
	return problems
}

// explain says what cannot be said inside a policy.
func (c *configuration) explain(account string, keys []string, text []byte) (notes []string) {
	byName := slices.ContainsFunc(requests(c.plan), func(r awssecrets.Request) bool { return r.Region == "" })
	if account == "" && byName {
		notes = append(notes, "the account of secrets that are given by name is not known, * stands for it; --account ID says it")
	}
	const decrypt = "only secrets with a KMS key of your own need the statement DecryptSecrets. It allows to decrypt nothing but these secrets, and through Secrets Manager only; the key's own policy must allow it too"
	switch {
	case len(keys) == 0:
		notes = append(notes, decrypt+". --kms-key ARN names the key, --kms-key none leaves the statement out")
	case keys[0] != noKey:
		notes = append(notes, decrypt)
	}
	if size := len(strings.Join(strings.Fields(string(text)), "")); size > managedPolicy {
		notes = append(notes, fmt.Sprintf("the policy has %d characters, and a managed one may have %d: make several, or keep several fields in one secret", size, managedPolicy))
	}
	return notes
}
