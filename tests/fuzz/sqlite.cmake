rb_fuzz(fuzz_kine LINKS rb_sqlite)
