// The stand-in has no kine. A server without embedded etcd keeps its state in
// an etcd at a place of its own and puts files where k3s's SQLite would be: to
// tell the datastores apart, not to be opened.
package main

import "os"

func writeSQLiteMarker(l layout) error {
	page := make([]byte, 4096)
	copy(page, "SQLite format 3\x00\x10\x00\x02\x02\x00\x40\x20\x20")
	if err := os.MkdirAll(l.db(), 0o700); err != nil {
		return err
	}
	for name, content := range map[string][]byte{"state.db": page, "state.db-wal": nil, "state.db-shm": make([]byte, 32768)} {
		if exists(l.db(name)) {
			continue
		}
		if err := os.WriteFile(l.db(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
