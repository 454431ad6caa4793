// The password of a node: in /etc/rancher/node/password, and hashed in the
// Secret kube-system/<node>.node-password.k3s. After a cluster-reset k3s deletes
// the Secret, since the restored one may be of another password, and makes it
// anew seconds later.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/scrypt"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	nodePasswordFile = "/etc/rancher/node/password"
	nodePasswordType = "k3s.cattle.io/node-password"
	// Since the API is ready: when the Secret goes, and how long it is away.
	nodePasswordStays = time.Second
	nodePasswordAway  = 5 * time.Second
)

func nodePasswordSecret(node string) string { return strings.ToLower(node) + ".node-password.k3s" }

// ensureNodePassword makes the file and the Secret that are missing.
func (s *server) ensureNodePassword(ctx context.Context) error {
	secrets := s.kube.CoreV1().Secrets(metav1.NamespaceSystem)
	password, err := readNodePassword(nodePasswordFile)
	if err != nil {
		return err
	}
	name := nodePasswordSecret(s.opts.nodeName)
	if _, err := secrets.Get(ctx, name, metav1.GetOptions{}); err == nil || !apierrors.IsNotFound(err) {
		return err
	}
	hash, err := hashNodePassword(password)
	if err != nil {
		return err
	}
	immutable := true
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceSystem},
		Type:       nodePasswordType, Immutable: &immutable, Data: map[string][]byte{"hash": []byte(hash)},
	}
	if node, err := s.kube.CoreV1().Nodes().Get(ctx, s.opts.nodeName, metav1.GetOptions{}); err == nil {
		secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node.Name, UID: node.UID}}
	}
	_, err = secrets.Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// renewNodePassword is what follows on a cluster-reset.
func (s *server) renewNodePassword(ctx context.Context) {
	if !sleep(ctx, nodePasswordStays) {
		return
	}
	err := s.kube.CoreV1().Secrets(metav1.NamespaceSystem).Delete(ctx, nodePasswordSecret(s.opts.nodeName), metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		logrus.Warnf("failed to delete old node password secret: %v", err)
	}
	if !sleep(ctx, nodePasswordAway) {
		return
	}
	if err := s.ensureNodePassword(ctx); err != nil && ctx.Err() == nil {
		logrus.Warnf("failed to create the node password secret: %v", err)
	}
}

// readNodePassword gives the password of the file, which is made when it is missing.
func readNodePassword(path string) (string, error) {
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		password := randomHex(16)
		return password, writeFile(path, []byte(password+"\n"), 0o600)
	}
	return strings.TrimSpace(string(text)), err
}

// hashNodePassword gives k3s's form of scrypt: version, salt, costs, hash.
func hashNodePassword(password string) (string, error) {
	const costLog, blocks, threads = 15, 8, 1
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	key, err := scrypt.Key([]byte(password), salt, 1<<costLog, blocks, threads, 64)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("$1:%x:%d:%d:%d:%s", salt, costLog, blocks, threads, base64.RawStdEncoding.EncodeToString(key)), nil
}
