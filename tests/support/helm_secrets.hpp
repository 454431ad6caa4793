// Release Secrets on their way into an artifact and out of it again, for tests of what a tenant can
// do with one.
#pragma once

#include "support/backup_fixture.hpp"
#include "support/helm_records.hpp"
#include "support/sets.hpp"

#include "archive/tar_gz.hpp"
#include "helm/artifact.hpp"

#include <doctest/doctest.h>

#include <string>

namespace rb::test {

/// A set whose Helm artifact the controller would have made of what `collector` was given.
struct SetOfSecrets : BackupFixture {
  const std::string run_id = run_id_of_day(1);

  SetOfSecrets() { add_set(run_id); }

  void put(const helm::Payload& payload) {
    replace_content(api::ArtifactType::helm_values, run_id, std::string(payload.tar_gz.text()));
    auto manifest = set::parse_manifest(read_file(manifest_file(run_id))).value();
    manifest.helm = payload.status;
    sign(manifest);
  }

  helm::Payload put(helm::Collector collector) {
    auto payload = helm::build_payload(std::move(collector).take(), {});
    REQUIRE_MESSAGE(payload.has_value(), payload.error().message);
    put(*payload);
    return std::move(payload).value();
  }

  /// What a restore needs of the set is good, whatever its Helm artifact holds.
  void check_usable() {
    for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
             {"verify", "-i", keys()},
             {"drill", "-i", keys()},
             {"restore", "--artifact", "helm-values", "--to", values(), "--force", "-i", keys()}}) {
      const Outcome outcome = run(command);
      INFO(command.front(), ": ", outcome.out, outcome.err);
      CHECK(outcome.code == 0);
      CHECK(outcome.out.find("DAMAGED") == std::string::npos);
    }
  }

  [[nodiscard]] std::string values() const { return file("values"); }
};

/// Depth `depth`, around `inner`.
inline std::string nested(std::size_t depth, const std::string& inner = "1") {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) {
    text += R"({"a":)";
  }
  return text + inner + std::string(depth, '}');
}

} // namespace rb::test
