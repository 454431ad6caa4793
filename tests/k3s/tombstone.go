// A member that was removed from its cluster: etcd ends, a tombstone is left in
// db/etcd, and the next start joins anew with an empty database.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

var (
	removedWords = []byte("the member has been permanently removed from the cluster")
	errRemoved   = shutdownRequest{errors.New("This node has been removed from the cluster - please restart k3s to rejoin the cluster")}
)

// etcdLog passes etcd's log on, and knows whether the member was removed.
type etcdLog struct {
	removed atomic.Bool
	tail    []byte // what may be the beginning of the words
}

func (w *etcdLog) Write(text []byte) (int, error) {
	w.tail = append(w.tail, text...)
	if bytes.Contains(w.tail, removedWords) {
		w.removed.Store(true)
	}
	if keep := len(removedWords) - 1; len(w.tail) > keep {
		w.tail = append(w.tail[:0], w.tail[len(w.tail)-keep:]...)
	}
	return os.Stderr.Write(text)
}

func (s *server) leaveTombstone() error {
	return writeFile(s.layout.etcd("tombstone"), nil, 0o600)
}

// takeTombstone moves the database of a removed member away.
func (s *server) takeTombstone() error {
	if !exists(s.layout.etcd("tombstone")) {
		return nil
	}
	if s.opts.serverURL == "" {
		return errors.New("tombstone file has been detected but --server is empty: " +
			"backup and delete ${datadir}/server/db to create a new cluster, or set --server to rejoin")
	}
	logrus.Info("tombstone file has been detected, removing ${datadir}/server/db to rejoin the cluster")
	return os.Rename(s.layout.etcd(), s.db(fmt.Sprintf("etcd-backup-%d", time.Now().Unix())))
}
