// The HTTP side of `etcd-snapshot`: token, CA check, Basic auth, time limit.
package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clientTimeout is k3s's; the fault option timeout= shortens it for tests.
const clientTimeout = 2 * time.Minute

type snapshotClient struct {
	base     string
	password string
	http     *http.Client
}

// newSnapshotClient takes the token (or, when empty, server/token) and trusts
// the server's CA when its digest is the token's.
func newSnapshotClient(base, token string, l layout, f fault) (*snapshotClient, error) {
	if f.is("cli-hang") {
		select {} // a command that no time limit of its own ends
	}
	if token == "" {
		text, err := os.ReadFile(l.server("token"))
		if err != nil {
			return nil, err
		}
		token = strings.TrimSpace(string(text))
	}
	parts, err := parseToken(token)
	if err != nil {
		return nil, err
	}
	c := &snapshotClient{base: base, password: parts.password}
	c.http = &http.Client{Timeout: f.seconds("timeout", clientTimeout),
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	ca, err := c.do(http.MethodGet, "/cacerts", nil)
	if err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	sum := sha256.Sum256(ca)
	if hash := hex.EncodeToString(sum[:]); parts.caHash != "" && parts.caHash != hash {
		return nil, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", parts.caHash, hash)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	c.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	return c, nil
}

// post sends JSON and gives the body of a successful answer.
func (c *snapshotClient) post(path string, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return c.do(http.MethodPost, path, body)
}

func (c *snapshotClient) do(method, path string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth("server", c.password)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return text, nil
	}
	var status metav1.Status
	if json.Unmarshal(text, &status) == nil && status.Message != "" {
		return nil, fmt.Errorf("see server log for details: %s", status.Message)
	}
	return nil, fmt.Errorf("%s", strings.TrimSpace(string(text)))
}
