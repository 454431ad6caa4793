// etcd as k3s runs it: TLS with client certificates, its configuration in
// db/etcd/config and its name in db/etcd/name.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"sigs.k8s.io/yaml"
)

const etcdEndpoint = "https://127.0.0.1:2379"

// etcdInstance says which data directory is served, and how.
type etcdInstance struct {
	dir          string // holds member/, name and config
	forceNew     bool   // one member, whatever the data says
	loopbackOnly bool
	joins        string // the members' name=URL, its own too, of a cluster that is there
	fresh        bool   // of a cluster that begins here: the data of an SQLite are taken in
}

func peerURL(o serverOptions) string { return "https://" + o.nodeIP + ":2380" }

// memberName gives the etcd member's name, made at first use: <node>-<8 hex>.
func memberName(dir, node string) (string, error) {
	path := filepath.Join(dir, "name")
	if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
		return strings.TrimSpace(string(text)), nil
	}
	name := node + "-" + randomHex(4)
	return name, writeFile(path, []byte(name), 0o600)
}

// writeEtcdConfig writes the configuration file and gives its path.
func writeEtcdConfig(l layout, o serverOptions, e etcdInstance) (string, error) {
	name, err := memberName(e.dir, o.nodeName)
	if err != nil {
		return "", err
	}
	clientURL, peer := "https://"+o.nodeIP+":2379", peerURL(o)
	listenClient, listenPeer := etcdEndpoint, "https://127.0.0.1:2380"
	if !e.loopbackOnly {
		listenClient += "," + clientURL
		listenPeer += "," + peer
	}
	cluster, state := name+"="+peer, "new"
	if e.joins != "" {
		cluster, state = e.joins, "existing"
	}
	security := func(cert, ca string) map[string]any {
		return map[string]any{"cert-file": l.tls(cert + ".crt"), "key-file": l.tls(cert + ".key"),
			"client-cert-auth": true, "trusted-ca-file": l.tls(ca)}
	}
	config := map[string]any{
		"name":                        name,
		"data-dir":                    e.dir,
		"listen-client-urls":          listenClient,
		"listen-client-http-urls":     "https://127.0.0.1:2382",
		"listen-metrics-urls":         "http://127.0.0.1:2381",
		"listen-peer-urls":            listenPeer,
		"advertise-client-urls":       clientURL,
		"initial-advertise-peer-urls": peer,
		"initial-cluster":             cluster,
		"initial-cluster-state":       state,
		"heartbeat-interval":          500,
		"election-timeout":            5000,
		"snapshot-count":              10000,
		"logger":                      "zap",
		"log-level":                   "warn",
		"log-outputs":                 []string{"stderr"},
		"socket-options":              map[string]any{"reuse-address": true, "reuse-port": true},
		"client-transport-security":   security("etcd/server-client", "etcd/server-ca.crt"),
		"peer-transport-security":     security("etcd/peer-server-client", "etcd/peer-ca.crt"),
	}
	if e.forceNew {
		config["force-new-cluster"] = true
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(e.dir, "config")
	return path, writeFile(path, text, 0o600)
}

// startEtcd starts the member; waitForEtcd waits until it answers.
func startEtcd(l layout, o serverOptions, e etcdInstance, log io.Writer, failed chan<- error) (*child, *clientv3.Client, error) {
	if err := os.MkdirAll(e.dir, 0o700); err != nil {
		return nil, nil, err
	}
	config, err := writeEtcdConfig(l, o, e)
	if err != nil {
		return nil, nil, err
	}
	if err := canListen(o, e); err != nil {
		return nil, nil, fmt.Errorf("start managed database: %w", err)
	}
	cmd := componentCmd("etcd", "--config-file="+config)
	cmd.Stdout, cmd.Stderr = log, log
	process, err := startChild("etcd", cmd, failed)
	if err != nil {
		return nil, nil, err
	}
	client, err := etcdClient(l)
	if err != nil {
		process.stop(2 * time.Second)
		return nil, nil, err
	}
	return process, client, nil
}

// canListen fails as etcd itself does within k3s, where it is no child of its
// own: a reset listens on loopback only, so a wrong node-ip shows at the start.
func canListen(o serverOptions, e etcdInstance) error {
	if e.loopbackOnly {
		return nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.nodeIP, "0"))
	if err != nil {
		return fmt.Errorf("listen tcp %s: bind: cannot assign requested address", net.JoinHostPort(o.nodeIP, "2380"))
	}
	return listener.Close()
}

// etcdClient is a client of this server's member, or of those that are named.
func etcdClient(l layout, endpoints ...string) (*clientv3.Client, error) {
	if len(endpoints) == 0 {
		endpoints = []string{etcdEndpoint}
	}
	pair, err := tls.LoadX509KeyPair(l.tls("etcd/client.crt"), l.tls("etcd/client.key"))
	if err != nil {
		return nil, err
	}
	pool, err := certPool(l.tls("etcd/server-ca.crt"))
	if err != nil {
		return nil, err
	}
	return clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: 2 * time.Second,
		TLS:         &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, MinVersion: tls.VersionTLS12},
		Logger:      zap.NewNop(),
	})
}

// waitForEtcd waits for a linearizable read, as long as it takes: a member
// without a quorum may get one, a learner may be promoted. Every five seconds it
// says that there was none, and calls `waiting`.
func waitForEtcd(ctx context.Context, client *clientv3.Client, process *child, waiting func()) error {
	for told := time.Now(); ; {
		err := etcdHealthy(ctx, client)
		if err == nil {
			return nil
		}
		if time.Since(told) > 5*time.Second {
			logrus.Errorf("Failed to test etcd connection: %v", err)
			told = time.Now()
			waiting()
		}
		select {
		case <-process.done:
			return fmt.Errorf("etcd exited before it answered")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func etcdHealthy(ctx context.Context, client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := client.Get(ctx, "health")
	if err != nil && strings.Contains(err.Error(), "not supported for learner") {
		return errors.New("this server has not yet been promoted from learner to voting member")
	}
	return err
}
