// server/cred/passwd and the token files: lines `password,user,uid,role`.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// passwdPassword gives the password of the user "server", or "" where there is none.
func passwdPassword(l layout) string {
	file, err := os.Open(l.cred("passwd"))
	if err != nil {
		return ""
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if f := strings.Split(lines.Text(), ","); len(f) == 4 && f[1] == "server" {
			return f[0]
		}
	}
	return ""
}

// givenToken is the token of --token, or else of --token-file; "" when neither is given.
func givenToken(o serverOptions) (string, error) {
	if o.token != "" || o.tokenFile == "" {
		return o.token, nil
	}
	text, err := os.ReadFile(o.tokenFile)
	return strings.TrimSpace(string(text)), err
}

// serverPassword decides this server's password: the given token's, else the
// one in cred/passwd, else a new one. A start from a datastore that is there opens
// it by server/token, before cred/passwd: so SQLite's database and that file are
// enough, and a token file of another time is in the way. Neither a cluster-reset
// nor a new cluster of etcd reads that file: so a restore of etcd that has nothing
// else fails as k3s's does.
func serverPassword(l layout, o serverOptions, fromDatastore bool) (string, error) {
	given, err := givenToken(o)
	if err != nil {
		return "", err
	}
	if given != "" {
		parts, err := parseToken(given)
		if err != nil {
			return "", err
		}
		return parts.password, nil
	}
	if text, err := os.ReadFile(l.server("token")); err == nil && fromDatastore {
		if parts, err := parseToken(strings.TrimSpace(string(text))); err == nil {
			return parts.password, nil
		}
	}
	if old := passwdPassword(l); old != "" {
		return old, nil
	}
	return randomHex(16), nil
}

// ensurePasswd writes cred/passwd unless it is there: a wrong token must not
// replace the right one before the datastore has judged it.
func ensurePasswd(l layout, password string) error {
	if passwdPassword(l) != "" {
		return nil
	}
	return writePasswd(l, password)
}

func writePasswd(l layout, password string) error {
	text := fmt.Sprintf("%s,node,node,k3s:agent\n%s,server,server,k3s:server\n", password, password)
	return writeFile(l.cred("passwd"), []byte(text), 0o600)
}

// writeTokenFiles writes server/token with the current CA's hash and the
// links beside it.
func writeTokenFiles(l layout, password string) error {
	ca, err := os.ReadFile(l.tls("server-ca.crt"))
	if err != nil {
		return err
	}
	if err := writeFile(l.server("token"), []byte(formatToken(ca, password)+"\n"), 0o600); err != nil {
		return err
	}
	for _, name := range []string{"node-token", "agent-token"} {
		link := l.server(name)
		_ = os.Remove(link)
		if err := os.Symlink(l.server("token"), link); err != nil {
			return err
		}
	}
	return nil
}
