package main

import (
	"encoding/base64"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
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

func TestNewerFilesAreAllNamed(t *testing.T) {
	l := layout{data: t.TempDir()}
	now := time.Now()
	paths := map[string]string{}
	for name, age := range map[string]time.Duration{"same": 0, "older": time.Hour, "skew": -2 * time.Second, "newer": -4 * time.Second, "newest": -time.Hour} {
		paths[name] = l.tls(name)
		if err := writeFile(paths[name], []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(paths[name], now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	paths["missing"] = l.tls("missing")
	files := map[string]bootstrapFile{"same": {now.Add(-time.Hour), []byte("same")}}
	for _, name := range []string{"older", "skew", "newer", "newest", "missing", "unknown"} {
		files[name] = bootstrapFile{now, []byte("of the datastore")}
	}
	found := newerFiles(paths, files, func(string) bool { return true })
	slices.Sort(found)
	if want := []string{l.tls("newer"), l.tls("newest")}; !slices.Equal(found, want) {
		t.Fatalf("%v, not %v", found, want)
	}
	if found := newerFiles(paths, files, func(string) bool { return false }); found != nil {
		t.Fatal(found)
	}
}
