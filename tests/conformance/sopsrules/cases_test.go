package sopsrules

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What SOPS takes and we don't: plugins' recipients are refused by name. The post-quantum one is ours where
// OpenSSL has ML-KEM, and refused with what is missing elsewhere.
var notSupported = map[string]bool{"s08-yubikey-mixed.yaml": true}

func TestTheFilesOfOtherPeopleAreReadAsSopsReadsThem(t *testing.T) {
	files, err := filepath.Glob("../../cases/inputs/s*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in tests/cases/inputs", err)
	}
	o := startOurs(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if notSupported[filepath.Base(file)] {
			if mine := o.reads(t, string(text), nominalPath); mine.Error == "" {
				t.Errorf("%s: taken: %v", file, mine.Recipients)
			}
			continue
		}
		if mine := o.reads(t, string(text), nominalPath); strings.Contains(mine.Error, "needs OpenSSL 3.5") {
			t.Logf("%s: refused, since this OpenSSL has no ML-KEM", file)
			continue
		}
		check(t, o, string(text))
	}
}
