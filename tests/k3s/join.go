// A server with --server: it takes the cluster's CAs and keys from the server
// that it joins, before it makes any of its own. One whose etcd is on the disk
// already never joins: it goes on with its own data, whoever its peers are.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/sirupsen/logrus"
)

const joinTimeout = 15 * time.Second

// usesSQLite tells whether the state is kine's. A --server without a token
// doesn't count: such a server begins a cluster of its own (k3s's source).
func (s *server) usesSQLite() bool {
	if s.opts.datastoreEndpoint != "" {
		return true
	}
	token, _ := givenToken(s.opts)
	joins := s.opts.serverURL != "" && token != ""
	return !s.opts.clusterInit && !s.hasEtcd() && !joins
}

func (s *server) hasEtcd() bool { return exists(s.layout.etcd("member/wal")) }

// joinURL is the supervisor's address for the value of --server: k3s has it on
// 6443, the stand-in on a port of its own.
func joinURL(server string, supervisorPort int) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("Invalid server url, failed to parse: %s: %w", server, err)
	}
	if u.Scheme != "https" {
		return "", fmt.Errorf("only https:// URLs are supported, invalid scheme: %s", server)
	}
	if port := u.Port(); port == "" || port == "6443" {
		u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(supervisorPort))
	}
	return u.Scheme + "://" + u.Host, nil
}

// bootstrapCluster settles with the server of --server what this one is a part of.
func (s *server) bootstrapCluster() error {
	if s.sqlite || s.opts.serverURL == "" {
		return nil
	}
	remote, err := s.connectRemote()
	if s.hasEtcd() {
		logrus.Info("Managed etcd cluster bootstrap already complete and initialized")
		if err != nil { // the others may be down: a cold start of all
			return nil
		}
		return s.reconcileRemote(remote)
	}
	if err != nil {
		return fmt.Errorf("failed to check if bootstrap data has been initialized: %w", err)
	}
	logrus.Info("Managed etcd cluster not yet initialized")
	s.remote = remote
	if err := compareConfig(remote, s.opts); err != nil {
		return fmt.Errorf("failed to validate server configuration: %w", err)
	}
	return s.takeRemoteBootstrap(remote)
}

func (s *server) connectRemote() (*serverClient, error) {
	token, err := givenToken(s.opts)
	if err != nil {
		return nil, err
	}
	if token == "" {
		return nil, errors.New("token is required to join a cluster")
	}
	parts, err := parseToken(token)
	if err != nil {
		return nil, fmt.Errorf("failed to validate token: %w", err)
	}
	base, err := joinURL(s.opts.serverURL, s.opts.supervisorPort)
	if err != nil {
		return nil, fmt.Errorf("failed to validate token: %w", err)
	}
	remote, err := connectServer(base, "server", parts, joinTimeout)
	if err != nil {
		return nil, fmt.Errorf("failed to validate token: %w", err)
	}
	if parts.caHash == "" {
		logrus.Warn("Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. " +
			"Use the full token from the server's node-token file to enable Cluster CA validation.")
	}
	return remote, nil
}

// reconcileRemote makes the disk as the other server has it, where it answers.
func (s *server) reconcileRemote(remote *serverClient) error {
	err := s.takeRemoteBootstrap(remote)
	var newer newerOnDisk
	if errors.As(err, &newer) {
		return err
	}
	if err != nil {
		logrus.Warnf("Unable to reconcile with remote datastore: %v", err)
		return nil
	}
	logrus.Info("Successfully reconciled with remote datastore")
	return nil
}

// takeRemoteBootstrap writes the other server's bootstrap data to the disk. A
// file there that is newer than it ends the start, unless certificates and
// credentials are missing altogether.
func (s *server) takeRemoteBootstrap(remote *serverClient) error {
	files, err := fetchRemoteBootstrap(remote)
	if err != nil {
		return err
	}
	logrus.Info("Reconciling bootstrap data between datastore and disk")
	complete := s.hasCertificates()
	_, err = unpackBootstrap(s.layout, files, func(string) bool { return complete })
	return err
}

// hasFiles tells whether a directory has a file; directories in it don't count,
// since this start has made them.
func hasFiles(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			return true
		}
	}
	return false
}
