package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// cli is the user's aws command, version 1 or 2. Credentials are its business
// alone: nothing here reads them.
type cli struct{ path string }

func findCLI() (cli, error) {
	path, err := exec.LookPath("aws")
	if err != nil {
		return cli{}, errors.New("there is no aws command: install the AWS CLI, https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html")
	}
	return cli{path}, nil
}

// refusal is what the aws command says when it fails.
type refusal struct {
	action string
	said   string
}

func (r *refusal) Error() string {
	return r.action + ": " + r.said
}

// run runs a command line whose first word is aws, and returns what it prints.
func (c cli) run(ctx context.Context, argv []string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.path, argv[1:]...)
	// Version 2 would show what it prints in a pager, and may ask for arguments.
	cmd.Env = append(os.Environ(), "AWS_PAGER=", "AWS_CLI_AUTO_PROMPT=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	if err != nil {
		said := strings.TrimSpace(stderr.String())
		if said == "" {
			said = err.Error()
		}
		return nil, &refusal{strings.Join(argv[:3], " "), said}
	}
	return bytes.TrimSpace(out), nil
}

// ask runs a command that answers with JSON, and reports whether there is what it
// asks for: absent is the code of AWS's error that says no.
func (c cli) ask(ctx context.Context, answer any, absent string, argv []string) (bool, error) {
	out, err := c.run(ctx, argv)
	if refused, ok := errors.AsType[*refusal](err); ok && absent != "" && strings.Contains(refused.said, "("+absent+")") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(out, answer); err != nil {
		return false, fmt.Errorf("%s: the answer is no JSON: %w", strings.Join(argv[:3], " "), err)
	}
	return true, nil
}

// question returns a command line that asks for one part of an answer.
func question(service, operation, region, part string, args ...string) []string {
	argv := append([]string{"aws", service, operation, "--region", region}, args...)
	return append(argv, "--query", part, "--output", "json")
}

// account returns the ID of the account that the credentials belong to.
func (c cli) account(ctx context.Context, region string) (string, error) {
	var id string
	if _, err := c.ask(ctx, &id, "", question("sts", "get-caller-identity", region, "Account")); err != nil {
		return "", fmt.Errorf("%w\nAWS does not say whose account it is: sign in, for instance with aws sso login, or name another profile in AWS_PROFILE", err)
	}
	return id, nil
}

// newest returns the ARN of the newest version of a layer, and nothing if there is
// none.
func (c cli) newest(ctx context.Context, region, layer string) (string, error) {
	var arn string
	_, err := c.ask(ctx, &arn, "ResourceNotFoundException",
		question("lambda", "list-layer-versions", region, "max_by(LayerVersions, &Version).LayerVersionArn", "--layer-name", layer))
	return arn, err
}

// sum returns the checksum of a version. It asks for nothing else, because the
// whole answer holds an address that is good for a download.
func (c cli) sum(ctx context.Context, region, layer, number string) (string, error) {
	var sum string
	_, err := c.ask(ctx, &sum, "", question("lambda", "get-layer-version", region, "Content.CodeSha256", "--layer-name", layer, "--version-number", number))
	return sum, err
}

// statements returns the IDs of the statements in the policy of a version.
func (c cli) statements(ctx context.Context, region, layer, number string) ([]string, error) {
	var text string
	found, err := c.ask(ctx, &text, "ResourceNotFoundException",
		question("lambda", "get-layer-version-policy", region, "Policy", "--layer-name", layer, "--version-number", number))
	if err != nil || !found {
		return nil, err
	}
	var policy struct{ Statement []struct{ Sid string } }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, fmt.Errorf("the policy of %s, version %s, is no JSON: %w", layer, number, err)
	}
	var ids []string
	for _, statement := range policy.Statement {
		ids = append(ids, statement.Sid)
	}
	return ids, nil
}

// parameter returns the value of a parameter, and nothing if there is none.
func (c cli) parameter(ctx context.Context, region, name string) (string, error) {
	var value string
	_, err := c.ask(ctx, &value, "ParameterNotFound", question("ssm", "get-parameter", region, "Parameter.Value", "--name", name))
	return value, err
}

// compare returns what is to be done for each archive in each region, and tells it.
func (c cli) compare(ctx context.Context, r request, archives []archive, progress io.Writer) ([]publication, error) {
	var plan []publication
	for _, region := range r.regions {
		for _, a := range archives {
			p := newPublication(r, region, a)
			if err := p.compare(ctx, c, progress); err != nil {
				return nil, fmt.Errorf("%s: %w", p.label(), err)
			}
			plan = append(plan, p)
		}
	}
	return plan, nil
}
