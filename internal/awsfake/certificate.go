package awsfake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// Certificate is what is wrong with a server's certificate.
type Certificate string

// The certificates.
const (
	// Valid is issued by the server's own CA for the hosts of its Config.
	Valid Certificate = ""
	// Expired ended its validity a day ago.
	Expired Certificate = "expired"
	// SelfSigned is issued by nobody whom the CA knows.
	SelfSigned Certificate = "self-signed"
	// WrongHost is valid for another host than any that leads to the server.
	WrongHost Certificate = "wrong-host"
	// ExpiredAbove is Valid, but comes with a certificate for the server's own CA
	// by another authority that has expired, as some proxies still send.
	ExpiredAbove Certificate = "expired-above"
)

func (c Certificate) known() bool {
	return slices.Contains([]Certificate{Valid, Expired, SelfSigned, WrongHost, ExpiredAbove}, c)
}

// UnmarshalText implements encoding.TextUnmarshaler; a certificate that does not
// exist is an error.
func (c *Certificate) UnmarshalText(text []byte) error {
	*c = Certificate(text)
	if !c.known() {
		return fmt.Errorf("unknown certificate %q", text)
	}
	return nil
}

// identity is a server's certificate with the CA that issued it.
type identity struct {
	caPEM []byte
	leaf  tls.Certificate
}

func newIdentity(kind Certificate, hosts []string) (identity, error) {
	if !kind.known() {
		return identity{}, fmt.Errorf("unknown certificate %q", kind)
	}
	ca, caKey, err := issue(authorityTemplate(), nil, nil)
	if err != nil {
		return identity{}, err
	}
	issuer, issuerKey := ca, caKey
	if kind == SelfSigned {
		issuer, issuerKey = nil, nil
	}
	leaf, leafKey, err := issue(leafTemplate(kind, hosts), issuer, issuerKey)
	if err != nil {
		return identity{}, err
	}
	chain := [][]byte{leaf.Raw}
	if kind == ExpiredAbove {
		expired, err := crossSigned(caKey)
		if err != nil {
			return identity{}, err
		}
		chain = append(chain, expired.Raw)
	}
	return identity{
		caPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}),
		leaf:  tls.Certificate{Certificate: chain, PrivateKey: leafKey, Leaf: leaf},
	}, nil
}

// crossSigned returns a certificate for the CA with that key by another one, which
// ended its validity a day ago.
func crossSigned(key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	template := authorityTemplate()
	template.Subject.CommonName = "another CA"
	other, otherKey, err := issue(template, nil, nil)
	if err != nil {
		return nil, err
	}
	template = authorityTemplate()
	template.NotAfter = time.Now().Add(-24 * time.Hour)
	return sign(template, key, other, otherKey)
}

func authorityTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "awsfake CA"},
		NotBefore:             time.Now().Add(-72 * time.Hour),
		NotAfter:              time.Now().Add(72 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
}

func leafTemplate(kind Certificate, hosts []string) *x509.Certificate {
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "awsfake"},
		NotBefore:    time.Now().Add(-48 * time.Hour),
		NotAfter:     time.Now().Add(48 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	for _, host := range hosts {
		if address := net.ParseIP(host); address != nil {
			leaf.IPAddresses = append(leaf.IPAddresses, address)
		} else {
			leaf.DNSNames = append(leaf.DNSNames, host)
		}
	}
	switch kind {
	case Expired:
		leaf.NotAfter = time.Now().Add(-24 * time.Hour)
	case WrongHost:
		leaf.DNSNames, leaf.IPAddresses = []string{"wrong.invalid"}, nil
	}
	return leaf
}

// issue returns a certificate made from template with a new key. Without a
// parent it signs itself.
func issue(template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	certificate, err := sign(template, key, parent, parentKey)
	return certificate, key, err
}

// sign returns a certificate for the owner of key.
func sign(template *x509.Certificate, key *ecdsa.PrivateKey, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse a certificate: %w", err)
	}
	return certificate, nil
}
