package main

import (
	"maps"
	"slices"
	"testing"
)

func TestNodeArgumentsAreSplitAndMasked(t *testing.T) {
	got := nodeArguments([]string{"server", "--cluster-init=true", "--token=abc=def", "--node-ip", "172.31.99.1",
		"--etcd-s3-secret-key", "s3cr3t", "-t", "short", "--kubelet-arg=a=b"})
	want := []string{"server", "--cluster-init", "true", "--token", "********", "--node-ip", "172.31.99.1",
		"--etcd-s3-secret-key", "********", "-t", "********", "--kubelet-arg", "a=b"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func TestNodeEnvironmentHasOnlyItsOwnAndMasksTokens(t *testing.T) {
	got := nodeEnvironment([]string{"PATH=/bin", "K3S_TOKEN=abc", "K3S_NODE_NAME=n1", "K3S_EMPTY="})
	want := map[string]string{"K3S_TOKEN": "********", "K3S_NODE_NAME": "n1", "K3S_EMPTY": ""}
	if !maps.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}
