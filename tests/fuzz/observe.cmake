rb_fuzz(fuzz_standing LINKS rb_observe nlohmann_json::nlohmann_json)
