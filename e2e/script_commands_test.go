//go:build linux

package e2e_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/lambdafake"
)

// commands returns the commands of scripts beside testscript's own. Whatever is
// started with starts or fails is searched for secrets.
//
//	starts COMMAND…               the command succeeds
//	fails STATUS COMMAND…         it ends with STATUS and starts no program
//	prints STATUS COMMAND…        it ends with STATUS, starts no program, and what it
//	                              prints is searched for secrets too
//	secretsmanager FILE           starts a Secrets Manager that FILE describes
//	calls SECRET N, calls total N how often it was called since
//	connections N                 how many connections it has seen
//	signed KEY                    the last call was signed with that access key
//	runtimeapi [HOST]             starts Lambda's Runtime API; the program is in Lambda
//	initerror TYPE REGEXP         what the caller of the function reads
//	proxy                         starts a proxy that leads to the Secrets Manager
//	proxied N                     how many connections it was asked for
//	credentials                   starts a container's endpoint for credentials
//	terminate FILE                sends SIGTERM to the process whose id is in FILE,
//	                              when the Secrets Manager is called
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"starts":         starts,
		"fails":          fails,
		"prints":         prints,
		"secretsmanager": startSecretsManager,
		"calls":          checkCalls,
		"connections":    checkConnections,
		"signed":         checkSigner,
		"runtimeapi":     startRuntimeAPI,
		"initerror":      checkInitError,
		"proxy":          startProxy,
		"proxied":        checkProxied,
		"credentials":    startCredentials,
		"terminate":      terminate,
	}
}

// usage ends a script that does not give a command the arguments it wants.
func usage(ts *testscript.TestScript, neg bool, args []string, least, most int) {
	if neg || len(args) < least || len(args) > most {
		ts.Fatalf("wrong use of a command: %d arguments, want %d to %d and no negation", len(args), least, most)
	}
}

const anyNumber = 1 << 20

func starts(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, anyNumber)
	if status := execute(ts, args); status != 0 {
		ts.Fatalf("exit status %d", status)
	}
}

func fails(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, anyNumber)
	status := execute(ts, args[1:])
	if want := number(ts, args[0]); status != want {
		ts.Fatalf("exit status %d, want %d", status, want)
	}
	if _, err := os.Stat(workspaceOf(ts).record()); err == nil || ts.ReadFile("stdout") != "" {
		ts.Fatalf("the program was started")
	}
	checkTold(ts)
}

func prints(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, anyNumber)
	status := execute(ts, args[1:])
	if want := number(ts, args[0]); status != want {
		ts.Fatalf("exit status %d, want %d", status, want)
	}
	s := workspaceOf(ts)
	if _, err := os.Stat(s.record()); err == nil {
		ts.Fatalf("a program was started")
	}
	s.checkLeaks(ts, ts.ReadFile("stdout"))
}

// execute runs a command, looks for leaks and returns its exit status, -1 if a
// signal has ended it.
func execute(ts *testscript.TestScript, args []string) int {
	s := workspaceOf(ts)
	ts.Check(os.RemoveAll(s.record()))
	err := ts.Exec(args[0], args[1:]...)
	s.checkLeaks(ts, ts.ReadFile("stderr"))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func startSecretsManager(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1)
	config, err := awsfake.Parse([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	server, err := awsfake.Start(config)
	ts.Check(err)
	ts.Defer(server.Close)
	s := workspaceOf(ts)
	s.server = server
	s.guard(config)
	ca := filepath.Join(s.work, "ca.pem")
	ts.Check(os.WriteFile(ca, server.CA(), 0o600))
	ts.Setenv("AWS_CA_BUNDLE", ca)
	ts.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL())
}

// secretsManager returns the one that a script has started last.
func secretsManager(ts *testscript.TestScript) *awsfake.Server {
	s := workspaceOf(ts)
	if s.server == nil {
		ts.Fatalf("no Secrets Manager: start one with secretsmanager FILE")
	}
	return s.server
}

func checkCalls(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 2)
	n := 0
	for _, call := range secretsManager(ts).Calls() {
		if args[0] == "total" || args[0] == call.SecretID {
			n++
		}
	}
	if want := number(ts, args[1]); n != want {
		ts.Fatalf("%d calls, want %d", n, want)
	}
}

func checkConnections(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1)
	if n, want := secretsManager(ts).Connections(), number(ts, args[0]); n != want {
		ts.Fatalf("%d connections, want %d", n, want)
	}
}

func checkSigner(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1)
	calls := secretsManager(ts).Calls()
	if len(calls) == 0 {
		ts.Fatalf("no calls")
	}
	if key := calls[len(calls)-1].Signature.AccessKeyID; key != args[0] {
		ts.Fatalf("signed with the key %q, want %q", key, args[0])
	}
}

func startRuntimeAPI(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, 1)
	api, err := lambdafake.StartAPI(lambdafake.APIConfig{})
	ts.Check(err)
	ts.Defer(api.Close)
	workspaceOf(ts).runtime = api
	address := api.Addr()
	if len(args) == 1 {
		_, port, _ := strings.Cut(address, ":")
		address = args[0] + ":" + port
	}
	ts.Setenv("AWS_LAMBDA_RUNTIME_API", address)
}

// initError is what a runtime tells about a start that has failed.
type initError struct{ ErrorType, ErrorMessage string }

// checkTold checks that a start that failed in Lambda was told to the caller of
// the function, in the right form and with nothing about the account.
func checkTold(ts *testscript.TestScript) {
	s := workspaceOf(ts)
	if s.runtime == nil {
		return
	}
	told := s.initErrors()
	if len(told) == 0 {
		ts.Fatalf("the caller of the function was told nothing")
	}
	last := told[len(told)-1]
	body := parseInitError(ts, last)
	if header := last.Header.Get("Lambda-Runtime-Function-Error-Type"); header != body.ErrorType {
		ts.Fatalf("the header says %q, the body %q", header, body.ErrorType)
	}
	if len(body.ErrorMessage) == 0 || len(body.ErrorMessage) > 4<<10 {
		ts.Fatalf("the message has %d bytes, want 1 to 4096", len(body.ErrorMessage))
	}
	for _, private := range []string{"arn:", "123456789012", "eu-west-1"} {
		if strings.Contains(string(last.Body), private) {
			ts.Fatalf("the caller reads %q: %s", private, last.Body)
		}
	}
}

func parseInitError(ts *testscript.TestScript, request lambdafake.Request) initError {
	var body initError
	if err := json.Unmarshal(request.Body, &body); err != nil {
		ts.Fatalf("the error is no JSON: %v: %s", err, request.Body)
	}
	return body
}

func checkInitError(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 2, 2)
	told := workspaceOf(ts).initErrors()
	if len(told) != 1 {
		ts.Fatalf("%d errors were told to the caller, want 1", len(told))
	}
	body := parseInitError(ts, told[0])
	if matched, err := regexp.MatchString(args[1], body.ErrorMessage); body.ErrorType != args[0] || !matched || err != nil {
		ts.Fatalf("the caller reads %s", told[0].Body)
	}
}

// patience is far above what anything here takes.
const patience = 10 * time.Second

func terminate(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1)
	server := secretsManager(ts)
	for deadline := time.Now().Add(patience); len(server.Calls()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("the Secrets Manager was not called")
		}
	}
	pid := number(ts, strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
}
