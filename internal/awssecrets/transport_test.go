package awssecrets_test

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"secretwrap/internal/awsfake"
	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

func TestCallsSpeakHTTP11AlthoughHTTP2IsOffered(t *testing.T) {
	server := holding(t)
	if _, err := get(t, clientOf(t, server), "prod/db"); err != nil {
		t.Fatal(err)
	}
	if proto := server.Calls()[0].Proto; proto != "HTTP/1.1" {
		t.Errorf("the call speaks %s", proto)
	}
	offered, err := tls.Dial("tcp", strings.TrimPrefix(server.URL(), "https://"), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer offered.Close()
	if protocol := offered.ConnectionState().NegotiatedProtocol; protocol != "h2" {
		t.Errorf("the server offers %q: the test proves nothing", protocol)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var followed atomic.Bool
		elsewhere := answering(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
		endpoint := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) })
		got := failure(t, clientAt(t, endpoint), "prod/db")
		wantFailure(t, got, problem.Unavailable, awssecrets.Never, "the answer is a redirect, which is not followed")
		if followed.Load() {
			t.Errorf("status %d was followed", status)
		}
	}
}

func TestConnectionsAreKeptAlive(t *testing.T) {
	large := strings.Repeat("x", 60_000)
	config := awsfake.Config{Secrets: []awsfake.Secret{
		{Name: "large", Versions: []awsfake.Version{{String: &large}}},
		{Name: "refused", Faults: []awsfake.Fault{awsfake.Throttled, awsfake.Denied, awsfake.ErrorHTML, awsfake.HTML, awsfake.Nothing}},
	}}
	inBubble(t, config, func(t *testing.T, server *awsfake.Server, client *awssecrets.Client) {
		for range 200 {
			if _, err := get(t, client, "large"); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			failure(t, client, "refused")
		}
		if n := server.Connections(); n != 1 {
			t.Errorf("%d connections for calls one after another", n)
		}
	})
}

func TestAHugeAnswerTakesLittleMemory(t *testing.T) {
	const limit = 16 << 20
	client := clientOf(t, holding(t, awsfake.Oversized))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got := failure(t, client, "prod/db")
	runtime.ReadMemStats(&after)
	wantFailure(t, got, problem.Unavailable, awssecrets.Never, "the answer is larger than any secret")
	if took := after.TotalAlloc - before.TotalAlloc; took > limit {
		t.Errorf("an answer of 200 MiB took %d bytes of memory", took)
	}
}

func TestTheLargestSecretIsRead(t *testing.T) {
	// Six bytes each in JSON, when a server writes them as it may.
	largest := strings.Repeat("\x01", 65_536)
	server := start(t, awsfake.Config{Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{String: &largest}}}}})
	got, err := get(t, clientOf(t, server), "a")
	if err != nil || string(got.Value.Reveal()) != largest {
		t.Errorf("error %v", err)
	}
}

func TestACertificateThatCannotBeVerifiedIsFinal(t *testing.T) {
	for _, certificate := range []awsfake.Certificate{awsfake.Expired, awsfake.SelfSigned, awsfake.WrongHost} {
		server := start(t, awsfake.Config{Certificate: certificate})
		got := failure(t, clientOf(t, server), "prod/db")
		wantFailure(t, got, problem.Unavailable, awssecrets.Never, "the server's certificate cannot be verified")
		if !strings.Contains(got.Hint, "AWS_CA_BUNDLE") || len(server.Calls()) != 0 {
			t.Errorf("%s: hint %q, %d calls", certificate, got.Hint, len(server.Calls()))
		}
	}
}

func TestWithoutABundleTheSystemDecides(t *testing.T) {
	server := holding(t)
	client := newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": server.URL()}))
	wantFailure(t, failure(t, client, "prod/db"), problem.Unavailable, awssecrets.Never, "the server's certificate cannot be verified")
}

func TestABundleWithoutCertificatesIsAConfigurationError(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, bundle := range map[string]string{
		"missing": "/nonexistent/bundle.pem",
		"garbage": writeFile(t, []byte(canary)),
		"empty":   writeFile(t, nil),
		"folder":  t.TempDir(),
		"pipe":    pipe,
		"endless": "/dev/zero",
	} {
		_, problems := awssecrets.Load(function(map[string]string{"AWS_CA_BUNDLE": bundle}), nil)
		if len(problems) != 1 || problems[0].Class != problem.Config || problems[0].Variable != "AWS_CA_BUNDLE" || strings.Contains(problems[0].Error()+problems[0].Hint, canary) {
			t.Errorf("%s: problems %v", name, problems)
		}
	}
}

func TestTLSOlderThan12IsRefused(t *testing.T) {
	for version, accepted := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"Name":"prod/db","SecretString":"value"}`)
		}))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: version}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		ca := writeFile(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
		client := newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": ca}))
		_, err := get(t, client, "prod/db")
		if accepted != (err == nil) {
			t.Errorf("%s: error %v", tls.VersionName(version), err)
		}
		if !accepted {
			wantFailure(t, asError(t, err), problem.Unavailable, awssecrets.Always, "the connection failed")
		}
	}
}

func TestFaultsOfTheNetworkAreToldApart(t *testing.T) {
	closed := listen(t)
	closed.Close()
	tests := []struct {
		name, endpoint string
		class          problem.Class
		retry          awssecrets.Retry
		cause          string
	}{
		{"nobody listens", "http://" + closed.Addr().String(), problem.Unavailable, awssecrets.Always, "the connection failed"},
		{"no way leads there", "https://224.0.0.1", problem.Unavailable, awssecrets.Always, "the connection failed"},
		{"the name does not exist", "https://absent.test", problem.Unavailable, awssecrets.Never, "the name of the server cannot be resolved"},
		{"the name server fails", "https://broken.test", problem.Unavailable, awssecrets.Always, "the name of the server cannot be resolved"},
		{"plain http to a name that leads outside", "http://public.test", problem.Config, awssecrets.Never, "plain http to a public address would show the secrets to the network"},
		{"plain http in other case to a name that leads outside", "HTTP://public.test", problem.Config, awssecrets.Never, "plain http to a public address would show the secrets to the network"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := clientAt(t, test.endpoint).Get(t.Context(), awssecrets.Request{Secret: "prod/db"}, 2*time.Second)
			wantFailure(t, asError(t, err), test.class, test.retry, test.cause)
		})
	}
}

func TestPlainHTTPReachesANameThatStaysInside(t *testing.T) {
	server := start(t, awsfake.Config{PlainHTTP: true, Secrets: []awsfake.Secret{{Name: "a", Versions: []awsfake.Version{{String: new(canary)}}}}})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL(), "http://"))
	if _, err := get(t, clientAt(t, "http://local.test:"+port), "a"); err != nil {
		t.Error(err)
	}
}

// cutOff announces an answer, sends its beginning, and closes the connection, in an
// orderly way or not.
func cutOff(status int, beginning string, orderly bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		fmt.Fprintf(buffered, "HTTP/1.1 %d Status\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 200\r\n\r\n%s", status, beginning)
		buffered.Flush()
		if !orderly {
			connection.(*net.TCPConn).SetLinger(0)
		}
		connection.Close()
	}
}

func TestAnAnswerThatIsCutOffIsAskedForAgain(t *testing.T) {
	for _, status := range []int{200, 400, 403, 500} {
		for _, beginning := range []string{"", `{"__type":"AccessDenied`, `{"SecretString":"` + canary} {
			for _, orderly := range []bool{false, true} {
				got := failure(t, clientAt(t, answering(t, cutOff(status, beginning, orderly))), "prod/db")
				wantFailure(t, got, problem.Unavailable, awssecrets.Always, "the connection failed")
			}
		}
	}
}

func TestA200ThatCannotBeReadIsAskedForAgain(t *testing.T) {
	for _, body := range []string{`{"SecretString":"` + canary, `[]`, `"` + canary + `"`, `7`, "\x00", `{"SecretString":{}}`} {
		endpoint := answering(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
		got := failure(t, clientAt(t, endpoint), "prod/db")
		if got.Class != problem.Unavailable || got.Retry != awssecrets.Always || strings.Contains(got.Cause+got.Hint, canary) {
			t.Errorf("%q: %+v", body, *got)
		}
	}
}
