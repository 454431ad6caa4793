// What the server does on `etcd-snapshot save`, its traps included.
package main

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	clientv3 "go.etcd.io/etcd/client/v3"
)

type snapshotSaver struct{ lock sync.Mutex }

// save takes a snapshot. One that fails in etcd or on the disk is answered like
// one that worked, without a name: k3s does so.
func (sv *snapshotSaver) save(ctx context.Context, st *snapshotStore, r snapshotRequest, f fault) (snapshotResult, error) {
	if !sv.lock.TryLock() || f.is("busy") {
		return snapshotResult{}, errors.New("snapshot save already in progress")
	}
	defer sv.lock.Unlock()
	if f.is("hang") {
		<-ctx.Done()
		return snapshotResult{}, ctx.Err()
	}
	if f.is("internal-error") {
		return snapshotResult{}, errors.New("injected")
	}
	prefix := "on-demand"
	if len(r.Name) > 0 {
		prefix = r.Name[0]
	}
	now := time.Now().Round(time.Second) // of the second half of a second the name is of the next one
	name := fmt.Sprintf("%s-%s-%d", prefix, st.server.opts.nodeName, now.Unix())
	path := filepath.Join(st.dir, name)
	if !sleep(ctx, f.seconds("delay", 0)) {
		return snapshotResult{}, ctx.Err()
	}
	if err := canSave(ctx, st.server.etcd); err != nil {
		return snapshotResult{}, err
	}
	logrus.Infof("Saving etcd snapshot to %s", path)
	err := errors.New("injected: no space left on device")
	if !f.is("silent-no-snapshot") {
		err = streamSnapshot(ctx, st.server.etcd, path)
	}
	if err == nil && r.Compress != nil && *r.Compress {
		logrus.Infof("Compressing etcd snapshot file: %s", name)
		err = zipSnapshot(path, now)
		name, path = name+".zip", path+".zip"
	}
	if err != nil {
		logrus.Errorf("Failed to take etcd snapshot: %v", err)
		recordSnapshot(st.server, snapshotInfo{name: name, node: st.server.opts.nodeName, created: now, failure: err.Error()})
		return snapshotResult{}, nil
	}
	if err := damage(f, path); err != nil {
		return snapshotResult{}, err
	}
	if info, err := os.Stat(path); err == nil {
		recordSnapshot(st.server, st.describe(info))
	}
	if f.is("timeout-but-complete") {
		<-ctx.Done()
		return snapshotResult{}, ctx.Err()
	}
	if f.is("wrong-name") {
		name = strings.Replace(name, st.server.opts.nodeName, "another-node", 1)
	}
	return snapshotResult{Created: []string{name}}, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// canSave asks etcd how it is: a learner takes no snapshots.
func canSave(ctx context.Context, client *clientv3.Client) error {
	status, err := client.Status(ctx, etcdEndpoint)
	if err != nil {
		return fmt.Errorf("failed to check etcd status for snapshot: %w", err)
	}
	if status.IsLearner {
		logrus.Warn("Unable to take snapshot: not supported for learner")
		return errors.New("no snapshot of a learner")
	}
	return nil
}

// streamSnapshot writes <path>.part with mode 0600, syncs it, checks the size
// and renames it.
func streamSnapshot(ctx context.Context, client *clientv3.Client, path string) error {
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(part)
	defer file.Close()
	stream, err := client.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	size, err := io.Copy(file, stream)
	if err != nil {
		return err
	}
	if size%512 != 32 {
		return fmt.Errorf("sha256 checksum not found [bytes: %d]", size)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// zipSnapshot replaces a snapshot with an archive of one entry.
func zipSnapshot(path string, taken time.Time) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path+".zip", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	archive := zip.NewWriter(out)
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: filepath.Base(path), Method: zip.Deflate, Modified: taken})
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, in); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return os.Remove(path)
}
