foreach(target fuzz_age_header fuzz_age_stream fuzz_age_armor fuzz_age_bech32 fuzz_age_scrypt fuzz_age_stanza
               fuzz_sops_yaml fuzz_keys_file fuzz_openssh_key)
  rb_fuzz(${target} LINKS rb_age)
endforeach()
