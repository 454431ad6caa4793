package main

import (
	"strings"
	"testing"
)

func TestFullTokenIsTakenApart(t *testing.T) {
	ca := []byte("-----BEGIN CERTIFICATE-----\n")
	line := formatToken(ca, "pass:word")
	got, err := parseToken(line + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.user != "server" || got.password != "pass:word" || len(got.caHash) != 64 {
		t.Fatalf("got %+v from %q", got, line)
	}
}

func TestBarePasswordIsAToken(t *testing.T) {
	got, err := parseToken("secret")
	if err != nil || got.password != "secret" || got.caHash != "" {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestBrokenTokensAreRefused(t *testing.T) {
	for _, text := range []string{"", " \n", "K10", "K10abc::server:x", "K10" + strings.Repeat("a", 64), "K10" + strings.Repeat("a", 64) + "::server:"} {
		if got, err := parseToken(text); err == nil {
			t.Errorf("%q gave %+v", text, got)
		}
	}
}

// sha256("password") begins with 5e884898da28.
func TestTokenHashIsTheBeginningOfSHA256(t *testing.T) {
	if got := tokenHash("password"); got != "5e884898da28" {
		t.Fatal(got)
	}
}
