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
	none := slices.Contains(keys, noKey)
	made := policy.For(c.plan, policy.Options{Region: access.Region, Account: cmp.Or(*account, "*"), Keys: keys, NoKeys: none})
	text := made.JSON()
	_, _ = p.stdout.Write(text)
	for _, note := range c.notes {
		writeNote(p.stderr, note)
	}
	c.explain(p.stderr, *account == "", none, len(keys) > 0, len(strings.Join(strings.Fields(string(text)), "")))
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
	for _, given := range keys {
		if given != noKey && !key.MatchString(given) {
			problems = append(problems, commandProblem("the key is not the ARN of a KMS key, which alone IAM understands",
				"write --kms-key arn:aws:kms:REGION:ACCOUNT:key/ID, or none"))
		}
	}
	return problems
}

// explain says what cannot be said inside a policy.
func (c *configuration) explain(out io.Writer, anyAccount, noKeys, named bool, size int) {
	byName := slices.ContainsFunc(requests(c.plan), func(r awssecrets.Request) bool { return r.Region == "" })
	if anyAccount && byName {
		writeNote(out, "the account of secrets that are given by name is not known, * stands for it; --account ID says it")
	}
	if !noKeys {
		text := "only secrets with a KMS key of your own need the statement DecryptSecrets. It allows to decrypt nothing but these secrets, and through Secrets Manager only; the key's own policy must allow it too"
		if !named {
			text += ". --kms-key ARN names the key, --kms-key none leaves the statement out"
		}
		writeNote(out, text)
	}
	if size > managedPolicy {
		writeNote(out, fmt.Sprintf("the policy has %d characters, and a managed one may have %d: make several, or keep several fields in one secret", size, managedPolicy))
	}
}

func writeNote(out io.Writer, text string) {
	_, _ = io.WriteString(out, "secretwrap: note: "+visible.Line(text)+"\n")
}
