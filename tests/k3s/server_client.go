// A client of a server's supervisor port: the token's CA hash, Basic auth, and
// the words of its errors.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type serverClient struct {
	base     string
	user     string
	password string
	http     *http.Client
}

// statusError is a message that the server gave with its refusal.
type statusError struct{ message string }

func (e statusError) Error() string { return e.message }

// connectServer trusts the server's CA when its digest is the token's.
func connectServer(base, user string, token tokenParts, limit time.Duration) (*serverClient, error) {
	c := &serverClient{base: base, user: user, password: token.password}
	c.http = &http.Client{Timeout: limit,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	ca, err := c.do(http.MethodGet, "/cacerts", nil)
	if err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	sum := sha256.Sum256(ca)
	if hash := hex.EncodeToString(sum[:]); token.caHash != "" && token.caHash != hash {
		return nil, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", token.caHash, hash)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	return c, nil
}

// as is the same connection with another user of the same password.
func (c *serverClient) as(user string) *serverClient {
	other := *c
	other.user = user
	return &other
}

// get gives the body of a successful answer.
func (c *serverClient) get(path string) ([]byte, error) { return c.do(http.MethodGet, path, nil) }

func (c *serverClient) do(method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(c.user, c.password)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if _, warning, ok := strings.Cut(response.Header.Get("Warning"), "299 - "); ok {
		logrus.Warn(strings.Trim(warning, `"`))
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return text, nil
	}
	var status metav1.Status
	if json.Unmarshal(text, &status) == nil && status.Message != "" {
		return nil, statusError{status.Message}
	}
	return nil, errors.New(strings.TrimSpace(string(text)))
}
