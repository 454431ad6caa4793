// Secrets encryption as k3s sets it up: AES-CBC with a key of its own in
// server/cred/encryption-config.json, part of the bootstrap data.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
)

// Names that k3s gives to the files in the bootstrap data.
const (
	bootstrapEncryptionConfig = "EncryptionConfig"
	bootstrapEncryptionHash   = "EncryptionHash"
)

func encryptionConfigFile(l layout) string { return l.cred("encryption-config.json") }
func encryptionStateFile(l layout) string  { return l.cred("encryption-state.json") }

// ensureEncryption makes the configuration with a new key and its state file,
// unless the server doesn't encrypt or they are there.
func ensureEncryption(l layout) error {
	if !l.encrypts {
		return nil
	}
	if !exists(encryptionConfigFile(l)) {
		text, err := newEncryptionConfig()
		if err != nil {
			return err
		}
		if err := writeFile(encryptionConfigFile(l), text, 0o600); err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		return writeFile(encryptionStateFile(l), []byte("start-"+hex.EncodeToString(sum[:])), 0o600)
	}
	return nil
}

func newEncryptionConfig() ([]byte, error) {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	type named struct {
		Name   string `json:"name"`
		Secret string `json:"secret"`
	}
	type provider struct {
		AESCBC   *map[string][]named `json:"aescbc,omitempty"`
		Identity *struct{}           `json:"identity,omitempty"`
	}
	type resource struct {
		Resources []string   `json:"resources"`
		Providers []provider `json:"providers"`
	}
	keys := map[string][]named{"keys": {{"aescbckey", base64.StdEncoding.EncodeToString(key)}}}
	return json.Marshal(struct {
		Kind       string     `json:"kind"`
		APIVersion string     `json:"apiVersion"`
		Resources  []resource `json:"resources"`
	}{"EncryptionConfiguration", "apiserver.config.k8s.io/v1",
		[]resource{{[]string{"secrets"}, []provider{{AESCBC: &keys}, {Identity: &struct{}{}}}}}})
}
