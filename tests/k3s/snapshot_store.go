// The snapshot directory of a server: listing, deleting, pruning.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
)

type snapshotStore struct {
	server *server
	dir    string
}

// openStore gives the directory of a request, which is the server's own where the
// request names none: the default one is made, another one has to be there.
func openStore(s *server, dir *string) (*snapshotStore, error) {
	path := s.opts.snapshotDir
	if dir != nil {
		path = *dir
	}
	if path == "" {
		path = s.db("snapshots")
		return &snapshotStore{s, path}, os.MkdirAll(path, 0o700)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.layout.server(), path)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("failed to get etcd-snapshot-dir: %w", err)
	}
	return &snapshotStore{s, path}, nil
}

// restrict takes the directory out of a request where the server's
// --etcd-snapshot-restrictions says so, and tells what is said of it: such a
// request is not refused.
func restrict(s *server, request *snapshotRequest) (warning string) {
	if request.Dir == nil || !slices.ContainsFunc(s.opts.snapshotRestrictions, func(one string) bool {
		return one == "all" || one == "snapshot-dir"
	}) {
		return ""
	}
	own := s.opts.snapshotDir
	if own == "" {
		own = s.db("snapshots")
	}
	if filepath.Clean(*request.Dir) != filepath.Clean(own) {
		warning = "snapshot-dir override ignored by server-side snapshot restrictions. Using the server-configured destination."
	}
	request.Dir = nil
	return warning
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

// remove deletes by name; the result names those that are gone. What could not be
// removed is in the log alone: the command calls it "not found" and exits with 0,
// as k3s's does. Names are joined to the directory unchecked, as k3s does.
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
			logrus.Errorf("Failed to delete local snapshot %s: %v", name, err)
			continue
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
