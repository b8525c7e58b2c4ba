package awssecrets

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxAnswer is the largest answer that is read. A secret has at most 65,536
// bytes, six times that when every one is escaped in JSON; the rest is names.
const maxAnswer = 512 << 10

// maxHeaders is how many bytes come before the body of an answer at most, those of
// interim answers and of a proxy's included. Secrets Manager sends some hundred;
// net/http would take ten million from each of 32 connections.
const maxHeaders = 64 << 10

var (
	errTooLarge    = errors.New("answer is too large")
	errEncoded     = errors.New("answer is compressed")
	errUnreadable  = errors.New("answer cannot be read")
	errPlainPublic = errors.New("plain http to a public address")
)

// newHTTPClient returns the one client for Secrets Manager. It speaks HTTP/1.1
// only, because GODEBUG=http2debug=2, an ordinary variable of the function,
// makes Go print the bodies of HTTP/2. It follows no redirect, which would carry
// the signature on.
func newHTTPClient(config Config) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	direct, proxy := &dialer{}, http.ProxyFromEnvironment
	if config.Plain() {
		// A proxy would look the name up itself, out of refusePublic's sight.
		direct.ControlContext, proxy = refusePublic, nil
	}
	dial := direct.DialContext
	if config.Dial != nil {
		dial = config.Dial
	}
	trusting := func(roots *x509.CertPool) *http.Transport {
		return &http.Transport{
			Proxy:               proxy,
			DialContext:         dial,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DisableCompression:  true,
			MaxIdleConnsPerHost: config.Connections,
			IdleConnTimeout:     30 * time.Second,
			Protocols:           &protocols,

			MaxResponseHeaderBytes: maxHeaders,
			OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
				if answer.StatusCode == http.StatusOK {
					return nil
				}
				return proxyRefusal(answer.StatusCode)
			},
		}
	}
	var transport http.RoundTripper = trusting(config.roots)
	if config.amazonFirst {
		transport = &amazonFirst{amazon: trusting(amazonPool()), system: trusting(nil)}
	}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     bounded{transport},
	}
}

// proxyRefusal is the status with which a proxy turns a connection away.
type proxyRefusal int

// Error implements error.
func (r proxyRefusal) Error() string {
	return "the proxy refused the connection: HTTP " + strconv.Itoa(int(r))
}

// refusePublic keeps plain http, which is for emulators, off the internet.
func refusePublic(_ context.Context, _, address string, _ syscall.RawConn) error {
	host, err := netip.ParseAddrPort(address)
	if err != nil || !isLocal(host.Addr()) {
		return errPlainPublic
	}
	return nil
}

func isLocal(address netip.Addr) bool {
	return address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast()
}

// bounded refuses answers that no honest Secrets Manager sends.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	request, err := inMemory(request)
	if err != nil {
		return nil, err
	}
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if err := unacceptable(response); err != nil {
		response.Body.Close()
		return nil, err
	}
	response.Body = &limitedBody{response.Body, maxAnswer}
	if response.StatusCode/100 == 2 {
		response.Body = &strictBody{ReadCloser: response.Body, length: response.ContentLength}
	}
	return response, nil
}

// unacceptable says why the body of an answer must not be read, nil if it may be.
func unacceptable(response *http.Response) error {
	encoding := strings.Join(response.Header.Values("Content-Encoding"), "")
	switch {
	case response.StatusCode == http.StatusSwitchingProtocols:
		// Nothing would end the reading: net/http no longer watches the context.
		return errUnreadable
	case encoding != "" && encoding != "identity":
		return errEncoded
	case response.ContentLength > maxAnswer:
		return errTooLarge
	}
	return nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (b bounded) CloseIdleConnections() {
	if closer, ok := b.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// inMemory returns the request with a body that net/http knows to be in memory.
// The SDK closes its own body as soon as an answer begins; where the server is
// quick, net/http is then still reading it, takes that for a failure, and drops
// the connection in the middle of the answer.
func inMemory(request *http.Request) (*http.Request, error) {
	if request.Body == nil {
		return request, nil
	}
	defer request.Body.Close()
	content, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	sent := request.WithContext(request.Context())
	sent.Body = io.NopCloser(bytes.NewReader(content))
	sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return sent, nil
}

// limitedBody fails after left bytes, where io.LimitReader would end as if the
// answer were complete.
type limitedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	if b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
