// The server token: K10<sha256 of the CA bundle>::<user>:<password>.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// tokenParts is a parsed token; caHash is empty for a bare password.
type tokenParts struct{ caHash, user, password string }

// parseToken takes a full token or a bare password. A text that begins with K10
// but isn't a full token is refused.
func parseToken(text string) (tokenParts, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return tokenParts{}, errors.New("token must not be empty")
	}
	if !strings.HasPrefix(text, "K10") {
		return tokenParts{user: "server", password: text}, nil
	}
	hash, rest, ok := strings.Cut(text[len("K10"):], "::")
	if raw, err := hex.DecodeString(hash); !ok || err != nil || len(raw) != sha256.Size {
		return tokenParts{}, errors.New("invalid token format")
	}
	user, password, ok := strings.Cut(rest, ":")
	if !ok || password == "" {
		return tokenParts{}, errors.New("invalid token format")
	}
	return tokenParts{caHash: hash, user: user, password: password}, nil
}

// formatToken gives the line of server/token for a CA bundle and a password.
func formatToken(caBundle []byte, password string) string {
	sum := sha256.Sum256(caBundle)
	return "K10" + hex.EncodeToString(sum[:]) + "::server:" + password
}

// tokenHash gives the 12 hex digits under which k3s knows a password: in the
// /bootstrap key and in the annotation of a snapshot.
func tokenHash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])[:12]
}

func randomHex(n int) string {
	raw := make([]byte, n)
	if _, err := rand.Read(raw); err != nil {
		panic(fmt.Sprintf("no randomness: %v", err))
	}
	return hex.EncodeToString(raw)
}
