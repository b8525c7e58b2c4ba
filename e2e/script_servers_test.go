//go:build linux

package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// startProxy starts a proxy and names it in HTTPS_PROXY and HTTP_PROXY. It
// leads to the Secrets Manager, whatever it is asked for.
func startProxy(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, 0)
	target, err := url.Parse(secretsManager(ts).URL())
	ts.Check(err)
	through := &proxy{target: target.Host}
	server := httptest.NewServer(through)
	ts.Defer(server.Close)
	workspaceOf(ts).proxied = func() int { return len(through.visits()) }
	ts.Setenv("HTTPS_PROXY", server.URL)
	ts.Setenv("HTTP_PROXY", server.URL)
}

// proxy leads to target, whatever it is asked for, or turns everybody away.
type proxy struct {
	target string
	// refusal is the status that turns away, 0 if none does.
	refusal int

	mu    sync.Mutex
	asked []visit
}

// visit is a request to a proxy.
type visit struct {
	// address is the host and port asked for.
	address string
	// login is the header in which the client names itself.
	login string
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, visit{r.RequestURI, r.Header.Get("Proxy-Authorization")})
	p.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
	case p.refusal != 0:
		// The worst that a proxy can say about it.
		http.Error(w, "not with "+r.Header.Get("Proxy-Authorization"), p.refusal)
	default:
		tunnel(w, p.target)
	}
}

// visits returns the requests so far.
func (p *proxy) visits() []visit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// start returns the address at which the proxy answers until the test ends.
func (p *proxy) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return server.URL
}

// tunnel joins the client's connection with one to address.
func tunnel(w http.ResponseWriter, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, "no server", http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, buffered); _ = server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
	both.Wait()
}

func checkProxied(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 1, 1)
	s := workspaceOf(ts)
	if s.proxied == nil {
		ts.Fatalf("no proxy: start one with proxy")
	}
	if n, want := s.proxied(), number(ts, args[0]); n != want {
		ts.Fatalf("%d requests to the proxy, want %d", n, want)
	}
}

// startCredentials starts what gives a container its role's credentials. Lambda
// has it under SnapStart.
func startCredentials(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, args, 0, 0)
	const token = "an-invented-token"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != token {
			http.Error(w, "no token", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"AccessKeyId":"AKIDCONTAINER","SecretAccessKey":"an-invented-key","Token":"an-invented-token","Expiration":%q}`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	ts.Defer(server.Close)
	ts.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL+"/role")
	ts.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
}
