rb_fuzz(fuzz_watch_lines LINKS rb_kube)
