package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"secretwrap/internal/environ"
	"secretwrap/internal/problem"
	"secretwrap/internal/settings"
	"secretwrap/internal/suggest"
)

// version is set when the program is built, see the Makefile.
var version = "development"

// runCommand is the command line.
func runCommand(p process, environment *environ.Block) (*launch, int) {
	command := ""
	var arguments []string
	if len(p.args) > 1 {
		command, arguments = p.args[1], p.args[2:]
	}
	switch command {
	case "exec":
		return runExec(p, environment, arguments)
	case "check":
		return runCheck(p, environment, arguments)
	case "policy":
		return runPolicy(p, environment, arguments)
	case "version", "--version", "-v":
		fmt.Fprintf(p.stdout, "secretwrap %s (%s build, %s %s/%s)\n", version, build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil, 0
	case "help", "--help", "-h":
		writeHelp(p.stdout)
		return nil, 0
	case "":
		return nil, misused(p, environment, "no command is given", "secretwrap exec -- PROGRAM [ARGUMENT…], or secretwrap help; in Lambda set AWS_LAMBDA_EXEC_WRAPPER to this program")
	}
	if lookPath(command) != "" {
		return nil, misused(p, environment, fmt.Sprintf("no such command: %q", command), "to start a program give its absolute path, or write secretwrap exec -- before it")
	}
	hint := "the commands are exec, check, policy, version and help; secretwrap help explains them"
	if near, ok := suggest.Nearest(command, []string{"exec", "check", "policy", "version", "help"}); ok {
		hint = "did you mean " + near + "?"
	}
	return nil, misused(p, environment, fmt.Sprintf("no such command: %q", command), hint)
}

// misused reports a wrong command line.
func misused(p process, environment *environ.Block, cause, hint string) int {
	return newStart(p, environment).fail(problem.List{{Class: problem.Config, Cause: cause, Hint: hint}})
}

// envFileOption names a .env file whose variables come beside those that are set.
const envFileOption = "--env-file"

// runExec starts a program of the user's with its secrets.
func runExec(p process, environment *environ.Block, command []string) (*launch, int) {
	if len(command) > 0 && slices.Contains([]string{"--help", "-h"}, command[0]) {
		writeHelp(p.stdout)
		return nil, 0
	}
	if len(command) > 0 && command[0] == envFileOption && (len(command) == 1 || command[1] == "--") {
		return nil, misused(p, environment, envFileOption+" names no file", "write secretwrap exec --env-file FILE -- PROGRAM [ARGUMENT…]")
	}
	if path, rest, found := cutEnvFile(command); found {
		return withEnvFile(p, environment, path, append([]string{"exec"}, rest...))
	}
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	} else if len(command) > 0 && strings.HasPrefix(command[0], "-") {
		option, _, _ := strings.Cut(command[0], "=") // what follows may be a password
		return nil, misused(p, environment, "exec has no option "+option, "write secretwrap exec [--env-file FILE] -- PROGRAM [ARGUMENT…]")
	}
	if len(command) == 0 {
		return nil, misused(p, environment, "no program is given", "write secretwrap exec -- PROGRAM [ARGUMENT…]")
	}
	s := newStart(p, environment)
	s.isCommand = true
	return s.prepare(lookPath(command[0]), command)
}

// cutEnvFile takes the option for a .env file off the beginning of arguments.
func cutEnvFile(arguments []string) (path string, rest []string, found bool) {
	if len(arguments) == 0 {
		return "", nil, false
	}
	if path, found := strings.CutPrefix(arguments[0], envFileOption+"="); found {
		return path, arguments[1:], true
	}
	if arguments[0] != envFileOption || len(arguments) == 1 {
		return "", nil, false
	}
	return arguments[1], arguments[2:], true
}

// lookPath returns the path of a program as a shell finds it, "" if PATH does
// not have it.
func lookPath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

const usage = `secretwrap puts AWS Secrets Manager secrets into a program's environment.

  secretwrap exec -- PROGRAM [ARGUMENT…]   resolve the references, then run the program
  secretwrap check                         say what each reference leads to, without its value
  secretwrap policy                        print the IAM policy that the references need
  secretwrap version                       print the version
  secretwrap help                          print this

In AWS Lambda set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap. References are the
values of variables:

  DB_PASSWORD=secretsmanager://prod/db#password
  DATABASE_URL=postgres://app:{{secretsmanager://prod/db?encode=url#password}}@db/app

exec, check and policy read the environment, and secretwrap.yaml if it is there:

  --env-file FILE         add the variables of a .env file; what is set stays

check and policy, on the command line of a laptop:

  --manifest FILE         read this manifest, as Lambda would
  --template FILE         read a function of a SAM or CloudFormation template instead
  --function NAME         which function, by its logical ID or the beginning of it
  --parameter NAME=VALUE  a parameter, or what else Ref names; may be repeated
  --offline               check: judge the configuration, do not ask Secrets Manager
  --json                  check: print JSON
  --account ID            policy: the account of secrets that are given by name
  --kms-key ARN           policy: the key of the secrets, or none; may be repeated

Settings:

`

// writeHelp prints the usage and every setting.
func writeHelp(out io.Writer) {
	var text strings.Builder
	text.WriteString(usage)
	for _, s := range settings.All() {
		fmt.Fprintf(&text, "  %s\n      %s\n", s.Name, s.About)
		if s.Default != "" {
			fmt.Fprintf(&text, "      default: %s\n", s.Default)
		}
	}
	_, _ = io.WriteString(out, text.String())
}
