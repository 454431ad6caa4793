// list, show, completion, and what fails before a command begins.
#include "fake_cluster.hpp"

#include "base/json_fields.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::test;

TEST_CASE("list prints a row for each backup, the newest first") {
  FakeCluster cluster;
  cluster.backups["a-old"] = a_backup("a-old", "True", "Completed");
  cluster.backups["a-old"]["metadata"]["creationTimestamp"] = "2026-11-20T11:50:16Z";
  cluster.backups["a-old"]["status"].update({{"runID", "20261120T115016Z"},
                                             {"nodeName", "server-1"},
                                             {"totalSizeBytes", 12897485},
                                             {"etcd", {{"revision", 4711}, {"totalKeys", 600}}},
                                             {"helm", {{"releases", 25}}}});
  for (const char* result : {"Succeeded", "Succeeded", "Failed"}) {
    cluster.backups["a-old"]["status"]["servers"].push_back(
        {{"nodeName", "n"}, {"result", result}});
  }
  cluster.backups["a-old"]["status"]["conditions"].push_back(
      {{"type", "Proven"},
       {"status", "True"},
       {"reason", "Completed"},
       {"message", "4211 objects"},
       {"lastTransitionTime", "2026-11-20T11:50:46Z"}});
  cluster.backups["new"] = a_backup("new");
  const Outcome outcome = run_command(cluster, {"list"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "NAME   RUN               SUCCEEDED  REASON     NODE      SERVERS  SIZE     "
                       " RELEASES  REVISION  "
                       "PROVEN  AGE\n"
                       "new    -                 -          -          -         -        -        "
                       " -         -         "
                       "-       2m\n"
                       "a-old  20261120T115016Z  True       Completed  server-1  2/3      12.3 MiB "
                       " 25        4711      "
                       "True    2d\n");
}

TEST_CASE("show: a set that is stored and not proven is no success, and says what to do") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b", "False", "ProofFailed", "it did not come up");
  const Outcome outcome = run_command(cluster, {"show", "b"});
  CHECK(has(outcome.out, "backup b: NOT PROVEN (ProofFailed)"));
  CHECK(has(outcome.out, "railiance-restore drill --boot"));
}

TEST_CASE("show: recipients that are there and no good are to be mended, not to be added") {
  FakeCluster cluster;
  cluster.backups["missing"] = a_backup("missing", "False", "RecipientMissing", "none");
  cluster.backups["invalid"] = a_backup("invalid", "False", "RecipientInvalid", "key groups");
  const Outcome missing = run_command(cluster, {"show", "missing"});
  CHECK(has(missing.out, "hint: put at least one age recipient"));
  const Outcome invalid = run_command(cluster, {"show", "invalid"});
  CHECK(has(invalid.out, "hint: mend .sops.yaml as the message says"));
  CHECK_FALSE(has(invalid.out, "put at least one"));
  for (const Outcome& outcome : {missing, invalid}) {
    CHECK(has(outcome.out, "helm upgrade"));
    CHECK(has(outcome.out, "railiance-backup install --sops .sops.yaml"));
  }
}

TEST_CASE("recipients says who can read the backups and by which rule, without a cluster") {
  const std::string inputs = RB_SOURCE_DIR "/tests/cases/inputs/";
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"recipients", inputs + "s26-catch-all-dev.yaml"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == "By creation rule 2 (path_regex .*\\.yaml$), whoever has a private key of "
                       "these can read the backups:\n"
                       "  age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx\n");
  const auto json = json_of(
      run_command(cluster, {"recipients", inputs + "s01-merge-key.yaml", "-o", "json"}).out);
  CHECK(json["rule"] == "creation rule 2 (for every path)");
  CHECK(json["recipients"].size() == 2);

  const Outcome refused = run_command(cluster, {"recipients", inputs + "s08-yubikey-mixed.yaml"});
  CHECK(refused.code != 0);
  CHECK(has(refused.err, "a plugin or hardware key is not supported"));
  CHECK(has(refused.err, "hint: give the backups a creation rule of their own"));
  const Outcome none = run_command(cluster, {"recipients", inputs + "nothing.yaml"});
  CHECK(none.code != 0);
  CHECK(has(none.err, "hint: give the path of your .sops.yaml"));
}

TEST_CASE("list in a cluster without backups says how to make one, and is no failure") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"list"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(has(outcome.err, "railiance-backup create --wait"));
}

TEST_CASE("list has a form for scripts and one for completion") {
  FakeCluster cluster;
  cluster.backups["b"] = a_backup("b");
  CHECK(run_command(cluster, {"list", "-o", "name"}).out == "b\n");
  const auto json = json_of(run_command(cluster, {"list", "-o", "json"}).out);
  CHECK(json["items"][0]["metadata"]["name"] == "b");
}

TEST_CASE("show tells what is missing, what could not be decoded, and what to do") {
  FakeCluster cluster;
  auto& backup = cluster.backups["b"] = a_backup("b", "False", "Incomplete", "1 of 4 is missing");
  backup["status"]["runID"] = "20261122T115216Z";
  backup["status"]["missing"] = nlohmann::json::array(
      {{{"type", "Kubeconfig"}, {"reason", "KubeconfigMissing"}, {"message", "no such file"}}});
  backup["status"]["helm"] = {
      {"releases", 24},
      {"undecodableTotal", 1},
      {"undecodable",
       nlohmann::json::array(
           {{{"namespace", "shop"}, {"storageObject", "secret/x.v1"}, {"message", "not gzip"}}})}};
  const Outcome outcome = run_command(cluster, {"show", "b"});
  CHECK(outcome.code == 0);
  CHECK(has(outcome.out, "backup b: INCOMPLETE (Incomplete)"));
  CHECK(has(outcome.out, "1 of 4 is missing"));
  CHECK(has(outcome.out, "missing: Kubeconfig (KubeconfigMissing): no such file"));
  CHECK(has(outcome.out, "hint: "));
  CHECK(has(outcome.out, "Succeeded"));
}

TEST_CASE("show of what is not there points at the list and at the disk") {
  FakeCluster cluster;
  const Outcome outcome = run_command(cluster, {"show", "gone"});
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "there is no ClusterBackup 'gone'"));
  CHECK(has(outcome.err, "railiance-restore list"));
}

TEST_CASE("completion needs no cluster") {
  FakeCluster cluster;
  cluster.down = true;
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = run_command(cluster, {"completion", shell});
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "railiance-backup"));
    CHECK(has(outcome.out, shell));
  }
}

TEST_CASE("a wrong command line is exit code 2 and reaches for no cluster") {
  FakeCluster cluster;
  RunOptions options;
  options.connect = [](const cli::ClusterChoice&) -> Result<std::unique_ptr<cli::Api>> {
    FAIL("connected");
    return Error{};
  };
  const Outcome outcome = run_command(cluster, {"create", "--keep-last", "0"}, options);
  CHECK(outcome.code == 2);
  CHECK(has(outcome.err, "railiance-backup: "));
  CHECK(has(outcome.err, "hint: railiance-backup --help lists all"));
}

TEST_CASE("a kubeconfig that cannot be used is a failure, not usage") {
  FakeCluster cluster;
  RunOptions options;
  options.connect = [](const cli::ClusterChoice&) -> Result<std::unique_ptr<cli::Api>> {
    return Error{ErrorCode::invalid_argument, "k.yaml: there is no context 'x'", {}};
  };
  const Outcome outcome = run_command(cluster, {"list"}, options);
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "there is no context 'x'"));
}

TEST_CASE(
    "kubectl completes the names of backups; without a cluster there are none, and no error") {
  FakeCluster cluster;
  cluster.backups["before-upgrade"] = a_backup("before-upgrade");
  cluster.backups["nightly"] = a_backup("nightly");
  const auto complete = [&](std::vector<std::string> args) {
    return run_command(cluster, args, {.complete = true});
  };
  CHECK(complete({"show", "be"}).out == "before-upgrade\n:4\n");
  CHECK(complete({"sho"}).out.starts_with("show\t"));
  CHECK(complete({"install", "--sops", ""}).out == ":0\n"); // files
  cluster.down = true;
  const Outcome outcome = complete({"show", ""});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == ":4\n");
  CHECK(outcome.err.empty());
}
