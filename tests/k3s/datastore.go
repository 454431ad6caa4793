// The server's datastore, etcd or kine's SQLite, and which side's certificates count.
package main

import (
	"context"
	"time"

	"github.com/sirupsen/logrus"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// startDatastore starts it, and settles with it whose certificates count.
func (s *server) startDatastore(ctx context.Context) error {
	instance := etcdInstance{dir: s.layout.etcd()}
	changed, err := s.startEtcdWithBootstrap(ctx, instance, func(path string) bool { return s.found[path] })
	if err != nil || !changed {
		return err
	}
	s.stopEtcd()
	_, err = s.startEtcdWithBootstrap(ctx, instance, func(string) bool { return true })
	return err
}

// noteFound remembers which bootstrap files are there before this server makes
// any, the supervisor's own among them: what it made for the occasion the
// datastore's takes the place of.
func (s *server) noteFound() {
	s.found = map[string]bool{}
	for _, path := range bootstrapPaths(s.layout) {
		s.found[path] = exists(path)
	}
}

// startEtcdWithBootstrap starts etcd and reconciles the bootstrap data; it
// tells whether the disk changed, so that etcd must be started again.
func (s *server) startEtcdWithBootstrap(ctx context.Context, e etcdInstance, newerIsFatal func(string) bool) (bool, error) {
	if err := ensureCAs(s.layout); err != nil {
		return false, err
	}
	if err := ensureLeaves(s.layout, s.opts); err != nil {
		return false, err
	}
	start := func() (*child, *clientv3.Client, error) { return startEtcd(ctx, s.layout, s.opts, e, s.failed) }
	if s.sqlite {
		start = func() (*child, *clientv3.Client, error) { return startKine(ctx, s.layout, s.failed) }
	}
	process, client, err := start()
	if err != nil {
		return false, err
	}
	s.children, s.etcd = append(s.children, process), client
	files, err := fetchBootstrap(ctx, client, s.password)
	if err != nil {
		return false, err
	}
	if files == nil {
		if err := ensurePasswd(s.layout, s.password); err != nil {
			return false, err
		}
		return false, storeBootstrap(ctx, client, s.layout, s.password)
	}
	logrus.Infof("Reconciling bootstrap data between datastore and disk")
	changed, err := unpackBootstrap(s.layout, files, newerIsFatal)
	if _, known := files[bootstrapEncryptionConfig]; err == nil && s.encrypts && !known {
		// Encryption was switched on after the first start.
		err = storeBootstrap(ctx, client, s.layout, s.password)
	}
	return changed && err == nil, err
}

func (s *server) stopEtcd() {
	if s.etcd != nil {
		_ = s.etcd.Close()
	}
	for i, c := range s.children {
		if c.name == "etcd" || c.name == "kine" {
			c.stop(10 * time.Second)
			s.children = append(s.children[:i], s.children[i+1:]...)
			return
		}
	}
}
