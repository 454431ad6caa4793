rb_fuzz(fuzz_backup_status LINKS rb_status nlohmann_json::nlohmann_json)
