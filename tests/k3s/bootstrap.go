// What k3s keeps of itself in etcd: the CAs and keys of the server, encrypted
// with the token under /bootstrap/<12 hex of the token's hash>.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	clientv3 "go.etcd.io/etcd/client/v3"
)

var errOtherToken = errors.New("bootstrap data already found and encrypted with different token")

type bootstrapFile struct {
	Timestamp time.Time
	Content   []byte
}

// bootstrapPaths gives the file of each name in the map that is stored.
func bootstrapPaths(l layout) map[string]string {
	paths := map[string]string{
		"ETCDServerCA":       l.tls("etcd/server-ca.crt"),
		"ETCDServerCAKey":    l.tls("etcd/server-ca.key"),
		"ETCDPeerCA":         l.tls("etcd/peer-ca.crt"),
		"ETCDPeerCAKey":      l.tls("etcd/peer-ca.key"),
		"ServerCA":           l.tls("server-ca.crt"),
		"ServerCAKey":        l.tls("server-ca.key"),
		"ClientCA":           l.tls("client-ca.crt"),
		"ClientCAKey":        l.tls("client-ca.key"),
		"ServiceKey":         l.tls("service.key"),
		"PasswdFile":         l.cred("passwd"),
		"RequestHeaderCA":    l.tls("request-header-ca.crt"),
		"RequestHeaderCAKey": l.tls("request-header-ca.key"),
		"IPSECKey":           l.cred("ipsec.psk"),
	}
	if l.encrypts {
		paths[bootstrapEncryptionConfig] = encryptionConfigFile(l)
		paths[bootstrapEncryptionHash] = encryptionStateFile(l)
	}
	return paths
}

// packBootstrap reads the files and gives the plain JSON.
func packBootstrap(l layout) ([]byte, error) {
	out := map[string]bootstrapFile{}
	for name, path := range bootstrapPaths(l) {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		out[name] = bootstrapFile{Timestamp: info.ModTime(), Content: content}
	}
	return json.Marshal(out)
}

// fetchBootstrap gives the decrypted map, or nil where the datastore holds none.
// Data under another token's key is errOtherToken.
func fetchBootstrap(ctx context.Context, c *clientv3.Client, password string) (map[string]bootstrapFile, error) {
	res, err := c.Get(ctx, "/bootstrap", clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	for _, kv := range res.Kvs {
		if string(kv.Key) != "/bootstrap/"+tokenHash(password) {
			continue
		}
		plain, err := decryptBootstrap(password, kv.Value)
		if err != nil {
			return nil, err
		}
		files := map[string]bootstrapFile{}
		return files, json.Unmarshal(plain, &files)
	}
	if len(res.Kvs) > 0 {
		return nil, errOtherToken
	}
	return nil, nil
}

// storeBootstrap writes the files of this disk to the datastore.
func storeBootstrap(ctx context.Context, c *clientv3.Client, l layout, password string) error {
	plain, err := packBootstrap(l)
	if err != nil {
		return err
	}
	value, err := encryptBootstrap(password, plain)
	if err != nil {
		return err
	}
	_, err = c.Put(ctx, "/bootstrap/"+tokenHash(password), string(value))
	return err
}

// newerOnDisk are files that the datastore's must not overwrite.
type newerOnDisk struct{ paths []string }

func (e newerOnDisk) Error() string {
	return strings.Join(e.paths, ", ") + " newer than datastore and could cause a cluster outage. " +
		"Remove the file(s) from disk and restart to be recreated from datastore."
}

// clockSkew is how much younger than the datastore's a file may be.
const clockSkew = 3 // seconds

// newerFiles are those that differ from the datastore's and are newer, of those
// for which newerIsFatal says true.
func newerFiles(paths map[string]string, files map[string]bootstrapFile, newerIsFatal func(path string) bool) (newer []string) {
	for name, file := range files {
		path, known := paths[name]
		if !known || !newerIsFatal(path) {
			continue
		}
		old, err := os.ReadFile(path)
		if err != nil || bytes.Equal(old, file.Content) {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.ModTime().Unix()-file.Timestamp.Unix() >= clockSkew {
			newer = append(newer, path)
		}
	}
	return newer
}

// unpackBootstrap makes the disk as the datastore has it and tells whether
// anything changed. Files for which newerIsFatal says true are refused when they
// are newer than the datastore's; then nothing is written.
func unpackBootstrap(l layout, files map[string]bootstrapFile, newerIsFatal func(path string) bool) (bool, error) {
	paths := bootstrapPaths(l)
	if newer := newerFiles(paths, files, newerIsFatal); len(newer) > 0 {
		return false, newerOnDisk{newer}
	}
	changed := false
	for name, file := range files {
		path, known := paths[name]
		if !known {
			continue
		}
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, file.Content) {
			continue
		}
		if !changed {
			logrus.Infof("Updating bootstrap data on disk from datastore")
		}
		changed = true
		mode := os.FileMode(0o600)
		if len(path) > 4 && path[len(path)-4:] == ".crt" {
			mode = 0o644
		}
		if err := writeFile(path, file.Content, mode); err != nil {
			return changed, err
		}
		if err := os.Chtimes(path, file.Timestamp, file.Timestamp); err != nil {
			return changed, err
		}
	}
	return changed, nil
}
