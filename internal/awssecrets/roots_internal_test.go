package awssecrets

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// trustedBy returns a server whose authority one of the two transports knows, a
// client with both, and what tells of connections that the server saw closed.
func trustedBy(t *testing.T, system bool, handler http.HandlerFunc) (*httptest.Server, *amazonFirst, <-chan struct{}) {
	t.Helper()
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	trusting := func(roots *x509.CertPool) *http.Transport {
		return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	}
	if system {
		return server, &amazonFirst{amazon: trusting(x509.NewCertPool()), system: trusting(known)}, closed
	}
	return server, &amazonFirst{amazon: trusting(known), system: trusting(x509.NewCertPool())}, closed
}

func TestDisconnectClosesWhoeverWasTrusted(t *testing.T) {
	for _, system := range []bool{false, true} {
		server, transport, closed := trustedBy(t, system, func(http.ResponseWriter, *http.Request) {})
		client := &http.Client{Transport: bounded{transport}}
		response, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if system {
			<-closed // the one on which Amazon's authorities were asked
		}
		client.CloseIdleConnections()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Errorf("by the system's store %v: the connection stays open", system)
		}
	}
}

// onceBody can be read until it is closed, as files can.
type onceBody struct {
	io.Reader
	closed bool
}

// Read implements io.Reader.
func (o *onceBody) Read(p []byte) (int, error) {
	if o.closed {
		return 0, io.ErrClosedPipe
	}
	return o.Reader.Read(p)
}

// Close implements io.Closer.
func (o *onceBody) Close() error {
	o.closed = true
	return nil
}

func TestStartingOverSendsTheWholeBody(t *testing.T) {
	got := make(chan string, 1)
	server, transport, _ := trustedBy(t, true, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	})
	body := func() (io.ReadCloser, error) { return &onceBody{Reader: strings.NewReader("body")}, nil }
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Body, _ = body()
	request.GetBody, request.ContentLength = body, 4
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if text := <-got; text != "body" {
		t.Errorf("sent %q", text)
	}
}
