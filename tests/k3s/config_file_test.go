package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

func writeConfig(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "config.yaml.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "config.yaml")
}

func TestConfigComesBeforeTheCommandLine(t *testing.T) {
	path := writeConfig(t, map[string]string{
		"config.yaml":         "token: abc\ntls-san: [a, b]\nhttps-listen-port: 6443\n",
		"config.yaml.d/1.yml": "tls-san+: [c]\ntoken: def\n",
	})
	got, err := mergeConfig([]string{"k3s", "server", "--config", path}, 2, serverFlags())
	if err != nil {
		t.Fatal(err)
	}
	// In the order of the file, as k3s gives them.
	want := []string{"k3s", "server", "--token=def", "--tls-san=a", "--tls-san=b", "--tls-san=c", "--https-listen-port=6443", "--config", path}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func TestUnknownKeysAreDroppedWithAWarning(t *testing.T) {
	var log bytes.Buffer
	logrus.SetOutput(&log)
	defer logrus.SetOutput(os.Stderr)
	path := writeConfig(t, map[string]string{"config.yaml": "write-kubeconfig-mode: \"0644\"\netcd-s3: true\n"})
	got, err := mergeConfig([]string{"k3s", "etcd-snapshot", "save", "-c=" + path}, 3, snapshotFlags())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"k3s", "etcd-snapshot", "save", "--etcd-s3=true", "-c=" + path}; !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
	if !strings.Contains(log.String(), `level=warning msg="Unknown flag --write-kubeconfig-mode found in config.yaml, skipping\n"`) {
		t.Fatal(log.String())
	}
}

func TestEachValueOfAnUnknownKeyHasAWarningThatNamesConfigYAML(t *testing.T) {
	var log bytes.Buffer
	logrus.SetOutput(&log)
	defer logrus.SetOutput(os.Stderr)
	path := writeConfig(t, map[string]string{"other.yaml": "kubelet-arg: [a=b]\ndisable: [x, y]\n"})
	if _, err := mergeConfig([]string{"k3s", "etcd-snapshot", "save", "-c=" + filepath.Join(filepath.Dir(path), "other.yaml")}, 3, snapshotFlags()); err != nil {
		t.Fatal(err)
	}
	for key, times := range map[string]int{"kubelet-arg": 1, "disable": 2} {
		if got := strings.Count(log.String(), "Unknown flag --"+key+" found in config.yaml, skipping\\n"); got != times {
			t.Errorf("%s: %d warnings: %s", key, got, log.String())
		}
	}
}

func TestTheVariableGoesBeforeTheFlag(t *testing.T) {
	t.Setenv("K3S_CONFIG_FILE", writeConfig(t, map[string]string{"config.yaml": "node-name: variable\n"}))
	flag := writeConfig(t, map[string]string{"config.yaml": "node-name: flag\n"})
	got, err := mergeConfig([]string{"k3s", "server", "--config", flag}, 2, serverFlags())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"k3s", "server", "--node-name=variable", "--config", flag}; !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func TestAKeyWithoutAValueIsEmpty(t *testing.T) {
	path := writeConfig(t, map[string]string{"config.yaml": "server:\ntls-san: [a, ~]\n"})
	got, err := mergeConfig([]string{"k3s", "server", "--config", path}, 2, serverFlags())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"k3s", "server", "--server=", "--tls-san=a", "--tls-san=", "--config", path}; !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
}

func TestAMissingFileMattersOnlyWhenNamed(t *testing.T) {
	if _, err := mergeConfig([]string{"k3s", "server", "--config=/nowhere/config.yaml"}, 2, nil); err == nil {
		t.Fatal("a missing file was accepted")
	}
}
