rb_fuzz(fuzz_etcdsnap_pages LINKS rb_etcd)
