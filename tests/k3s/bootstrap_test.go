package main

import (
	"encoding/base64"
	"regexp"
	"testing"
)

func TestBootstrapRoundTrip(t *testing.T) {
	sealed, err := encryptBootstrap("password", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{16}:[A-Za-z0-9+/]+=*$`).Match(sealed) {
		t.Fatalf("not in k3s's form: %s", sealed)
	}
	body, err := base64.StdEncoding.DecodeString(string(sealed[17:]))
	if err != nil || len(body) != 12+len("plain")+16 {
		t.Fatalf("nonce, ciphertext and tag are %d bytes, %v", len(body), err)
	}
	plain, err := decryptBootstrap("password", sealed)
	if err != nil || string(plain) != "plain" {
		t.Fatalf("%q, %v", plain, err)
	}
}

func TestBootstrapNeedsItsPassword(t *testing.T) {
	sealed, err := encryptBootstrap("password", []byte("plain"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decryptBootstrap("other", sealed); err == nil {
		t.Fatal("another password opened it")
	}
	sealed[len(sealed)-6] ^= 1
	if _, err := decryptBootstrap("password", sealed); err == nil {
		t.Fatal("damaged data was accepted")
	}
}
