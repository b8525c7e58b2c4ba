package awssecrets_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"secretwrap/internal/awssecrets"
	"secretwrap/internal/problem"
)

// holder has a certificate and its key.
type holder struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// signed returns a holder for 127.0.0.1, changed, whom by has signed, he himself if
// that is nil.
func signed(t *testing.T, by *holder, change func(*x509.Certificate)) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: rand.Text()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true,
	}
	change(template)
	if by == nil {
		by = &holder{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.certificate, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{certificate, key}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage, c.IPAddresses = true, x509.KeyUsageCertSign, nil
}

// serving starts a server that shows a chain of certificates, and returns the error
// of a call to it that trusts root.
func serving(t *testing.T, root *holder, config *tls.Config, chain ...*holder) error {
	t.Helper()
	shown := tls.Certificate{PrivateKey: chain[0].key}
	for _, h := range chain {
		shown.Certificate = append(shown.Certificate, h.certificate.Raw)
	}
	config.Certificates = []tls.Certificate{shown}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"Name":"prod/db","SecretString":%q}`, canary)
	}))
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := writeFile(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.certificate.Raw}))
	_, err := get(t, newClient(t, function(map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": ca})), "prod/db")
	return err
}

func TestACertificateMustBeForTheServerAndItsTask(t *testing.T) {
	root := signed(t, nil, authority)
	elsewhere := signed(t, root, func(c *x509.Certificate) {
		authority(c)
		c.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
	})
	fine := func(*x509.Certificate) {}
	if err := serving(t, root, &tls.Config{}, signed(t, root, fine)); err != nil {
		t.Fatalf("nothing is wrong: %v", err)
	}
	for name, chain := range map[string][]*holder{
		"not yet valid":        {signed(t, root, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })},
		"a name as its title":  {signed(t, root, func(c *x509.Certificate) { c.Subject.CommonName, c.IPAddresses = "127.0.0.1", nil })},
		"for clients":          {signed(t, root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })},
		"beyond a constraint":  {signed(t, elsewhere, fine), elsewhere},
		"of an unknown signer": {signed(t, signed(t, nil, authority), fine)},
		"of one who may not":   {signed(t, signed(t, root, fine), fine), signed(t, root, fine)},
	} {
		t.Run(name, func(t *testing.T) {
			wantFailure(t, asError(t, serving(t, root, &tls.Config{}, chain...)), problem.Unavailable, awssecrets.Never, "the server's certificate cannot be verified")
		})
	}
}

func TestAServerThatWantsACertificateGetsNone(t *testing.T) {
	root := signed(t, nil, authority)
	leaf := signed(t, root, func(*x509.Certificate) {})
	if err := serving(t, root, &tls.Config{ClientAuth: tls.RequestClientCert}, leaf); err != nil {
		t.Errorf("a server that can do without: %v", err)
	}
	err := serving(t, root, &tls.Config{ClientAuth: tls.RequireAnyClientCert}, leaf)
	wantFailure(t, asError(t, err), problem.Unavailable, awssecrets.Always, "the connection failed")
}
