package awsfake_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"secretwrap/internal/awsfake"
)

func TestTheCertificateIsTheOneAskedFor(t *testing.T) {
	tests := map[awsfake.Certificate]string{
		awsfake.Valid:        "",
		awsfake.ExpiredAbove: "",
		awsfake.Expired:      "expired",
		awsfake.SelfSigned:   "unknown authority",
		awsfake.WrongHost:    "doesn't contain any IP SANs",
	}
	for kind, want := range tests {
		server := start(t, awsfake.Config{Certificate: kind})
		_, err := call(t, server, `{"SecretId":"a"}`)
		if got := fmt.Sprint(err); (want == "") != (err == nil) || !strings.Contains(got, want) {
			t.Errorf("certificate %q: error %v, want %q", kind, err, want)
		}
	}
}

func TestTheCertificateIsValidForTheHostsOfTheConfig(t *testing.T) {
	const host = "secretsmanager.eu-west-1.amazonaws.com"
	server := start(t, awsfake.Config{Hosts: []string{host, "127.1.2.3"}})
	caller := client(server)
	transport := caller.Transport.(*http.Transport)
	for _, name := range []string{host, "127.1.2.3", "localhost", "127.0.0.1", "[::1]"} {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(server.URL(), "https://"))
		}
		got, err := caller.Do(newRequest(t.Context(), "https://"+name, `{"SecretId":"a"}`))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got.Body.Close()
	}
}

func TestHTTP2IsOfferedOverTLS(t *testing.T) {
	server := start(t, awsfake.Config{})
	for proto, force := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
		caller := client(server)
		caller.Transport.(*http.Transport).ForceAttemptHTTP2 = force
		got, err := caller.Do(newRequest(t.Context(), server.URL(), `{"SecretId":"a"}`))
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		calls := server.Calls()
		if last := calls[len(calls)-1]; last.Proto != proto {
			t.Errorf("Proto = %q, want %q", last.Proto, proto)
		}
	}
}
