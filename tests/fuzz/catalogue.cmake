rb_fuzz(fuzz_signature LINKS rb_sign)
