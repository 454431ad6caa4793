rb_fuzz(fuzz_watch_lines LINKS rb_kube)
rb_fuzz(fuzz_custom_resource LINKS rb_api nlohmann_json::nlohmann_json)
rb_fuzz(fuzz_kubeconfig LINKS rb_kube)
