// `k3s server`: starts the parts in order, and stops them in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"
	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/client-go/kubernetes"
)

// server is a running server.
type server struct {
	layout
	opts     serverOptions
	password string
	sqlite   bool
	remote   *serverClient   // the server that this one joins
	found    map[string]bool // bootstrap files of before this start
	failed   chan error
	etcdLog  etcdLog
	etcd     *clientv3.Client
	kube     *kubernetes.Clientset
	web      *supervisor

	lock     sync.Mutex // of what follows
	children []*child   // in the order in which they were started
	elects   bool       // the controllers ask for a lease
	ending   bool
}

func runServer(c *cli.Context) error {
	if err := setupLog(c); err != nil {
		return err
	}
	s, err := newServer(c)
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	takeServerTitle()
	if s.opts.clusterReset {
		return s.reset(ctx)
	}
	err = s.start(ctx)
	if err == nil {
		select {
		case <-ctx.Done():
			logrus.Debugf("Signal received")
		case err = <-s.failed:
		}
	}
	if s.etcdLog.removed.Load() {
		if err := s.leaveTombstone(); err != nil {
			logrus.Errorf("Failed to write tombstone: %v", err)
		}
		err = errRemoved
	}
	var request shutdownRequest
	if errors.As(err, &request) {
		logrus.Errorf("Shutdown request received: %q", request.reason)
		err = context.Canceled
	}
	s.stop()
	return err
}

// newServer reads the options and prepares the directories; the working
// directory becomes <data-dir>/server, where relative paths resolve.
func newServer(c *cli.Context) (*server, error) {
	opts, err := optionsOf(c)
	if err != nil {
		return nil, err
	}
	l, err := resolveDataDir(c.String("data-dir"))
	if err != nil {
		return nil, err
	}
	if os.Getuid() != 0 {
		return nil, fmt.Errorf("must run as root unless --rootless is specified")
	}
	l.encrypts = opts.secretsEncryption
	s := &server{layout: l, opts: opts, failed: make(chan error, 8)}
	if err := s.absolutePaths(); err != nil {
		return nil, err
	}
	if opts.clusterReset || opts.restorePath != "" {
		if err := s.checkReset(); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(l.data, 0o755); err != nil {
		return nil, err
	}
	for _, dir := range []string{l.server(), l.tls("etcd"), l.cred(), l.db(), l.server("manifests"), l.agent()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	return s, os.Chdir(l.server())
}

// absolutePaths fixes what must not depend on the working directory.
func (s *server) absolutePaths() error {
	for _, path := range []*string{&s.opts.kubeconfig, &s.opts.tokenFile} {
		if *path == "" {
			continue
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = abs
	}
	return nil
}

// start brings everything up; on an error the caller stops what there is.
func (s *server) start(ctx context.Context) (err error) {
	logrus.Infof("Starting k3s %s (%s)", version, commit)
	if err = s.takeTombstone(); err != nil {
		return err
	}
	s.sqlite = s.usesSQLite()
	s.opts.kine = s.sqlite
	if s.password, err = serverPassword(s.layout, s.opts, s.sqlite || s.hasEtcd()); err != nil {
		return err
	}
	if err = s.bootstrapCluster(); err != nil {
		return fmt.Errorf("preparing server: failed to bootstrap cluster data: %w", err)
	}
	s.noteFound()
	go s.callTunnel(ctx)
	if s.web, err = startSupervisor(s); err != nil {
		return err
	}
	if err = s.startDatastore(ctx); err != nil {
		return err
	}
	if err = s.startFault(ctx); err != nil {
		return err
	}
	if !s.sqlite {
		go s.manageMembers(ctx)
	}
	if err = writeTokenFiles(s.layout, s.password); err != nil {
		return err
	}
	if err = writeKubeconfigs(s.layout, s.opts); err != nil {
		return err
	}
	if err = s.startControlPlane(ctx); err != nil {
		return err
	}
	if err = s.holdLocalAPIPort(); err != nil {
		return err
	}
	s.web.ready.Store(true)
	if err = ensureSnapshotCRD(ctx, s.layout); err != nil {
		return err
	}
	if err = ensureAddonCRD(ctx, s.layout); err != nil {
		return err
	}
	go s.deployManifests(ctx)
	if !s.opts.disableAgent {
		if exists(s.db("reset-flag")) {
			go s.renewNodePassword(ctx)
		}
		if err = s.startNode(ctx); err != nil {
			return err
		}
	}
	_ = os.Remove(s.db("reset-flag"))
	logrus.Infof("k3s is up and running")
	notifySystemd()
	return nil
}

// startFault acts on the faults of a start: never-ready waits for the end with
// etcd running and no API, start-fails ends. With when=reset they hold after a
// cluster-reset only, until its flag is gone.
func (s *server) startFault(ctx context.Context) error {
	f := readFault(s.layout)
	if f.options["when"] == "reset" && !exists(s.db("reset-flag")) {
		return nil
	}
	switch {
	case f.is("never-ready"):
		return s.waitOrFail(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
	case f.is("start-fails"):
		return shutdownRequest{errors.New("injected: the server does not start")}
	}
	return nil
}

func (s *server) startControlPlane(ctx context.Context) error {
	process, err := startAPIServer(s.layout, s.opts, s.failed)
	if err != nil {
		return err
	}
	s.adopt(process)
	if s.kube, err = adminClient(s.layout); err != nil {
		return err
	}
	if err := s.waitOrFail(ctx, func(ctx context.Context) error { return waitForAPI(ctx, s.kube) }); err != nil {
		return err
	}
	return s.startControllers()
}

// adopt takes a child to be stopped with the server.
func (s *server) adopt(process *child) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.children = append(s.children, process)
}

// waitOrFail waits, but not for something whose process has ended.
func (s *server) waitOrFail(ctx context.Context, wait func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- wait(ctx) }()
	select {
	case err := <-done:
		return err
	case err := <-s.failed:
		return err
	}
}

// stop ends the children, last started first. Pods and their shims stay, as
// they do when k3s's unit is stopped.
func (s *server) stop() {
	if s.web != nil {
		s.web.close()
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	s.ending = true
	for i := len(s.children) - 1; i >= 0; i-- {
		grace := 3 * time.Second
		if s.children[i].name == "etcd" {
			grace = 10 * time.Second
		}
		s.children[i].stop(grace)
	}
	if s.etcd != nil {
		_ = s.etcd.Close()
	}
}
