package main

import (
	"encoding/binary"
	"fmt"
	"math/rand"

	bolt "go.etcd.io/bbolt"
)

// buckets of etcd 3.6.
var buckets = []string{"alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease",
	"members", "members_removed", "meta"}

// kinds of key, of the sort that a k3s cluster has.
var kinds = []string{"/registry/pods/default/p%d", "/registry/secrets/kube-system/s%d",
	"/registry/services/specs/default/svc%d", "/registry/services/endpoints/default/svc%d",
	"/registry/helm.cattle.io/helmcharts/kube-system/c%d", "/registry/events/default/e%d",
	"/registry/apiregistration.k8s.io/apiservices/a%d", "/bootstrap/%012x", "k3s/apiaddresses/%d",
	"/registry/configmaps/default/\u00fcmlaut-%d"}

type pair struct {
	key       string
	revision  [18]byte
	length    int
	tombstone bool
}

func fill(database *bolt.DB, chosen profile, random *rand.Rand) {
	check(database.Update(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte("meta"))
		check(meta.Put([]byte("consistent_index"), binary.BigEndian.AppendUint64(nil, 42)))
		check(meta.Put([]byte("term"), binary.BigEndian.AppendUint64(nil, 3)))
		check(meta.Put([]byte("storageVersion"), []byte("3.6.0")))
		check(tx.Bucket([]byte("cluster")).Put([]byte("clusterVersion"), []byte("3.6.0")))
		return tx.Bucket([]byte("members")).Put([]byte("8e9e05c52164694d"), []byte(`{"id":10276657743932975437}`))
	}))
	newest := map[string]pair{}
	var superseded [][]byte
	revision := int64(2)
	for done := 0; done < chosen.revisions; {
		check(database.Update(func(tx *bolt.Tx) error {
			bucket := tx.Bucket([]byte("key"))
			bucket.FillPercent = 0.9
			for i := 0; i < chosen.batch && done < chosen.revisions; i++ {
				number := random.Intn(chosen.keys)
				name := fmt.Sprintf(kinds[number%len(kinds)], number)
				before, existed := newest[name]
				put := pair{key: name, tombstone: existed && !before.tombstone && random.Intn(5) == 0}
				put.revision, put.length = revisionKey(revision, int64(i%3), put.tombstone)
				if existed {
					superseded = append(superseded, append([]byte(nil), before.revision[:before.length]...))
				}
				check(bucket.Put(put.revision[:put.length], value(name, revision, put.tombstone, chosen.largest, random)))
				newest[name] = put
				revision++
				done++
			}
			if chosen.compact && random.Intn(3) == 0 {
				for _, old := range superseded {
					check(bucket.Delete(old))
				}
				superseded = nil
			}
			return nil
		}))
	}
}

func revisionKey(main, sub int64, tombstone bool) (key [18]byte, length int) {
	binary.BigEndian.PutUint64(key[0:], uint64(main))
	key[8] = '_'
	binary.BigEndian.PutUint64(key[9:], uint64(sub))
	if tombstone {
		key[17] = 't'
		return key, 18
	}
	return key, 17
}

// value encodes a mvccpb.KeyValue: key 1, create_revision 2, mod_revision 3, version 4, value 5.
func value(key string, revision int64, tombstone bool, largest int, random *rand.Rand) []byte {
	message := binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(key)))
	message = append(message, key...)
	if tombstone {
		return message
	}
	for field := byte(2); field <= 4; field++ {
		message = binary.AppendUvarint(append(message, field<<3), uint64(revision))
	}
	content := make([]byte, random.Intn(largest+1))
	if random.Intn(20) == 0 {
		content = make([]byte, largest)
	}
	random.Read(content)
	message = binary.AppendUvarint(append(message, 5<<3|2), uint64(len(content)))
	return append(message, content...)
}
