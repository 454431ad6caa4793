rb_fuzz(fuzz_manifest LINKS rb_set)
