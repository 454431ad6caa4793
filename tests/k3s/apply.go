// What k3s's deploy controller uses of wrangler's apply: objects are made or
// patched, carry the name of their Addon, and go when its manifest no longer has
// them.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/restmapper"
)

const (
	ownerPrefix = "objectset.rio.cattle.io/"
	ownerGVK    = "k3s.cattle.io/v1, Kind=Addon"
)

type applier struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

func newApplier(l layout, client dynamic.Interface) (*applier, error) {
	config, err := supervisorConfig(l)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &applier{client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}, nil
}

// apply makes the objects those of the Addon; `before` are the kinds that it
// had.
func (a *applier) apply(ctx context.Context, addon string, objects []*unstructured.Unstructured, before []schema.GroupVersionKind) error {
	a.mapper.Reset()
	hash := ownerHash(addon)
	wanted, kinds := map[string]bool{}, map[schema.GroupVersionKind]bool{}
	for _, kind := range before {
		kinds[kind] = true
	}
	for _, object := range objects {
		kind := object.GroupVersionKind()
		kinds[kind] = true
		resource, namespaced, err := a.resource(kind, object.GetNamespace())
		if err != nil {
			return fmt.Errorf("%s: %w", kind.Kind, err)
		}
		if namespaced && object.GetNamespace() == "" {
			object.SetNamespace("default")
		}
		wanted[key(kind, object)] = true
		if err := applyOne(ctx, resource, owned(object, addon, hash)); err != nil {
			return fmt.Errorf("%s %s: %w", kind.Kind, object.GetName(), err)
		}
	}
	for kind := range kinds {
		if err := a.prune(ctx, kind, hash, wanted); err != nil {
			return err
		}
	}
	return nil
}

func key(kind schema.GroupVersionKind, object *unstructured.Unstructured) string {
	return kind.String() + " " + object.GetNamespace() + "/" + object.GetName()
}

func ownerHash(addon string) string {
	sum := sha1.Sum([]byte(ownerGVK + addonsNamespace + addon))
	return hex.EncodeToString(sum[:])
}

func (a *applier) resource(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, bool, error) {
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, false, err
	}
	resource := a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return resource, false, nil
	}
	if namespace == "" {
		namespace = "default"
	}
	return resource.Namespace(namespace), true, nil
}

// owned is a copy with the marks of its Addon, and with what was applied.
func owned(object *unstructured.Unstructured, addon, hash string) *unstructured.Unstructured {
	plain, _ := object.MarshalJSON()
	marked := object.DeepCopy()
	labels, annotations := marked.GetLabels(), marked.GetAnnotations()
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[ownerPrefix+"hash"] = hash
	for name, value := range map[string]string{"id": "", "owner-gvk": ownerGVK, "owner-name": addon,
		"owner-namespace": addonsNamespace, "applied": pack(plain)} {
		annotations[ownerPrefix+name] = value
	}
	marked.SetLabels(labels)
	marked.SetAnnotations(annotations)
	return marked
}

func pack(text []byte) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write(text)
	_ = writer.Close()
	return base64.RawStdEncoding.EncodeToString(buffer.Bytes())
}

// unpack gives what was applied before, or nothing.
func unpack(text string) []byte {
	packed, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(packed) == 0 {
		return []byte("{}")
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return []byte("{}")
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return []byte("{}")
	}
	return plain
}

// applyOne makes the object, or takes over and patches the one that is there.
func applyOne(ctx context.Context, resource dynamic.ResourceInterface, wanted *unstructured.Unstructured) error {
	_, err := resource.Create(ctx, wanted, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	there, err := resource.Get(ctx, wanted.GetName(), metav1.GetOptions{})
	if err != nil {
		return err
	}
	patch, kind, err := threeWay(there, wanted)
	if err != nil || string(patch) == "{}" {
		return err
	}
	_, err = resource.Patch(ctx, wanted.GetName(), kind, patch, metav1.PatchOptions{})
	return err
}

func threeWay(there, wanted *unstructured.Unstructured) ([]byte, types.PatchType, error) {
	original := unpack(there.GetAnnotations()[ownerPrefix+"applied"])
	current, err := there.MarshalJSON()
	if err != nil {
		return nil, "", err
	}
	modified, err := wanted.MarshalJSON()
	if err != nil {
		return nil, "", err
	}
	typed, err := scheme.Scheme.New(wanted.GroupVersionKind())
	if err != nil { // a kind that is not built in
		patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(original, modified, current)
		return patch, types.MergePatchType, err
	}
	form, err := strategicpatch.NewPatchMetaFromStruct(typed)
	if err != nil {
		return nil, "", err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, form, true)
	return patch, types.StrategicMergePatchType, err
}

// prune removes the Addon's objects of one kind that its manifest has no more.
func (a *applier) prune(ctx context.Context, kind schema.GroupVersionKind, hash string, wanted map[string]bool) error {
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return err
	}
	resource := a.client.Resource(mapping.Resource)
	items, err := resource.List(ctx, metav1.ListOptions{LabelSelector: ownerPrefix + "hash=" + hash})
	if err != nil {
		return err
	}
	for i := range items.Items {
		item := &items.Items[i]
		if wanted[key(kind, item)] || item.GetAnnotations()[ownerPrefix+"owner-gvk"] != ownerGVK {
			continue
		}
		err := resource.Namespace(item.GetNamespace()).Delete(ctx, item.GetName(), metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

func formatGVKs(objects []*unstructured.Unstructured) string {
	var kinds []string
	seen := map[string]bool{}
	for _, object := range objects {
		if kind := object.GroupVersionKind().String(); !seen[kind] {
			seen[kind] = true
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, ";")
}

// parseGVKs reads "apps/v1, Kind=Deployment;/v1, Kind=ConfigMap".
func parseGVKs(text string) (kinds []schema.GroupVersionKind) {
	for _, word := range strings.Split(text, ";") {
		group, kind, ok := strings.Cut(word, ", Kind=")
		if !ok {
			continue
		}
		name, version, _ := strings.Cut(group, "/")
		kinds = append(kinds, schema.GroupVersionKind{Group: name, Version: version, Kind: kind})
	}
	return kinds
}
