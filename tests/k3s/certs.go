// Certificates and keys as k3s makes them: ECDSA P-256, CAs for ten years,
// leaves for one.
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// leafSpec says what a certificate is for; server and client may both hold.
type leafSpec struct {
	caCert, caKey  string
	cert, key      string
	cn             string
	orgs           []string
	dns            []string
	ips            []net.IP
	server, client bool
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	return key, writeFile(path, block, 0o600)
}

func readKey(path string) (crypto.Signer, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseECPrivateKey(block)
}

func readCert(path string) (*x509.Certificate, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(block)
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: no PEM block", path)
	}
	return block.Bytes, nil
}

func serial() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 62))
}

// ensureCA makes a self-signed CA unless both its files are there.
func ensureCA(name, certPath, keyPath string) error {
	if exists(certPath) && exists(keyPath) {
		return nil
	}
	key, err := newKey(keyPath)
	if err != nil {
		return err
	}
	number, err := serial()
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          number,
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", name, now.Unix())},
		NotBefore:             now.Add(-time.Minute),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	return writeFile(certPath, certPEM(der), 0o644)
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// ensureLeaf makes a certificate and its key, followed in the file by its CA,
// unless the one on disk still fits the CA, the names and the clock.
func ensureLeaf(s leafSpec) error {
	ca, err := readCert(s.caCert)
	if err != nil {
		return err
	}
	if leafFits(s, ca) == nil {
		return nil
	}
	caKey, err := readKey(s.caKey)
	if err != nil {
		return err
	}
	key, err := newKey(s.key)
	if err != nil {
		return err
	}
	number, err := serial()
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: number,
		Subject:      pkix.Name{CommonName: s.cn, Organization: s.orgs},
		NotBefore:    ca.NotBefore,
		NotAfter:     time.Now().AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  s.usages(),
		DNSNames:     s.dns,
		IPAddresses:  s.ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		return err
	}
	return writeFile(s.cert, append(certPEM(der), certPEM(ca.Raw)...), 0o644)
}

func (s leafSpec) usages() []x509.ExtKeyUsage {
	var out []x509.ExtKeyUsage
	if s.server {
		out = append(out, x509.ExtKeyUsageServerAuth)
	}
	if s.client {
		out = append(out, x509.ExtKeyUsageClientAuth)
	}
	return out
}

func leafFits(s leafSpec, ca *x509.Certificate) error {
	cert, err := readCert(s.cert)
	if err != nil {
		return err
	}
	key, err := readKey(s.key)
	if err != nil {
		return err
	}
	if !cert.PublicKey.(*ecdsa.PublicKey).Equal(key.Public()) {
		return errors.New("key of another certificate")
	}
	if err := cert.CheckSignatureFrom(ca); err != nil {
		return err
	}
	if time.Now().After(cert.NotAfter.AddDate(0, -1, 0)) {
		return errors.New("expires soon")
	}
	for _, name := range s.dns {
		if err := cert.VerifyHostname(name); err != nil {
			return err
		}
	}
	for _, ip := range s.ips {
		if err := cert.VerifyHostname(ip.String()); err != nil {
			return err
		}
	}
	if cert.Subject.CommonName != s.cn || !bytes.Equal([]byte(fmt.Sprint(cert.Subject.Organization)), []byte(fmt.Sprint(s.orgs))) {
		return errors.New("another subject")
	}
	return nil
}
