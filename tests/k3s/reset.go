// `k3s server --cluster-reset --cluster-reset-restore-path=FILE`: k3s's order of
// steps, what it leaves behind when it fails, and its last message.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/etcdutl/v3/snapshot"
	"go.uber.org/zap"
)

const resetDone = "Managed etcd cluster membership has been reset, restart without --cluster-reset flag now. " +
	"Backup and delete ${datadir}/server/db on each peer etcd server and rejoin the nodes"

// checkReset refuses what k3s refuses before it touches anything. A --token-file
// doesn't count as a token here, as it doesn't for k3s.
func (s *server) checkReset() error {
	o := s.opts
	if !o.clusterReset {
		return errors.New("invalid flag use; --cluster-reset required with --cluster-reset-restore-path")
	}
	if o.serverURL != "" {
		return errors.New("cannot perform cluster-reset while server URL is set - remove server from configuration before resetting")
	}
	if o.restorePath == "" {
		if flag := s.db("reset-flag"); exists(flag) {
			return fmt.Errorf("Managed etcd cluster membership was previously reset, please remove the cluster-reset flag and start k3s normally. "+
				"If you need to perform another cluster reset, you must first manually delete the file at %s", flag)
		}
		return nil
	}
	if token := s.layout.server("token"); o.token == "" && !exists(token) {
		return fmt.Errorf("%s does not exist, please pass --token to complete the restoration", token)
	}
	if !o.disableAgent && cniBinDir() == "" {
		return errors.New(`failed to find host-local: exec: "host-local": executable file not found in $PATH`)
	}
	return nil
}

// reset restores the snapshot, if one was given, makes this the only member and
// takes the certificates from the datastore. A server that runs, or is still
// stopping, shows by its port alone.
func (s *server) reset(ctx context.Context) (err error) {
	defer s.stop()
	logrus.Infof("Starting k3s %s (%s)", version, commit)
	if err = s.holdLocalAPIPort(); err != nil {
		return err
	}
	if s.password, err = serverPassword(s.layout, s.opts, false); err != nil {
		return err
	}
	if err = ensureCAs(s.layout); err != nil {
		return err
	}
	if err = ensureLeaves(s.layout, s.opts); err != nil {
		return err
	}
	// The password that was given is written, also one that the datastore then refuses.
	if err = writePasswd(s.layout, s.password); err != nil {
		return err
	}
	if s.opts.restorePath != "" {
		if err = s.restoreSnapshot(); err != nil {
			return err
		}
	}
	// The member gets a new name.
	if err = writeFile(s.layout.etcd("name"), []byte(s.opts.nodeName+"-"+randomHex(4)), 0o600); err != nil {
		return err
	}
	if err = writeFile(s.db("reset-flag"), nil, 0o600); err != nil {
		return err
	}
	if err = s.writeAccess(); err != nil {
		return err
	}
	logrus.Infof("Starting etcd for new cluster, cluster-reset=true")
	process, client, err := startEtcd(s.layout, s.opts, etcdInstance{dir: s.layout.etcd(), forceNew: true, loopbackOnly: true}, os.Stderr, s.failed)
	if err != nil {
		return err
	}
	s.adopt(process)
	s.etcd = client
	if err = waitForEtcd(ctx, client, process, func() {}); err != nil {
		return err
	}
	if err = s.takeMembership(ctx, process); err != nil {
		return err
	}
	s.logDatastore(ctx)
	if _, err = client.Put(ctx, "k3s/apiaddresses", "[]"); err != nil {
		return err
	}
	if err = s.takeBootstrap(ctx); err != nil {
		return err
	}
	return s.reportReset()
}

// writeAccess writes server/token and the kubeconfig while the disk still has
// the CA that was there before, on an empty disk one made for the occasion: both
// are right again with the next start. A token file that was put there without
// being given as the token is lost in this.
func (s *server) writeAccess() error {
	if err := writeTokenFiles(s.layout, s.password); err != nil {
		return err
	}
	return writeAdminKubeconfig(s.layout, s.opts)
}

// logDatastore says what is connected, in k3s's words.
func (s *server) logDatastore(ctx context.Context) {
	if status, err := s.etcd.Status(ctx, etcdEndpoint); err == nil {
		logrus.Infof("Connected to etcd v%s - datastore using %d of %d bytes", status.Version, status.DbSizeInUse, status.DbSize)
	}
}

// restoreSnapshot moves the old database away and restores in its place.
func (s *server) restoreSnapshot() error {
	name, err := memberName(s.layout.etcd(), s.opts.nodeName)
	if err != nil {
		return err
	}
	if s.opts.etcdS3 { // the path is an object's name
		return noS3Client(s.opts.s3.set())
	}
	path, err := s.snapshotPath()
	if err != nil {
		return err
	}
	old := s.db(fmt.Sprintf("etcd-old-%d", time.Now().Unix()))
	if err := os.Rename(s.layout.etcd(), old); err != nil {
		return err
	}
	logrus.Infof("Pre-restore etcd database moved to %s", old)
	// Without a cluster token, as k3s: so the cluster has another ID than the one that it began as.
	peer := peerURL(s.opts)
	err = snapshot.NewV3(zap.NewNop()).Restore(snapshot.RestoreConfig{
		SnapshotPath: path, Name: name, OutputDataDir: s.layout.etcd(), OutputWALDir: s.layout.etcd("member/wal"),
		PeerURLs: []string{peer}, InitialCluster: name + "=" + peer,
	})
	if err != nil {
		return fmt.Errorf("etcd: snapshot restore failed: %w", err)
	}
	return nil
}

// snapshotPath checks the file. A .zip with an absolute path is looked up below
// the snapshot directory, the defect of k3s since 1.33.10, 1.34.6 and 1.35.3;
// the fault zip-works switches to the older behaviour.
func (s *server) snapshotPath() (string, error) {
	path := s.opts.restorePath
	isZip := strings.HasSuffix(path, ".zip")
	if isZip && !readFault(s.layout).is("zip-works") {
		path = filepath.Join(s.db("snapshots"), path)
	}
	info, err := os.Stat(path)
	if os.IsNotExist(err) {
		return "", fmt.Errorf("etcd: snapshot path does not exist: %s", path)
	}
	if err != nil {
		return "", err
	}
	if info.IsDir() {
		return "", fmt.Errorf("etcd: snapshot path must be a file, not a directory: %s", path)
	}
	if isZip {
		return unzipSnapshot(path)
	}
	return path, nil
}

// takeBootstrap makes the disk as the snapshot has it. The certificates of before
// are kept beside, in tls-<unix>, also where they are those of the snapshot.
func (s *server) takeBootstrap(ctx context.Context) error {
	logrus.Infof("Reconciling bootstrap data between datastore and disk")
	files, err := fetchBootstrap(ctx, s.etcd, s.password)
	if err != nil {
		return err
	}
	if files == nil {
		return errors.New("no bootstrap data found in the datastore")
	}
	backup := s.layout.server(fmt.Sprintf("tls-%d", time.Now().Unix()))
	logrus.Infof("Cluster reset: backing up certificates directory to %s", backup)
	if err := os.CopyFS(backup, os.DirFS(s.tls())); err != nil {
		return fmt.Errorf("cluster reset failed to back up server TLS dir: %w", err)
	}
	if _, err := unpackBootstrap(s.layout, files, func(string) bool { return false }); err != nil {
		return err
	}
	return ensureLeaves(s.layout, s.opts)
}

// reportReset ends with k3s's message. K3S_STANDIN_RESET_MESSAGE=old gives the
// form of before 1.31.14, 1.32.10, 1.33.6 and 1.34.2.
func (s *server) reportReset() error {
	if os.Getenv("K3S_STANDIN_RESET_MESSAGE") == "old" {
		logrus.Info(resetDone)
		return nil
	}
	logrus.Errorf("Shutdown request received: %q", resetDone)
	return nil
}
