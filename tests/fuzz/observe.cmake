rb_fuzz(fuzz_standing LINKS rb_status nlohmann_json::nlohmann_json)
