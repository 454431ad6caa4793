// What a joining server asks of another one's supervisor: the configuration that
// must be the same on all, and the bootstrap data. Both sides of it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	serverConfigPath = "/v1-k3s/config"
	bootstrapPath    = "/v1-k3s/server-bootstrap"
)

// criticalConfig is what k3s compares, as far as it means something here.
type criticalConfig struct {
	ClusterCIDR       string `json:"clusterCIDR"`
	ServiceCIDR       string `json:"serviceCIDR"`
	SecretsEncryption bool   `json:"secretsEncryption"`
}

func criticalConfigOf(o serverOptions) criticalConfig {
	return criticalConfig{ClusterCIDR: o.clusterCIDR, ServiceCIDR: o.serviceCIDR, SecretsEncryption: o.secretsEncryption}
}

// mismatches names the flags that differ.
func (c criticalConfig) mismatches(other criticalConfig) (flags []string) {
	if c.ClusterCIDR != other.ClusterCIDR {
		flags = append(flags, "cluster-cidr")
	}
	if c.ServiceCIDR != other.ServiceCIDR {
		flags = append(flags, "service-cidr")
	}
	if c.SecretsEncryption != other.SecretsEncryption {
		flags = append(flags, "secrets-encryption")
	}
	return flags
}

// compareConfig asks as an agent does: here a wrong password shows first.
func compareConfig(remote *serverClient, o serverOptions) error {
	text, err := remote.as("node").get(serverConfigPath)
	if err != nil {
		return err
	}
	var theirs criticalConfig
	if err := json.Unmarshal(text, &theirs); err != nil {
		return err
	}
	differs := criticalConfigOf(o).mismatches(theirs)
	for _, flag := range differs {
		logrus.Warnf("critical configuration mismatched: %s", flag)
	}
	if len(differs) > 0 {
		return errors.New("critical configuration value mismatch between servers")
	}
	return nil
}

func fetchRemoteBootstrap(remote *serverClient) (map[string]bootstrapFile, error) {
	text, err := remote.get(bootstrapPath)
	if err != nil {
		return nil, err
	}
	files := map[string]bootstrapFile{}
	return files, json.Unmarshal(text, &files)
}

func (w *supervisor) config(rw http.ResponseWriter, r *http.Request) {
	if !w.authorized(r, "node") {
		writeStatus(rw, http.StatusUnauthorized, notAuthorized)
		return
	}
	writeJSON(rw, criticalConfigOf(w.server.opts))
}

// bootstrap serves the datastore's data or, when it can't be read, the disk's.
func (w *supervisor) bootstrap(rw http.ResponseWriter, r *http.Request) {
	if !w.authorized(r, "server") {
		writeStatus(rw, http.StatusUnauthorized, notAuthorized)
		return
	}
	if w.server.sqlite {
		logrus.Warnf("Received HTTP bootstrap request from %s, but embedded etcd is not enabled.", r.RemoteAddr)
		writeStatus(rw, http.StatusBadRequest, "etcd disabled")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	files, err := fetchBootstrap(ctx, w.server.etcd, w.server.password)
	if err == nil && files != nil {
		logrus.Infof("Serving HTTP bootstrap from datastore for %s", r.RemoteAddr)
		writeJSON(rw, files)
		return
	}
	logrus.Warnf("Failed to retrieve HTTP bootstrap data from datastore; falling back to disk for %s: %v", r.RemoteAddr, err)
	text, err := packBootstrap(w.server.layout)
	if err != nil {
		writeStatus(rw, http.StatusInternalServerError, err.Error())
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_, _ = rw.Write(text)
}
