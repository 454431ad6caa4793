// The custom resources of k3s's own that the stand-in makes, and the client for
// them.
package main

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

var crdResource = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

func supervisorConfig(l layout) (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.cred("supervisor.kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.Timeout = 10 * time.Second
	return config, nil
}

func dynamicClient(l layout) (dynamic.Interface, error) {
	config, err := supervisorConfig(l)
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(config)
}

// customResource is a kind in k3s.cattle.io/v1.
type customResource struct {
	plural, singular, kind, scope string
	properties                    map[string]any
}

func textField() map[string]any { return map[string]any{"type": "string"} }

// openObject is the schema of an object that may have more than `properties`.
func openObject(properties map[string]any) map[string]any {
	object := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	if properties != nil {
		object["properties"] = properties
	}
	return object
}

// ensureCRD makes the definition; it may be there already.
func ensureCRD(ctx context.Context, l layout, resource customResource) error {
	client, err := dynamicClient(l)
	if err != nil {
		return err
	}
	crd := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": resource.plural + ".k3s.cattle.io"},
		"spec": map[string]any{
			"group": "k3s.cattle.io", "scope": resource.scope,
			"names": map[string]any{"kind": resource.kind, "listKind": resource.kind + "List",
				"plural": resource.plural, "singular": resource.singular},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": openObject(resource.properties)}}},
		},
	}}
	_, err = client.Resource(crdResource).Create(ctx, crd, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
