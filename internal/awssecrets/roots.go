package awssecrets

import (
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"secretwrap/internal/problem"
)

// amazonRoots are the five certificates that Amazon Trust Services asks clients
// to trust, https://www.amazontrust.com/repository/. They sign AWS's servers.
//
//go:embed roots.pem
var amazonRoots []byte

// maxBundle is the largest AWS_CA_BUNDLE that is read, in bytes; the system's own
// has a quarter of a million.
const maxBundle = 4 << 20

// loadRoots decides who is trusted. AWS_CA_BUNDLE replaces everybody. Otherwise
// it is the system's store, which honours SSL_CERT_FILE and SSL_CERT_DIR; but
// Amazon's own servers are first tried with Amazon's own authorities, since
// parsing the system's takes more CPU than all else that a start does.
func (c *Config) loadRoots(environment map[string]string) problem.List {
	if c.CABundle == "" {
		c.amazonFirst = isAmazon(c.Endpoint) && environment["SSL_CERT_DIR"] == "" && !holdsSomething(environment["SSL_CERT_FILE"])
		return nil
	}
	c.roots = x509.NewCertPool()
	if pem, err := readBundle(c.CABundle); err == nil && c.roots.AppendCertsFromPEM(pem) {
		return nil
	}
	return problem.List{{
		Class: problem.Config, Variable: "AWS_CA_BUNDLE", Cause: "the file holds no readable certificate",
		Hint: "name a file of PEM certificates, or remove the variable",
	}}
}

// isAmazon reports whether an endpoint, empty for a region's own, is one of
// Amazon's, such as that of an interface endpoint in a VPC.
func isAmazon(endpoint string) bool {
	if endpoint == "" {
		return true
	}
	address, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.ToLower(address.Hostname())
	return slices.ContainsFunc([]string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"}, func(domain string) bool {
		return strings.HasSuffix(host, domain)
	})
}

// holdsSomething reports whether there is a file that is not empty. Lambda's
// bootstrap for .NET names a SSL_CERT_FILE that does not exist.
func holdsSomething(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// readBundle reads a regular file. It never waits, as reading a pipe would.
func readBundle(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
		return nil, errors.New("not a file of certificates")
	}
	return io.ReadAll(io.LimitReader(file, maxBundle))
}

// amazonFirst trusts Amazon's authorities until a server turns out to be signed
// by somebody else, such as a proxy that opens TLS. From then on it trusts the
// system's store.
type amazonFirst struct {
	amazon, system *http.Transport
	useSystem      atomic.Bool
}

// amazonPool returns Amazon's authorities.
func amazonPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(amazonRoots)
	return pool
}

// RoundTrip implements http.RoundTripper. A request that is made twice has not
// been sent the first time: the certificate is checked before.
func (a *amazonFirst) RoundTrip(request *http.Request) (*http.Response, error) {
	if a.useSystem.Load() {
		return a.system.RoundTrip(request)
	}
	response, err := a.amazon.RoundTrip(request)
	if !mayBeTrusted(err) {
		return response, err
	}
	a.useSystem.Store(true)
	again, failed := rewound(request)
	if failed != nil {
		return nil, failed
	}
	return a.system.RoundTrip(again)
}

// rewound returns the request with its body from the beginning.
func rewound(request *http.Request) (*http.Request, error) {
	if request.GetBody == nil {
		return request, nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	again := request.WithContext(request.Context())
	again.Body = body
	return again, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (a *amazonFirst) CloseIdleConnections() {
	a.amazon.CloseIdleConnections()
	a.system.CloseIdleConnections()
}

// mayBeTrusted reports whether a server was refused for those above it, about
// whom the system's store may know better: nobody is known, or the way up that
// the server sent leads over a certificate that is not valid.
func mayBeTrusted(err error) bool {
	refused, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		return false
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return true
	}
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && !invalid.Cert.Equal(refused.UnverifiedCertificates[0])
}
