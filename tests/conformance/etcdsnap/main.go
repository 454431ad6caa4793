// mksnap writes files of the shape of an etcd snapshot, with the real bbolt: the buckets of etcd,
// revisions, tombstones, and the SHA-256 trailer. What is in them follows from the seed.
//
// usage: mksnap PROFILE SEED OUT
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// profile says how large a database is and how it was written.
type profile struct {
	pageSize     int
	revisions    int
	keys         int  // distinct names to choose from
	largest      int  // bytes of the largest value
	batch        int  // revisions in one bbolt transaction
	compact      bool // delete superseded revisions, as etcd's compaction does
	syncFreelist bool // etcd does not
}

var profiles = map[string]profile{
	"empty":    {pageSize: 4096},
	"tiny":     {pageSize: 1024, revisions: 12, keys: 5, largest: 60, batch: 4},
	"small":    {pageSize: 4096, revisions: 400, keys: 150, largest: 800, batch: 20},
	"compact":  {pageSize: 4096, revisions: 3000, keys: 400, largest: 3000, batch: 50, compact: true},
	"freelist": {pageSize: 4096, revisions: 2000, keys: 300, largest: 2000, batch: 25, compact: true, syncFreelist: true},
	"overflow": {pageSize: 4096, revisions: 60, keys: 40, largest: 1 << 20, batch: 3},
	"large":    {pageSize: 4096, revisions: 60000, keys: 30000, largest: 1200, batch: 500, compact: true},
	// For the benches.
	"gigabyte":       {pageSize: 4096, revisions: 276000, keys: 120000, largest: 6000, batch: 1000},
	"eight-gigabyte": {pageSize: 4096, revisions: 316000, keys: 120000, largest: 56000, batch: 200},
}

func main() {
	if len(os.Args) != 4 {
		fail("usage: mksnap PROFILE SEED OUT")
	}
	chosen, known := profiles[os.Args[1]]
	if !known {
		fail("unknown profile %s", os.Args[1])
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	check(err)
	directory, err := os.MkdirTemp(filepath.Dir(os.Args[3]), "mksnap-")
	check(err)
	defer os.RemoveAll(directory)
	database, err := bolt.Open(filepath.Join(directory, "db"), 0o600, &bolt.Options{
		PageSize:       chosen.pageSize,
		NoFreelistSync: !chosen.syncFreelist,
		FreelistType:   bolt.FreelistMapType,
		NoSync:         true,
	})
	check(err)
	fill(database, chosen, rand.New(rand.NewSource(seed)))
	check(save(database, os.Args[3]))
	check(database.Close())
}

// save copies the database as etcd does: a read transaction, then the digest.
func save(database *bolt.DB, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	digest := sha256.New()
	err = database.View(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(io.MultiWriter(file, digest))
		return err
	})
	if err != nil {
		return err
	}
	if _, err := file.Write(digest.Sum(nil)); err != nil {
		return err
	}
	return file.Close()
}

func check(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "mksnap: "+format+"\n", arguments...)
	os.Exit(1)
}
