package main

import (
	"os"
	"testing"
)

func TestTheWordsOfARemovalAreSeenAcrossWrites(t *testing.T) {
	stderr := os.Stderr
	os.Stderr, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	defer func() { os.Stderr = stderr }()
	var log etcdLog
	_, _ = log.Write([]byte(`{"msg":"server error","error":"the member has been perm`))
	if log.removed.Load() {
		t.Fatal("half of the words are enough")
	}
	_, _ = log.Write([]byte(`anently removed from the cluster"}`))
	if !log.removed.Load() {
		t.Fatal("the words are not seen")
	}
}
