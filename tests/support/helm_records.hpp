// Stored releases for tests, built as Helm builds them: JSON, gzip, base64, and the API's base64.
#pragma once

#include "archive/gzip.hpp"
#include "base/bytes.hpp"
#include "helm/stored_release.hpp"

#include <string>
#include <string_view>

namespace rb::test {

inline helm::StoredRelease stored(std::string name_space,
                                  const std::string& name,
                                  int revision,
                                  helm::StorageKind kind = helm::StorageKind::secret) {
  return {.name_space = std::move(name_space),
          .object_name = "sh.helm.release.v1." + name + ".v" + std::to_string(revision),
          .kind = kind,
          .labels = {{"name", name},
                     {"owner", "helm"},
                     {"status", "deployed"},
                     {"version", std::to_string(revision)}}};
}

/// As Helm 3 writes it; `config` is JSON, empty for absent.
inline std::string record_json(const std::string& name,
                               const std::string& name_space,
                               const std::string& config,
                               int revision = 1) {
  return R"({"name":")" + name +
         R"(","info":{"first_deployed":"2026-01-02T03:04:05.678Z",)"
         R"("last_deployed":"2026-02-03T04:05:06.789+01:00","deleted":"","description":"Install complete",)"
         R"("status":"deployed"},"chart":{"metadata":{"name":"web","version":"1.2.3","appVersion":"4.5",)"
         R"("dependencies":[{"name":"other","version":"9"}]},"lock":null,)"
         R"("templates":[{"name":"templates/a.yaml","data":"e3sgLlZhbHVlcyB9fQ=="}],)"
         R"("values":{"name":"not this","config":{"nor":"this"}},"schema":null,"files":[]},)" +
         (config.empty() ? "" : R"("config":)" + config + ",") +
         R"("manifest":"---\n# \"}]\\\"\n","hooks":[{"name":"h","kind":"Job"}],"version":)" +
         std::to_string(revision) + R"(,"namespace":")" + name_space + R"("})";
}

/// What Helm stores: base64(gzip(json)).
inline std::string record_of(std::string_view json) {
  return to_base64(archive::gzip(as_bytes(json))->view());
}

/// What the API shows of it in a Secret.
inline std::string api_data_of(std::string_view json) {
  return to_base64(as_bytes(record_of(json)));
}

} // namespace rb::test
