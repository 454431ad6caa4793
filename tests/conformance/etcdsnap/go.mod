module railiance.io/backup/tests/conformance/etcdsnap

go 1.24

require go.etcd.io/bbolt v1.4.2

require golang.org/x/sys v0.29.0 // indirect
