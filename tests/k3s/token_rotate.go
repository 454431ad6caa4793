// `k3s token rotate`: another password for the same cluster. The server that
// runs goes on with the old one until it is started again.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/urfave/cli/v2"
)

const tokenPath = "/v1-k3s/token"

type tokenRequest struct {
	NewToken *string `json:"newToken,omitempty"`
}

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name: "token", Usage: "Manage tokens (stand-in: rotate only)",
		Subcommands: []*cli.Command{{
			Name: "rotate", Usage: "Rotate original server token with a new server token", Action: cliRotate,
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "data-dir", Aliases: []string{"d"}, EnvVars: []string{"K3S_DATA_DIR"}, Usage: "(data) Folder to hold state"},
				&cli.StringFlag{Name: "token", Aliases: []string{"t"}, EnvVars: []string{"K3S_TOKEN"}, Usage: "(cluster) Existing token used to join a server or agent to a cluster"},
				&cli.StringFlag{Name: "server", Aliases: []string{"s"}, EnvVars: []string{"K3S_URL"}, Value: "https://127.0.0.1:9345", Usage: "(cluster) Server to connect to"},
				&cli.StringFlag{Name: "new-token", Usage: "New token that replaces existing token"},
			},
		}},
	}
}

func cliRotate(c *cli.Context) error {
	fmt.Println("\033[33mWARNING\033[0m: Keep a record of the old token. A snapshot can only be restored with the token that it was taken under.")
	l, err := resolveDataDir(c.String("data-dir"))
	if err != nil {
		return err
	}
	client, err := newSnapshotClient(c.String("server"), c.String("token"), l, fault{})
	if err != nil {
		return err
	}
	next := c.String("new-token")
	body, err := json.Marshal(tokenRequest{NewToken: &next})
	if err != nil {
		return err
	}
	if _, err := client.send(http.MethodPut, tokenPath, body); err != nil {
		return err
	}
	time.Sleep(time.Second) // k3s waits for other servers' etcd here
	fmt.Println("Token rotated, restart k3s nodes with new token")
	return nil
}

func (w *supervisor) rotate(rw http.ResponseWriter, r *http.Request) {
	if !w.authorized(r, "server") {
		writeStatus(rw, http.StatusUnauthorized, notAuthorized)
		return
	}
	var request tokenRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		writeStatus(rw, http.StatusBadRequest, err.Error())
		return
	}
	password := ""
	if request.NewToken != nil {
		password = *request.NewToken
	}
	if password == "" {
		password = randomHex(16)
	}
	if err := rotateToken(r.Context(), w.server, password); err != nil {
		writeStatus(rw, http.StatusInternalServerError, err.Error())
	}
}

// rotateToken writes cred/passwd and server/token and stores the bootstrap data
// under the new password alone. What the server answers to stays the old one.
func rotateToken(ctx context.Context, s *server, password string) error {
	old := passwdPassword(s.layout)
	if err := writePasswd(s.layout, password); err != nil {
		return err
	}
	ca, err := os.ReadFile(s.tls("server-ca.crt"))
	if err != nil {
		return err
	}
	if err := writeFile(s.layout.server("token"), []byte(formatToken(ca, password)+"\n"), 0o600); err != nil {
		return err
	}
	if err := storeBootstrap(ctx, s.etcd, s.layout, password); err != nil {
		return err
	}
	if old == password {
		return nil
	}
	_, err = s.etcd.Delete(ctx, "/bootstrap/"+tokenHash(old))
	return err
}
