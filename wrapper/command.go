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
	hint := "the commands are exec, version and help; secretwrap help explains them"
	if near, ok := suggest.Nearest(command, []string{"exec", "version", "help"}); ok {
		hint = "did you mean " + near + "?"
	}
	return nil, misused(p, environment, fmt.Sprintf("no such command: %q", command), hint)
}

// misused reports a command line that asks for nothing that there is.
func misused(p process, environment *environ.Block, cause, hint string) int {
	return newStart(p, environment).fail(problem.List{{Class: problem.Config, Cause: cause, Hint: hint}})
}

// runExec starts a program of the user's with its secrets.
func runExec(p process, environment *environ.Block, command []string) (*launch, int) {
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return nil, misused(p, environment, "no program is given", "write secretwrap exec -- PROGRAM [ARGUMENT…]")
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		class, cause := problem.NoProgram, "no such program"
		if !strings.Contains(err.Error(), exec.ErrNotFound.Error()) {
			class, cause = problem.NotExecutable, "the file is not executable"
		}
		return nil, newStart(p, environment).fail(problem.List{{Class: class, Variable: command[0], Cause: cause, Hint: "check the path, or PATH"}})
	}
	return newStart(p, environment).launch(path, command)
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
