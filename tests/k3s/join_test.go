package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheSupervisorOfAServerURL(t *testing.T) {
	for server, want := range map[string]string{
		"https://10.0.0.1:6443":  "https://10.0.0.1:9345",
		"https://10.0.0.1":       "https://10.0.0.1:9345",
		"https://10.0.0.1:9345/": "https://10.0.0.1:9345",
		"https://[fd00::1]:6443": "https://[fd00::1]:9345",
		"https://10.0.0.1:1234":  "https://10.0.0.1:1234",
	} {
		if got, err := joinURL(server, 9345); err != nil || got != want {
			t.Errorf("%s: %q, %v", server, got, err)
		}
	}
	for _, server := range []string{"http://10.0.0.1:6443", "10.0.0.1:6443", "https://%"} {
		if got, err := joinURL(server, 9345); err == nil {
			t.Errorf("%s was accepted as %q", server, got)
		}
	}
}

func TestADirectoryWithDirectoriesAloneHasNoFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "etcd"), 0o700); err != nil {
		t.Fatal(err)
	}
	if hasFiles(dir) || hasFiles(filepath.Join(dir, "nowhere")) {
		t.Fatal("an empty one has files")
	}
	if err := os.WriteFile(filepath.Join(dir, "server-ca.crt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !hasFiles(dir) {
		t.Fatal("the file isn't seen")
	}
}

func TestCriticalConfigurationThatDiffersIsNamed(t *testing.T) {
	ours := criticalConfig{ClusterCIDR: "10.42.0.0/16", ServiceCIDR: "10.43.0.0/16"}
	if got := ours.mismatches(ours); len(got) != 0 {
		t.Errorf("the same: %q", got)
	}
	theirs := criticalConfig{ClusterCIDR: "10.42.0.0/16", ServiceCIDR: "10.44.0.0/16", SecretsEncryption: true}
	if got := ours.mismatches(theirs); !slices.Equal(got, []string{"service-cidr", "secrets-encryption"}) {
		t.Errorf("got %q", got)
	}
}

func TestEachNodeHasPodsOfItsOwn(t *testing.T) {
	for address, want := range map[string]string{"172.31.99.1": "10.42.0.0/24", "172.31.99.3": "10.42.2.0/24", "fd00::1": "10.42.0.0/24"} {
		if got := podSubnet(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
