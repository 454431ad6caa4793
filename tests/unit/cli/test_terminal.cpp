// Whatever the API holds, no command prints a character that could upset a terminal or deceive.
#include "fake_cluster.hpp"
#include "support/hostile_text.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;

namespace {

const std::string& k_hostile = k_hostile_text;

nlohmann::json hostile_backup() {
  nlohmann::json backup = a_backup("b", "False", "Incomplete", k_hostile);
  backup["status"].update(
      {{"runID", k_hostile},
       {"nodeName", k_hostile},
       {"signingKey", k_hostile},
       {"etcd", {{"revision", 1}, {"totalKeys", 2}}},
       {"helm",
        {{"releases", 1},
         {"undecodableTotal", 1},
         {"undecodable",
          {{{"namespace", k_hostile}, {"storageObject", k_hostile}, {"message", k_hostile}}}}}}});
  backup["status"]["conditions"].push_back({{"type", k_hostile},
                                            {"status", "False"},
                                            {"reason", k_hostile},
                                            {"message", k_hostile},
                                            {"lastTransitionTime", "2026-11-20T11:50:46Z"}});
  return backup;
}

} // namespace

TEST_CASE("no command prints what could upset a terminal, whatever the API holds") {
  const std::vector<std::vector<std::string>> commands{{"list"},
                                                       {"list", "-o", "name"},
                                                       {"list", "-o", "json"},
                                                       {"show", "b"},
                                                       {"show", "b", "-o", "json"},
                                                       {"show", k_hostile},
                                                       {"status"},
                                                       {"status", "-o", "json"},
                                                       {"create", "--name", "b", "--wait"},
                                                       {k_hostile},
                                                       {"list", "--" + k_hostile}};
  for (const auto& command : commands) {
    for (const bool terminal : {false, true}) {
      FakeCluster cluster;
      cluster.backups["b"] = hostile_backup();
      RunOptions options;
      options.terminal = terminal;
      options.colour = terminal;
      const Outcome outcome = run_command(cluster, command, options);
      CAPTURE(command.front());
      CHECK(is_harmless_output(outcome.out, terminal));
      CHECK(is_harmless_output(outcome.err, terminal));
    }
  }
}

TEST_CASE("what the API server says of an error is harmless, too") {
  FakeCluster cluster;
  cluster.answer = [](const kube::Request&) {
    kube::Response response;
    response.status = 403;
    response.body =
        nlohmann::json{{"kind", "Status"}, {"message", k_hostile}, {"code", 403}}.dump();
    return response;
  };
  const Outcome outcome = run_command(cluster, {"list"});
  CHECK(is_harmless_output(outcome.err, false));
  CHECK(has(outcome.err, "\nhint: "));
}
