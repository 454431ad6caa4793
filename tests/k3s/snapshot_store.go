// The snapshot directory of a server: listing, deleting, pruning.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

type snapshotStore struct {
	server *server
	dir    string
}

// openStore gives the directory of a request: the default one is made, another
// one has to be there.
func openStore(s *server, dir *string) (*snapshotStore, error) {
	if dir == nil || *dir == "" {
		path := s.db("snapshots")
		return &snapshotStore{s, path}, os.MkdirAll(path, 0o700)
	}
	path := *dir
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.layout.server(), path)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("failed to get etcd-snapshot-dir: %w", err)
	}
	return &snapshotStore{s, path}, nil
}

// files lists whatever lies in the directory, by time and then by name.
func (st *snapshotStore) files() ([]os.FileInfo, error) {
	entries, err := os.ReadDir(st.dir)
	if err != nil {
		return nil, err
	}
	var out []os.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && !info.IsDir() {
			out = append(out, info)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].ModTime().Before(out[j].ModTime()) })
	return out, nil
}

func (st *snapshotStore) list() (any, error) {
	files, err := st.files()
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, info := range files {
		items = append(items, snapshotObject(st.describe(info), "").Object)
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": items}, nil
}

func (st *snapshotStore) describe(info os.FileInfo) snapshotInfo {
	return snapshotInfo{name: info.Name(), node: st.server.opts.nodeName, size: info.Size(),
		location: "file://" + filepath.Join(st.dir, info.Name()), created: info.ModTime(), ready: true}
}

// remove deletes by name; the result names those that were there. Names are
// joined to the directory unchecked, as k3s does.
func (st *snapshotStore) remove(ctx context.Context, names []string) (snapshotResult, error) {
	var result snapshotResult
	for _, name := range names {
		path := filepath.Join(st.dir, name)
		info, err := os.Stat(path)
		if os.IsNotExist(err) {
			logrus.Infof("Snapshot %s not found", name)
			continue
		}
		if err != nil {
			return result, err
		}
		described := st.describe(info)
		if err := os.Remove(path); err != nil {
			return result, err
		}
		deleteSnapshotObject(ctx, st.server.layout, described)
		result.Deleted = append(result.Deleted, name)
	}
	return result, nil
}

// prune keeps the newest files that begin with the name.
func (st *snapshotStore) prune(ctx context.Context, r snapshotRequest) (snapshotResult, error) {
	prefix, keep := "on-demand", 5
	if len(r.Name) > 0 {
		prefix = r.Name[0]
	}
	if r.Retention != nil {
		keep = *r.Retention
	}
	files, err := st.files()
	if err != nil || keep < 1 {
		return snapshotResult{}, err
	}
	var names []string
	for i := len(files) - 1; i >= 0; i-- {
		if strings.HasPrefix(files[i].Name(), prefix) {
			names = append(names, files[i].Name())
		}
	}
	if len(names) <= keep {
		return snapshotResult{}, nil
	}
	return st.remove(ctx, names[keep:])
}

// snapshotInfo describes one snapshot to the API.
type snapshotInfo struct {
	name, node, location string
	size                 int64
	created              time.Time
	ready                bool
	failure              string
}
