package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

func said(t *testing.T, result snapshotResult, f fault) (string, error) {
	t.Helper()
	var log bytes.Buffer
	logrus.SetOutput(&log)
	defer logrus.SetOutput(os.Stderr)
	err := reportSaved(result, f)
	return log.String(), err
}

func TestSavedLine(t *testing.T) {
	text, err := said(t, snapshotResult{Created: []string{"a-b-1"}}, fault{})
	if err != nil || !strings.HasSuffix(text, "level=info msg=\"Snapshot a-b-1 saved.\"\n") || !strings.HasPrefix(text, `time="`) {
		t.Fatalf("%q, %v", text, err)
	}
}

func TestNoSnapshotIsNoWord(t *testing.T) {
	if text, err := said(t, snapshotResult{}, fault{}); text != "" || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
}

func TestFaultsAreReadFromTheDataDirectory(t *testing.T) {
	l := layout{data: t.TempDir()}
	if f := readFault(l); f.name != "" {
		t.Fatal(f)
	}
	if err := os.WriteFile(l.data+"/standin-fault", []byte("hang timeout=1.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := readFault(l); !f.is("hang") || f.seconds("timeout", 0).Milliseconds() != 1500 {
		t.Fatal(f)
	}
}
