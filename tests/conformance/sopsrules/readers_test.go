// Package sopsrules compares our reader of a .sops.yaml with SOPS's own, from its Go module.
package sopsrules

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getsops/sops/v3/config"
)

const nominalPath = "railiance-backup.yaml"

type reading struct {
	Recipients []string `json:"recipients"`
	Error      string   `json:"error"`
	groups     int
}

// sopsReads gives what SOPS takes for a new file of that name beside the .sops.yaml in directory.
func sopsReads(t *testing.T, directory, text, path string) (r reading) {
	t.Helper()
	file := filepath.Join(directory, ".sops.yaml")
	// A file that is truncated and written again would go to the disk each time.
	_ = os.Remove(file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rule, err := config.LoadCreationRuleForFile(file, filepath.Join(directory, path), nil)
	if err != nil {
		return reading{Error: err.Error()}
	}
	if rule == nil {
		return reading{Error: "no creation rule"}
	}
	r.groups = len(rule.KeyGroups)
	seen := map[string]bool{}
	for _, group := range rule.KeyGroups {
		for _, key := range group {
			if recipient := withoutComment(key.ToString()); key.TypeToIdentifier() == "age" && !seen[recipient] {
				seen[recipient] = true
				r.Recipients = append(r.Recipients, recipient)
			}
		}
	}
	return r
}

// withoutComment leaves the comment of an SSH key off, which is no part of the key.
func withoutComment(recipient string) string {
	if words := strings.Fields(recipient); strings.HasPrefix(recipient, "ssh-") && len(words) > 2 {
		return words[0] + " " + words[1]
	}
	return recipient
}

// ours is our program, asked line by line.
type ours struct {
	in        io.WriteCloser
	out       *bufio.Reader
	directory string // of SOPS's file
}

func startOurs(t *testing.T) *ours {
	t.Helper()
	program := os.Getenv("RB_SOPS_RECIPIENTS")
	if program == "" {
		t.Fatal(errors.New("RB_SOPS_RECIPIENTS is not set: run this by ctest"))
	}
	command := exec.Command(program)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = command.Wait()
	})
	return &ours{in, bufio.NewReader(out), t.TempDir()}
}

func (o *ours) reads(t *testing.T, text, path string) (r reading) {
	t.Helper()
	question, err := json.Marshal(map[string]string{"text": text, "path": path})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.in.Write(append(question, '\n')); err != nil {
		t.Fatal(err)
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		t.Fatalf("our program ended on\n%s", text)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// check holds that we take what SOPS takes, or refuse. Where SOPS has no rule for us, we may take what
// all rules agree on (docs/decisions/0001); that is tested elsewhere. Where SOPS takes no age key at all, or
// several key groups, we have nobody to encrypt to, and refuse.
func check(t *testing.T, o *ours, text string) (both bool) {
	t.Helper()
	theirs, mine := sopsReads(t, o.directory, text, nominalPath), o.reads(t, text, nominalPath)
	switch {
	case strings.Contains(theirs.Error, "no matching creation rules"):
	case theirs.Error != "":
		if mine.Error == "" {
			t.Errorf("SOPS refuses (%s), we take %v:\n%s", theirs.Error, mine.Recipients, text)
		}
	case mine.Error != "":
		if theirs.groups == 1 && len(theirs.Recipients) > 0 {
			t.Errorf("SOPS takes %v, we refuse (%s):\n%s", theirs.Recipients, mine.Error, text)
		}
	case strings.Join(theirs.Recipients, " ") != strings.Join(mine.Recipients, " "):
		t.Errorf("SOPS takes %v, we take %v:\n%s", theirs.Recipients, mine.Recipients, text)
	default:
		return true
	}
	return false
}
