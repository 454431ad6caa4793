package helmvalues

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"reflect"
	"testing"
)

func untar(packed []byte) (map[string]string, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for reader := tar.NewReader(unzipped); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		files[header.Name] = string(content)
	}
}

func payload(t *testing.T, releases []stored) map[string]string {
	t.Helper()
	program := os.Getenv("RB_HELM_PAYLOAD")
	if program == "" {
		t.Fatal("RB_HELM_PAYLOAD is not set: run this through CTest")
	}
	command := exec.Command(program)
	command.Stdin = bytes.NewReader(secretList(releases))
	command.Stderr = os.Stderr
	packed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := untar(packed)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func helmGetValues(t *testing.T, server, namespace, name string) string {
	t.Helper()
	program := os.Getenv("RB_HELM_PROGRAM")
	if program == "" {
		t.Fatal("RB_HELM_PROGRAM is not set: run this through CTest")
	}
	command := exec.Command(program, "get", "values", name, "-n", namespace, "-o", "yaml", "--kube-apiserver", server)
	command.Env = []string{"HOME=" + t.TempDir(), "KUBECONFIG=/dev/null"}
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(text)
}

// goodStrings are those that Helm itself prints and reads back.
func goodStrings() []string {
	var good []string
	for _, text := range nastyStrings {
		config := `{"a":` + quoteJSON(text) + `,` + quoteJSON(text+"k") + `:1}`
		if printed, err := helmPrints(config); err == nil {
			if back, err := helmReads(printed); err == nil && back.(map[string]any)["a"] == text {
				good = append(good, text)
			}
		}
	}
	return good
}

// The artifact has, for each release, what the real Helm prints for it.
func TestTheArtifactHoldsWhatHelmGetValuesPrints(t *testing.T) {
	good := goodStrings()
	if len(good) < len(nastyStrings)*3/4 {
		t.Fatalf("only %d strings to try", len(good))
	}
	all := "{"
	for i, text := range good {
		all += fmt.Sprintf(`"k%d":%s,`, i, quoteJSON(text))
	}
	numbers := "{"
	for i, number := range nastyNumbers {
		numbers += fmt.Sprintf(`"n%d":%s,`, i, number)
	}
	releases := []stored{
		{"default", "strings", "deployed", 1, all + `"end":[{},[],null,true]}`},
		{"default", "numbers", "deployed", 1, numbers + `"end":0}`},
		{"default", "absent", "deployed", 1, ""},
		{"default", "empty", "deployed", 1, "{}"},
		{"default", "null", "deployed", 1, "null"},
		{"kube-system", "history", "superseded", 9, `{"v":9}`},
		{"kube-system", "history", "superseded", 1, `{"v":1}`},
		{"kube-system", "history", "failed", 10, `{"v":10}`},
		{"other", "history", "uninstalled", 2, `{"v":"of other"}`},
		{"other", "pending", "pending-upgrade", 3, `{"v":{"x":["y"]}}`},
		{"other", "big", "deployed", 1, `{"big":"` + string(bytes.Repeat([]byte("0123456789abcdef "), 30000)) + `"}`},
		{"other", "dots.v2", "deployed", 1, `{"v":"dots"}`},
	}
	random := rand.New(rand.NewSource(20261122))
	for i := 0; i < 10; i++ {
		made := generator{random: random, left: 100}
		config := made.object(0)
		if printed, err := helmPrints(config); err == nil {
			if _, err := helmReads(printed); err == nil {
				releases = append(releases, stored{"random", fmt.Sprintf("r%d", i), "deployed", 1, config})
			}
		}
	}
	server := startAPI(releases)
	defer server.Close()
	files := payload(t, releases)
	seen := map[string]bool{}
	for _, release := range releases {
		path := release.namespace + "/" + release.name + ".yaml"
		if seen[path] {
			continue
		}
		seen[path] = true
		printed := helmGetValues(t, server.URL, release.namespace, release.name)
		want, err := helmReads(printed)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got, err := helmReads(files[path])
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: ours\n%.3000s\nHelm's\n%.3000s\n%v", path, files[path], printed, err)
		}
	}
	if len(files) != len(seen)+1 {
		t.Errorf("%d files for %d releases and the index", len(files), len(seen))
	}
}
