package awssecrets_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
)

// storeVariable names a directory of certificates that is the system's store for
// a child. It is SSL_CERT_DIR by another name, unknown to what is tested.
const storeVariable = "AWSSECRETS_TEST_STORE"

// child asks twice for the secret prod/db with the environment of this process,
// and prints its value or what went wrong.
func child() int {
	net.DefaultResolver = scriptedResolver()
	environment := make(map[string]string)
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		environment[name] = value
	}
	if store := environment[storeVariable]; store != "" {
		os.Setenv("SSL_CERT_DIR", store)
	}
	config, problems := awssecrets.Load(environment, nil)
	if len(problems) > 0 {
		fmt.Print(problems)
		return 1
	}
	client := awssecrets.New(config)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var document awssecrets.Document
	for range 2 {
		var err error
		if document, err = client.Get(ctx, awssecrets.Request{Secret: "prod/db"}, 10*time.Second); err != nil {
			fmt.Print(err)
			return 1
		}
	}
	os.Stdout.Write(document.Value.Reveal())
	return 0
}

// inChild returns what a process with that environment alone prints.
func inChild(t *testing.T, environment map[string]string) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program)
	command.Env = []string{childVariable + "=1", "HOME=" + t.TempDir()}
	for name, value := range environment {
		command.Env = append(command.Env, name+"="+value)
	}
	var out bytes.Buffer
	command.Stdout = &out
	if err := command.Run(); err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String()
}

// proxyTo returns a proxy that leads to one server whatever it is asked for, with
// the count of what it was asked for.
func proxyTo(t *testing.T, address string) (string, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusForbidden)
			return
		}
		server, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer server.Close()
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		fmt.Fprint(client, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(server, client)
		io.Copy(client, server)
	}))
	t.Cleanup(proxy.Close)
	return proxy.URL, &asked
}

func TestSecretsManagerIsReachedThroughTheProxy(t *testing.T) {
	t.Parallel()
	server := start(t, awsfake.Config{Hosts: []string{"absent.test"}, Secrets: []awsfake.Secret{{
		Name: "prod/db", Versions: []awsfake.Version{{String: new(canary)}},
	}}})
	proxy, asked := proxyTo(t, strings.TrimPrefix(server.URL(), "https://"))
	environment := function(map[string]string{
		"AWS_ENDPOINT_URL": "https://absent.test", "AWS_CA_BUNDLE": writeFile(t, server.CA()), "HTTPS_PROXY": proxy,
	})
	if got := inChild(t, environment); got != canary || asked.Load() != 1 {
		t.Errorf("through the proxy: %q, which was asked %d times", got, asked.Load())
	}
	environment["NO_PROXY"] = ".test"
	if got := inChild(t, environment); got != "the name of the server cannot be resolved" || asked.Load() != 1 {
		t.Errorf("past the proxy: %q, which was asked %d times", got, asked.Load())
	}
}

func TestPlainHTTPNeverGoesThroughAProxy(t *testing.T) {
	t.Parallel()
	proxy, asked := proxyTo(t, "")
	environment := function(map[string]string{"AWS_ENDPOINT_URL": "http://public.test", "HTTP_PROXY": proxy})
	if got := inChild(t, environment); got != "plain http to a public address would show the secrets to the network" || asked.Load() != 0 {
		t.Errorf("%q, and the proxy was asked %d times", got, asked.Load())
	}
}
