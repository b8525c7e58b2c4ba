//go:build linux

package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// samCommands are those on the pages whose help is compared with what is shown.
var samCommands = []string{"build", "deploy", "remote invoke", "delete"}

// samHelp returns what prints the help of each into a file.
func samHelp(t *testing.T) compiler {
	var code strings.Builder
	for _, command := range samCommands {
		code.WriteString("sam " + command + " --help >'{}/" + command + "'\n")
	}
	return compile(t, "sh", "-ec", `PATH=${XDG_CACHE_HOME:-$HOME/.cache}/secretwrap/builders/venv/bin:$PATH
export PATH SAM_CLI_TELEMETRY=0 __SAM_CLI_APP_DIR={}
`+code.String())
}

// samOptions are the options of a command of the SAM CLI's, and whether each takes a
// value.
func (d documentation) samOptions(t *testing.T, command string) map[string]bool {
	t.Helper()
	help, err := os.ReadFile(filepath.Join(compiled(t, d.samHelp), command))
	if err != nil {
		t.Fatalf("sam has no help on %q: %v", command, err)
	}
	options := make(map[string]bool)
	for _, line := range regexp.MustCompile(`(?m)^ +-.*$`).FindAllString(string(help), -1) {
		for _, option := range regexp.MustCompile(`(?:^ +|[,/] ?)(--[a-z0-9-]+)( [A-Z\[])?`).FindAllStringSubmatch(line, -1) {
			options[option[1]] = option[2] != ""
		}
	}
	return options
}

// samCall is a command as the stand-in for the SAM CLI was given it.
type samCall struct {
	dir, command string
	options      map[string]string
	arguments    []string
}

// readCall reads a line of what the stand-in notes, by the options that the CLI has.
func (d documentation) readCall(t *testing.T, line string) samCall {
	t.Helper()
	words := strings.Split(line, "\t")
	call := samCall{dir: words[0], options: make(map[string]string)}
	given := strings.Join(words[1:], " ") + " "
	at := slices.IndexFunc(samCommands, func(name string) bool { return strings.HasPrefix(given, name+" ") })
	if at < 0 {
		t.Fatalf("sam %s: none of the commands %q", given, samCommands)
	}
	call.command = samCommands[at]
	known := d.samOptions(t, call.command)
	words = words[1+len(strings.Fields(call.command)):]
	for i := 0; i < len(words); i++ {
		takesValue, isOption := known[words[i]]
		switch {
		case takesValue && i+1 == len(words):
			t.Errorf("sam %s: %s has no value", call.command, words[i])
		case takesValue:
			call.options[words[i]] = words[i+1]
			i++
		case isOption:
			call.options[words[i]] = ""
		case strings.HasPrefix(words[i], "-"):
			t.Errorf("sam %s has no %s", call.command, words[i])
		default:
			call.arguments = append(call.arguments, words[i])
		}
	}
	return call
}

// checkSAM follows a page through the example for SAM, from make on. A stand-in for the
// SAM CLI notes what it is told and where, since what it does needs more of AWS than
// moto has; that is compared with the CLI's help, and with the template.
func (d documentation) checkSAM(t *testing.T, s snippet) {
	builders(t, "sam")
	box := d.example(t, s)
	record := box.path("sam.txt")
	box.script(t, "sam", `case $1 in build | deploy) [ -e template.yaml ] && [ -e ../../dist/secretwrap-layer-x86_64.zip ] ;; esac
{ printf %s "$PWD"; printf '\t%s' "$@"; echo; } >>`+record+"\n")
	box.sh(t, shown(t, s.page, "sam"))
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	var calls []samCall
	var commands []string
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		call := d.readCall(t, line)
		calls, commands = append(calls, call), append(commands, call.command)
		if want := box.path("examples/sam"); call.dir != want {
			t.Errorf("sam %s is run in %s, not in %s", call.command, call.dir, want)
		}
	}
	if !slices.Equal(commands, samCommands) {
		t.Fatalf("the page has sam do %q, not %q", commands, samCommands)
	}
	checkStack(t, calls[1], calls[2], calls[3])
}

// checkStack checks that a stack of the template may be deployed, and that it is the
// one whose function is invoked, and which is deleted.
func checkStack(t *testing.T, deploy, invoke, remove samCall) {
	t.Helper()
	var template struct {
		Resources map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Role any `yaml:"Role"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(page(t, "examples/sam/template.yaml")), &template); err != nil {
		t.Fatal(err)
	}
	var functions []string
	capabilities := ""
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		functions = append(functions, name)
		if resource.Properties.Role == nil {
			capabilities = "CAPABILITY_IAM" // for the role that SAM makes
		}
	}
	if got := deploy.options["--capabilities"]; got != capabilities {
		t.Errorf("sam deploy has the capabilities %q, the template needs %q", got, capabilities)
	}
	if _, resolves := deploy.options["--resolve-s3"]; !resolves {
		t.Error("sam deploy has no bucket for the code")
	}
	stack := deploy.options["--stack-name"]
	if stack == "" || invoke.options["--stack-name"] != stack || remove.options["--stack-name"] != stack {
		t.Errorf("%q is deployed, a function of %q invoked, %q deleted", stack, invoke.options["--stack-name"], remove.options["--stack-name"])
	}
	if !slices.Equal(invoke.arguments, functions) {
		t.Errorf("%q is invoked, the template has the functions %q", invoke.arguments, functions)
	}
	if len(deploy.arguments)+len(remove.arguments) > 0 {
		t.Errorf("sam deploy takes no %q, sam delete no %q", deploy.arguments, remove.arguments)
	}
}
