// The cipher of the /bootstrap value: 16 hex digits of salt, a colon, and in
// base64 the nonce and the AES-256-GCM ciphertext, under a key that
// PBKDF2-HMAC-SHA1 makes of the password and the salt as ASCII (4096 rounds).
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
)

func bootstrapCipher(password, salt string) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha1.New, password, []byte(salt), 4096, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func encryptBootstrap(password string, plain []byte) ([]byte, error) {
	salt := randomHex(8)
	aead, err := bootstrapCipher(password, salt)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	sealed := aead.Seal(nonce, nonce, plain, nil)
	return []byte(salt + ":" + base64.StdEncoding.EncodeToString(sealed)), nil
}

func decryptBootstrap(password string, value []byte) ([]byte, error) {
	salt, body, ok := strings.Cut(string(value), ":")
	if !ok {
		return nil, errors.New("invalid bootstrap data: no salt")
	}
	sealed, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, err
	}
	aead, err := bootstrapCipher(password, salt)
	if err != nil {
		return nil, err
	}
	if len(sealed) < aead.NonceSize() {
		return nil, errors.New("invalid bootstrap data: too short")
	}
	return aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], nil)
}
