// The client of `etcd-snapshot` and `token`: where it has its token, and its
// time limit.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// clientTimeout is k3s's; the fault option timeout= shortens it for tests.
const clientTimeout = 2 * time.Minute

type snapshotClient struct{ *serverClient }

// newSnapshotClient takes the token or, when empty, server/token.
func newSnapshotClient(base, token string, l layout, f fault) (snapshotClient, error) {
	if f.is("cli-hang") {
		select {} // a command that no time limit of its own ends
	}
	if token == "" {
		text, err := os.ReadFile(l.server("token"))
		if err != nil {
			return snapshotClient{}, err
		}
		token = strings.TrimSpace(string(text))
	}
	parts, err := parseToken(token)
	if err != nil {
		return snapshotClient{}, err
	}
	c, err := connectServer(base, "server", parts, f.seconds("timeout", clientTimeout))
	return snapshotClient{c}, err
}

// post sends JSON and gives the body of a successful answer.
func (c snapshotClient) post(path string, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return c.send(http.MethodPost, path, body)
}

// send says of a refusal that the server's log has more.
func (c snapshotClient) send(method, path string, body []byte) ([]byte, error) {
	answer, err := c.do(method, path, body)
	var refused statusError
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("see server log for details: %s", refused.message)
	}
	return answer, err
}
