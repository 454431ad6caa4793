// The deploy controller: every fifteen seconds the manifests in
// <data-dir>/server/manifests that have changed are applied, and each is noted
// as an Addon, as k3s's pkg/deploy does it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

const (
	deployInterval  = 15 * time.Second
	addonGVKsKey    = "addon.k3s.cattle.io/gvks"
	addonsNamespace = "kube-system"
)

var addonResource = schema.GroupVersionResource{Group: "k3s.cattle.io", Version: "v1", Resource: "addons"}

type deployer struct {
	server  *server
	client  dynamic.Interface
	applier *applier
	seen    map[string]time.Time // modification times of what was applied
}

// deployManifests runs until ctx ends.
func (s *server) deployManifests(ctx context.Context) {
	d, err := newDeployer(s)
	if err != nil {
		logrus.Errorf("Failed to start the deploy controller: %v", err)
		return
	}
	force := true
	for {
		if readFault(s.layout).is("no-deploy") {
			logrus.Debugf("injected: manifests are not looked at")
		} else if err := d.deployAll(ctx, force); err != nil {
			logrus.Errorf("Failed to process config: %v", err)
		} else {
			force = false
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(deployInterval):
		}
	}
}

func newDeployer(s *server) (*deployer, error) {
	client, err := dynamicClient(s.layout)
	if err != nil {
		return nil, err
	}
	applier, err := newApplier(s.layout, client)
	return &deployer{server: s, client: client, applier: applier, seen: map[string]time.Time{}}, err
}

// manifestFiles lists the files that count: no dotfiles, and none beside which
// a file of the same name with .skip lies, wherever that is.
func manifestFiles(base string) (map[string]time.Time, error) {
	files, skips := map[string]time.Time{}, map[string]bool{}
	err := filepath.WalkDir(base, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if name, ok := strings.CutSuffix(entry.Name(), ".skip"); ok {
			skips[name] = true
		}
		info, err := os.Stat(path)
		if err == nil && isManifest(entry.Name()) {
			files[path] = info.ModTime()
		}
		return err
	})
	for path := range files {
		if skips[filepath.Base(path)] {
			delete(files, path)
		}
	}
	return files, err
}

func isManifest(name string) bool {
	if strings.HasPrefix(name, ".") {
		return false
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func (d *deployer) deployAll(ctx context.Context, force bool) error {
	files, err := manifestFiles(d.server.server("manifests"))
	if err != nil {
		return err
	}
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	var failures []error
	for _, path := range paths {
		if before, ok := d.seen[path]; !force && ok && before.Equal(files[path]) {
			continue
		}
		if err := d.deploy(ctx, path, !force); err != nil {
			failures = append(failures, fmt.Errorf("failed to process %s: %w", path, err))
			continue
		}
		d.seen[path] = files[path]
	}
	return errors.Join(failures...)
}

// addonName is the file's name up to the first dot.
func addonName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}

func (d *deployer) addon(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	addons := d.client.Resource(addonResource).Namespace(addonsNamespace)
	addon, err := addons.Get(ctx, name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		return addon, err
	}
	return addons.Create(ctx, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "k3s.cattle.io/v1", "kind": "Addon",
		"metadata": map[string]any{"name": name, "namespace": addonsNamespace},
		"spec":     map[string]any{},
	}}, metav1.CreateOptions{})
}

// deploy applies one file, unless its digest is that of the Addon.
func (d *deployer) deploy(ctx context.Context, path string, compare bool) error {
	addon, err := d.addon(ctx, addonName(path))
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return d.failed(ctx, addon, "ReadManifestFailed", fmt.Sprintf("Read manifest at %q failed: %v", path, err), err)
	}
	sum := sha256.Sum256(content)
	checksum := hex.EncodeToString(sum[:])
	if applied, _, _ := unstructured.NestedString(addon.Object, "spec", "checksum"); compare && applied == checksum {
		return nil
	}
	objects, err := objectsIn(content)
	if err != nil {
		return d.failed(ctx, addon, "ParseManifestFailed", fmt.Sprintf("Parse manifest at %q failed: %v", path, err), err)
	}
	d.event(ctx, addon, corev1.EventTypeNormal, "ApplyingManifest", fmt.Sprintf("Applying manifest at %q", path))
	before := parseGVKs(addon.GetAnnotations()[addonGVKsKey])
	if err := d.applier.apply(ctx, addon.GetName(), objects, before); err != nil {
		return d.failed(ctx, addon, "ApplyManifestFailed", fmt.Sprintf("Applying manifest at %q failed: %v", path, err), err)
	}
	d.event(ctx, addon, corev1.EventTypeNormal, "AppliedManifest", fmt.Sprintf("Applied manifest at %q", path))
	addon.SetAnnotations(map[string]string{addonGVKsKey: formatGVKs(objects)})
	addon.Object["spec"] = map[string]any{"source": path, "checksum": checksum}
	_, err = d.client.Resource(addonResource).Namespace(addonsNamespace).Update(ctx, addon, metav1.UpdateOptions{})
	return err
}

func (d *deployer) failed(ctx context.Context, addon *unstructured.Unstructured, reason, message string, err error) error {
	d.event(ctx, addon, corev1.EventTypeWarning, reason, message)
	return err
}

func (d *deployer) event(ctx context.Context, addon *unstructured.Unstructured, kind, reason, message string) {
	now := metav1.Now()
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: addonsNamespace, Name: fmt.Sprintf("%s.%x", addon.GetName(), now.UnixNano())},
		InvolvedObject: corev1.ObjectReference{APIVersion: "k3s.cattle.io/v1", Kind: "Addon", Namespace: addonsNamespace,
			Name: addon.GetName(), UID: addon.GetUID()},
		Reason: reason, Message: message, Type: kind, Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: "deploy"},
	}
	if _, err := d.server.kube.CoreV1().Events(addonsNamespace).Create(ctx, event, metav1.CreateOptions{}); err != nil {
		logrus.Debugf("No event: %v", err)
	}
}

// objectsIn reads the documents of a manifest, lists taken apart.
func objectsIn(content []byte) (objects []*unstructured.Unstructured, err error) {
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		text, err := yaml.ToJSON(document)
		if err != nil {
			return nil, err
		}
		if string(bytes.TrimSpace(text)) == "null" {
			continue
		}
		decoded, _, err := unstructured.UnstructuredJSONScheme.Decode(text, nil, nil)
		if err != nil {
			return nil, err
		}
		switch decoded := decoded.(type) {
		case *unstructured.UnstructuredList:
			for i := range decoded.Items {
				objects = append(objects, &decoded.Items[i])
			}
		case *unstructured.Unstructured:
			objects = append(objects, decoded)
		}
	}
}

// ensureAddonCRD makes the definition; it may be there already.
func ensureAddonCRD(ctx context.Context, l layout) error {
	return ensureCRD(ctx, l, customResource{plural: "addons", singular: "addon", kind: "Addon", scope: "Namespaced",
		properties: map[string]any{
			"spec":   openObject(map[string]any{"source": textField(), "checksum": textField()}),
			"status": openObject(nil),
		}})
}
