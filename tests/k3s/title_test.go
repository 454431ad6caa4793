package main

import (
	"bytes"
	"testing"
)

func TestATitleFillsTheAreaAndEndsWithZero(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"/bin/k3s":                  "/bin/k3s",
		"/usr/local/bin/k3s server": "/usr/local/bin",
	} {
		area := []byte("k3s\x00server\x00-d\x00x\x00")[:15]
		showTitle(area, text)
		if got := string(bytes.TrimRight(area, "\x00")); got != want {
			t.Errorf("%q: got %q", text, got)
		}
		if area[14] != 0 {
			t.Errorf("%q: the last byte isn't zero", text)
		}
	}
}
