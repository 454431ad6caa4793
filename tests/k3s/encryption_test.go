package main

import (
	"encoding/json"
	"net"
	"os"
	"strings"
	"testing"
)

func TestEncryptionIsMadeOnceAndOnlyWhenAskedFor(t *testing.T) {
	l := layout{data: t.TempDir()}
	if err := ensureEncryption(l); err != nil || exists(encryptionConfigFile(l)) {
		t.Fatalf("without the flag: %v", err)
	}
	if _, known := bootstrapPaths(l)[bootstrapEncryptionConfig]; known {
		t.Error("a server without the flag knows the file")
	}
	l.encrypts = true
	if err := ensureEncryption(l); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(encryptionConfigFile(l))
	if err != nil || !json.Valid(first) || !strings.Contains(string(first), `{"aescbc":{"keys":[{"name":"aescbckey",`) {
		t.Fatalf("%s %v", first, err)
	}
	if err := ensureEncryption(l); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(encryptionConfigFile(l)); string(second) != string(first) {
		t.Error("the key was replaced")
	}
}

func TestServiceIPIsTheFirstOfTheRange(t *testing.T) {
	for cidr, want := range map[string]string{"10.43.0.0/16": "10.43.0.1", "172.20.8.0/22": "172.20.8.1"} {
		if got := (serverOptions{serviceCIDR: cidr}).serviceIP(); !got.Equal(net.ParseIP(want)) {
			t.Errorf("%s: %s", cidr, got)
		}
	}
}
