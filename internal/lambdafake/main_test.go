package lambdafake_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The test binary is runtime and extension too: an extension when it is started
// from a directory called extensions, with the file's name for what it does; a
// runtime when its first argument says so, with the second for what it does.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(filepath.Dir(os.Args[0])) == "extensions":
		runExtension(filepath.Base(os.Args[0]))
	case len(os.Args) > 2 && os.Args[1] == "runtime":
		runRuntime(os.Args[2], os.Args[3:])
	default:
		os.Exit(m.Run())
	}
}

func runtimeAPI(path string) string {
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + path
}

// send makes one call to either API and returns headers and body of the answer.
func send(method, url, body string, header map[string]string) (http.Header, string) {
	r, _ := http.NewRequest(method, url, strings.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		os.Exit(70)
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	return got.Header, string(text)
}

func runRuntime(mode string, args []string) {
	switch mode {
	case "exits":
		os.Exit(map[string]int{"0": 0, "7": 7}[args[0]])
	case "reports":
		header := map[string]string{"Lambda-Runtime-Function-Error-Type": "Runtime.SecretNotFound"}
		send("POST", runtimeAPI("/2018-06-01/runtime/init/error"), `{"errorType":"Runtime.SecretNotFound","errorMessage":"no"}`, header)
		os.Exit(1)
	case "recovers":
		// Fails at the first start, of which the file tells the second one.
		if _, err := os.Stat(args[0]); err != nil {
			_ = os.WriteFile(args[0], nil, 0o600)
			os.Exit(1)
		}
	case "forks":
		child := exec.Command(os.Args[0], "runtime", "dials", args[0])
		child.Stdout = os.Stdout
		_ = child.Start()
	case "dials":
		conn, err := net.Dial("tcp", args[0])
		if err != nil {
			os.Exit(70)
		}
		_, _ = conn.Read(make([]byte, 1))
		return
	}
	serve(mode)
}

func serve(mode string) {
	for {
		header, payload := send("GET", runtimeAPI("/2018-06-01/runtime/invocation/next"), "", nil)
		base := runtimeAPI("/2018-06-01/runtime/invocation/" + header.Get("Lambda-Runtime-Aws-Request-Id"))
		switch mode {
		case "dies":
			os.Exit(3)
		case "hangs":
			hang()
		case "fails":
			send("POST", base+"/error", `{"errorType":"Function.Bad"}`, map[string]string{"Lambda-Runtime-Function-Error-Type": "Function.Bad"})
		case "environment":
			send("POST", base+"/response", environment(), nil)
		default:
			send("POST", base+"/response", "echo "+payload, nil)
		}
	}
}

// hang waits for a signal that nobody sends, which the Go runtime does not take
// for a deadlock.
func hang() {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGUSR1)
	<-never
}

// environment returns variables and working directory as JSON.
func environment() string {
	directory, _ := os.Getwd()
	text, _ := json.Marshal(append(os.Environ(), "cwd="+directory))
	return string(text)
}

func runExtension(mode string) {
	if mode == "silent" {
		hang()
	}
	events := `{"events":["INVOKE","SHUTDOWN"]}`
	if mode == "shutdown-only" {
		events = `{"events":["SHUTDOWN"]}`
	}
	header, _ := send("POST", runtimeAPI("/2020-01-01/extension/register"), events, map[string]string{"Lambda-Extension-Name": mode})
	identity := map[string]string{"Lambda-Extension-Identifier": header.Get("Lambda-Extension-Identifier")}
	switch mode {
	case "crashes":
		os.Exit(0)
	case "reports":
		identity["Lambda-Extension-Function-Error-Type"] = "Extension.Whatever"
		send("POST", runtimeAPI("/2020-01-01/extension/init/error"), `{}`, identity)
		os.Exit(1)
	case "environment":
		fmt.Println(environment())
	}
	for {
		_, text := send("GET", runtimeAPI("/2020-01-01/extension/event/next"), "", identity)
		var event struct{ EventType, ShutdownReason string }
		_ = json.NewDecoder(bytes.NewBufferString(text)).Decode(&event)
		fmt.Printf("%s: %s %s\n", mode, event.EventType, event.ShutdownReason)
		if mode == "quits" && event.EventType == "INVOKE" {
			os.Exit(9)
		}
		if mode != "stays" && event.EventType == "SHUTDOWN" {
			return
		}
	}
}

// variables returns what environment returned, as names and values.
func variables(t *testing.T, text []byte) map[string]string {
	t.Helper()
	var pairs []string
	if err := json.Unmarshal(text, &pairs); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if !slices.IsSorted(pairs[:len(pairs)-1]) {
		t.Errorf("the variables are not in order: %q", pairs)
	}
	out := make(map[string]string)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		out[name] = value
	}
	return out
}
