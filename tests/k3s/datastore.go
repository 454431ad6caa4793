// The server's datastore, etcd or kine's SQLite, and which side's certificates count.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sirupsen/logrus"
)

// startDatastore starts it, and settles with it whose certificates count.
func (s *server) startDatastore(ctx context.Context) error {
	instance := etcdInstance{dir: s.layout.etcd(), fresh: !s.hasEtcd() && s.remote == nil}
	if s.remote != nil {
		if err := s.prepareCertificates(); err != nil {
			return err
		}
		// A learner has its token already.
		if err := writeTokenFiles(s.layout, s.password); err != nil {
			return err
		}
		var err error
		if instance.joins, err = s.joinEtcd(ctx); err != nil {
			return err
		}
	}
	changed, err := s.startEtcdWithBootstrap(ctx, instance, func(path string) bool { return s.found[path] })
	if err != nil || !changed {
		return err
	}
	s.stopEtcd()
	instance.fresh = false
	_, err = s.startEtcdWithBootstrap(ctx, instance, func(string) bool { return true })
	return err
}

// noteFound remembers which bootstrap files are there before this server makes
// any, the supervisor's own among them: what it made for the occasion the
// datastore's takes the place of.
func (s *server) noteFound() {
	s.found = map[string]bool{}
	complete := s.hasCertificates()
	for _, path := range bootstrapPaths(s.layout) {
		s.found[path] = complete && exists(path)
	}
	for _, pair := range caFiles(s.layout) { // a CA that lacks one of its files is made anew
		if !exists(pair[0]) || !exists(pair[1]) {
			s.found[pair[0]], s.found[pair[1]] = false, false
		}
	}
}

// hasCertificates tells whether none of the directories is missing or empty:
// else what is in the datastore is written without a comparison.
func (s *server) hasCertificates() bool {
	return hasFiles(s.cred()) && hasFiles(s.tls()) && hasFiles(s.tls("etcd"))
}

// startEtcdWithBootstrap starts etcd and reconciles the bootstrap data; it
// tells whether the disk changed, so that etcd must be started again.
func (s *server) startEtcdWithBootstrap(ctx context.Context, e etcdInstance, newerIsFatal func(string) bool) (bool, error) {
	if err := s.prepareCertificates(); err != nil {
		return false, err
	}
	if err := s.launchDatastore(ctx, e); err != nil {
		return false, err
	}
	client := s.etcd
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

func (s *server) prepareCertificates() error {
	if err := ensureCAs(s.layout); err != nil {
		return err
	}
	return ensureLeaves(s.layout, s.opts)
}

// launchDatastore returns once it answers. A member that may have to wait for
// its others lets the supervisor answer meanwhile.
func (s *server) launchDatastore(ctx context.Context, e etcdInstance) error {
	if s.sqlite {
		process, client, err := startKine(ctx, s.layout, s.failed)
		if err != nil {
			return err
		}
		s.adopt(process)
		s.etcd = client
		return nil
	}
	process, client, err := startEtcd(s.layout, s.opts, e, &s.etcdLog, s.failed)
	if err != nil {
		return err
	}
	s.adopt(process)
	s.etcd = client
	if e.joins != "" {
		s.web.member.Store(true)
	}
	if err := waitForEtcd(ctx, client, process, func() { s.web.member.Store(true) }); err != nil {
		return err
	}
	if e.fresh {
		if err := s.migrateSQLite(ctx); err != nil {
			return fmt.Errorf("failed to migrate content from sqlite to etcd: %w", err)
		}
	}
	return s.waitForMembership(ctx, process)
}

func (s *server) stopEtcd() {
	s.web.member.Store(false)
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
