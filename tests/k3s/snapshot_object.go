// ETCDSnapshotFile: the custom resource in which k3s shows its snapshots.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

var snapshotResource = schema.GroupVersionResource{Group: "k3s.cattle.io", Version: "v1", Resource: "etcdsnapshotfiles"}

// ensureSnapshotCRD makes the definition; it may be there already.
func ensureSnapshotCRD(ctx context.Context, l layout) error {
	return ensureCRD(ctx, l, customResource{plural: "etcdsnapshotfiles", singular: "etcdsnapshotfile", kind: "ETCDSnapshotFile",
		scope: "Cluster", properties: map[string]any{
			"spec": openObject(map[string]any{"snapshotName": textField(), "nodeName": textField(), "location": textField()}),
			"status": openObject(map[string]any{"creationTime": map[string]any{"type": "string", "format": "date-time"},
				"readyToUse": map[string]any{"type": "boolean"}}),
		}})
}

// snapshotObjectName gives local-<file name>-<6 hex>; in place of the file's name
// stands one made of node and time where that is no DNS name.
func snapshotObjectName(s snapshotInfo) string {
	sum := sha256.Sum256([]byte(s.node + s.location))
	name := strings.ToLower(s.name)
	if len(validation.IsDNS1123Subdomain(name)) != 0 || len(name)+13 > validation.DNS1123SubdomainMaxLength {
		short, _, _ := strings.Cut(s.node, ".")
		name = fmt.Sprintf("etcd-snapshot-%s-%d", short, s.created.Unix())
		if strings.HasSuffix(s.name, ".zip") {
			name += ".zip"
		}
	}
	return "local-" + name + "-" + hex.EncodeToString(sum[:])[:6]
}

// snapshotObject builds the resource; hash is the token's, "" for a file that
// was only found.
func snapshotObject(s snapshotInfo, hash string) *unstructured.Unstructured {
	metadata := map[string]any{
		"name":       snapshotObjectName(s),
		"labels":     map[string]any{"etcd.k3s.cattle.io/snapshot-storage-node": s.node},
		"finalizers": []any{"wrangler.cattle.io/managed-etcd-snapshots-controller"},
	}
	if hash != "" {
		metadata["annotations"] = map[string]any{"etcd.k3s.cattle.io/snapshot-token-hash": hash}
	}
	status := map[string]any{"readyToUse": s.ready, "creationTime": s.created.UTC().Format(time.RFC3339)}
	if s.failure == "" {
		status["size"] = fmt.Sprint(s.size)
	} else { // no size, and an empty location
		status["error"] = map[string]any{"time": s.created.UTC().Format(time.RFC3339), "message": s.failure}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "k3s.cattle.io/v1", "kind": "ETCDSnapshotFile", "metadata": metadata,
		"spec":   map[string]any{"snapshotName": s.name, "nodeName": s.node, "location": s.location},
		"status": status,
	}}
}

// recordSnapshot makes the object. It isn't part of the snapshot's success.
func recordSnapshot(s *server, info snapshotInfo) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := dynamicClient(s.layout)
	if err == nil {
		_, err = client.Resource(snapshotResource).Create(ctx, snapshotObject(info, tokenHash(s.password)), metav1.CreateOptions{})
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		logrus.Errorf("Failed to create ETCDSnapshotFile for %s: %v", info.name, err)
	}
}

// deleteSnapshotObject removes the object of a deleted file, finalizer included.
func deleteSnapshotObject(ctx context.Context, l layout, info snapshotInfo) {
	client, err := dynamicClient(l)
	if err != nil {
		logrus.Errorf("Failed to delete ETCDSnapshotFile for %s: %v", info.name, err)
		return
	}
	objects := client.Resource(snapshotResource)
	name := snapshotObjectName(info)
	object, err := objects.Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		object.SetFinalizers(nil)
		_, err = objects.Update(ctx, object, metav1.UpdateOptions{})
	}
	if err == nil {
		err = objects.Delete(ctx, name, metav1.DeleteOptions{})
	}
	if err != nil && !apierrors.IsNotFound(err) {
		logrus.Errorf("Failed to delete ETCDSnapshotFile for %s: %v", info.name, err)
	}
}
