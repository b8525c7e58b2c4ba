package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
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
	if len(p.args) > 1 {
		command = p.args[1]
	}
	switch command {
	case "exec":
		return runExec(p, environment, p.args[2:])
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
	hint := "the commands are exec, version and help; secretwrap help explains them"
	if near, ok := suggest.Nearest(command, []string{"exec", "version", "help"}); ok {
		hint = "did you mean " + near + "?"
	}
	return nil, misused(p, environment, fmt.Sprintf("no such command: %q", command), hint)
}

// misused reports a wrong command line.
func misused(p process, environment *environ.Block, cause, hint string) int {
	return newStart(p, environment).fail(problem.List{{Class: problem.Config, Cause: cause, Hint: hint}})
}

// runExec starts a program of the user's with its secrets.
func runExec(p process, environment *environ.Block, command []string) (*launch, int) {
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	} else if len(command) > 0 && strings.HasPrefix(command[0], "-") {
		return nil, misused(p, environment, "exec has no options", "write secretwrap exec -- PROGRAM [ARGUMENT…]")
	}
	if len(command) == 0 {
		return nil, misused(p, environment, "no program is given", "write secretwrap exec -- PROGRAM [ARGUMENT…]")
	}
	s := newStart(p, environment)
	s.isCommand = true
	return s.prepare(lookPath(command[0]), command)
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
  secretwrap version                       print the version
  secretwrap help                          print this

In AWS Lambda set AWS_LAMBDA_EXEC_WRAPPER=/opt/secretwrap. References are the
values of variables:

  DB_PASSWORD=secretsmanager://prod/db#password
  DATABASE_URL=postgres://app:{{secretsmanager://prod/db?encode=url#password}}@db/app

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
