package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestManifestsThatCount(t *testing.T) {
	base := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yml", "c.json", "d.txt", ".e.yaml", "f.yaml.part", "held.yaml", "held.yaml.skip", "sub/g.yaml"} {
		path := filepath.Join(base, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := manifestFiles(base)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.yaml", "b.yml", "c.json", "sub/g.yaml"} {
		if _, ok := files[filepath.Join(base, name)]; !ok {
			t.Errorf("%s is passed over", name)
		}
	}
	if len(files) != 4 {
		t.Errorf("%d files count, of 4: %v", len(files), files)
	}
}

func TestAddonName(t *testing.T) {
	for path, want := range map[string]string{"/m/railiance-backup.yaml": "railiance-backup", "/m/a.b.yaml": "a", "c": "c"} {
		if got := addonName(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestObjectsInDocumentsAndLists(t *testing.T) {
	objects, err := objectsIn([]byte("# a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\n---\n" +
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: two}\n"))
	if err != nil || len(objects) != 2 || objects[0].GetName() != "one" || objects[1].GetName() != "two" {
		t.Errorf("%v, %v", objects, err)
	}
	if _, err := objectsIn([]byte("kind: [")); err == nil {
		t.Error("no YAML was taken")
	}
}

func TestGVKsBothWays(t *testing.T) {
	text := "/v1, Kind=ConfigMap;apps/v1, Kind=Deployment"
	kinds := parseGVKs(text)
	if len(kinds) != 2 || kinds[0].Group != "" || kinds[1].Group != "apps" || kinds[1].Kind != "Deployment" {
		t.Errorf("%v", kinds)
	}
}
