// A server on SQLite that is told --cluster-init: a new etcd, into which the
// objects of db/state.db are written. Nothing else of it: the certificates are
// those of the disk, or new ones where there are none, whatever the database has.
package main

import (
	"context"
	"os"
	"time"

	"github.com/sirupsen/logrus"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func (s *server) migrateSQLite(ctx context.Context) error {
	state := s.db("state.db")
	if !exists(state) {
		return nil
	}
	logrus.Infof("Migrating content from sqlite to etcd")
	process, from, err := startKine(ctx, s.layout, nil)
	if err != nil {
		return err
	}
	defer process.stop(10 * time.Second)
	defer from.Close()
	rows, err := from.Get(ctx, "/registry/", clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, row := range rows.Kvs {
		logrus.Infof("Migrating etcd key %s", row.Key)
		if _, err := s.etcd.Put(ctx, string(row.Key), string(row.Value)); err != nil {
			return err
		}
	}
	return os.Rename(state, state+".migrated")
}
