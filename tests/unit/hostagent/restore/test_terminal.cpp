// Whatever a set, its names and its files hold, no command prints a character that could upset a
// terminal or deceive its reader.
#include "support/backup_fixture.hpp"
#include "support/hostile_text.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using api::ArtifactType;
using test::BackupFixture;
using test::k_hostile_text;
using test::run_id_of_day;

namespace {

set::Manifest hostile(set::Manifest manifest) {
  manifest.node_name = k_hostile_text;
  manifest.node_address = k_hostile_text;
  manifest.k3s_version = k_hostile_text;
  manifest.cluster_backup_name = k_hostile_text;
  manifest.recipients.push_back(k_hostile_text);
  manifest.not_covered.push_back(k_hostile_text);
  manifest.helm.emplace();
  manifest.helm->releases = 1;
  return manifest;
}

std::string hostile_values() {
  nlohmann::json release{{"namespace", "shop"},
                         {"name", "web"},
                         {"chart", {{"name", "x\xe2\x80\xae\xc2\x9b"}, {"version", "1.0.0"}}},
                         {"status", k_hostile_text},
                         {"owner", {{"kind", k_hostile_text}, {"name", k_hostile_text}}},
                         {"file", "shop/web\xe2\x80\xae.yaml"}};
  const nlohmann::json index{{"format", "railiance-backup/helm-values/v1"},
                             {"releases", {release}},
                             {"undecodable", nlohmann::json::array()}};
  return test::tar_gz({{"shop/web\xe2\x80\xae.yaml", "a: 1\n"}, {"index.json", index.dump()}});
}

} // namespace

TEST_CASE_FIXTURE(BackupFixture, "no command prints what could upset a terminal") {
  const std::string run_id = run_id_of_day(1);
  const set::Manifest manifest = add_set(run_id);
  replace_content(ArtifactType::helm_values, run_id, hostile_values());
  sign(hostile(manifest));
  test::write_file(backups() + "/manifest-" + run_id_of_day(2) + ".json", k_hostile_text);
  test::write_file(backups() + "/etcd-\x1b[31m\xe2\x80\xae", "x");
  const std::string to = file("to");
  const std::vector<std::vector<std::string>> commands{
      {"list"},
      {"list", "--output", "json"},
      {"show", run_id},
      {"show", run_id, "--output", "json"},
      {"show", run_id_of_day(2)},
      {"show", k_hostile_text},
      {"verify", "--all"},
      {"verify", "--all", "-i", keys()},
      {"verify", "--all", "-i", keys(), "--output", "json"},
      {"verify", "-i", k_hostile_text},
      {"drill", "-i", keys()},
      {"drill", "-i", keys(), "--output", "json"},
      {"metrics"},
      {"restore", run_id},
      {"restore", run_id, "-i", keys(), "--dry-run"},
      {"restore", run_id, "-i", keys(), "--dry-run", "--output", "json"},
      {"restore", run_id, "-i", keys(), "--artifact", k_hostile_text, "--to", to},
      {"restore", run_id, "-i", keys(), "--artifact", "helm-values", "--to", to},
      {"restore",
       run_id,
       "-i",
       keys(),
       "--artifact",
       "helm-values",
       "--to",
       to,
       "--force",
       "--output",
       "json"},
      {"decrypt", k_hostile_text, "-i", keys(), "-o", "-"},
      {k_hostile_text},
      {"list", "--" + k_hostile_text}};
  for (const auto& command : commands) {
    const auto outcome = run(command);
    INFO(command.front(), " ", command.back(), "\n", outcome.out, "\n", outcome.err);
    CHECK(test::is_harmless_output(outcome.out));
    CHECK(test::is_harmless_output(outcome.err));
    CHECK(outcome.out.size() + outcome.err.size() > 0);
    CHECK((command.back() != "json" || outcome.code != 2)); // else nothing of the set was printed
  }
}
