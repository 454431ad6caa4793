rb_fuzz(fuzz_archive_read LINKS rb_archive)
rb_fuzz(fuzz_helm_gzip LINKS rb_archive)
rb_fuzz(fuzz_helm_release LINKS rb_helm yaml-cpp)
