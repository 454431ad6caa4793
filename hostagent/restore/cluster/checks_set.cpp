#include "restore/cluster/checks.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

Check artifact_check(const ArtifactFact& artifact) {
  if (artifact.code == ExitCode::done) {
    return {"artifact", Verdict::ok, artifact.name + ": opens, digests are right", {}};
  }
  std::string hint = "try another set: `railiance-restore verify --all -i KEYS` checks all";
  if (artifact.code == ExitCode::no_identity) {
    hint = "give the private key of one of the set's recipients with -i; `railiance-restore show` "
           "names them";
  } else if (artifact.code == ExitCode::damaged) {
    hint = "this set is damaged: choose another one, or fetch the file from another copy";
  }
  return {"artifact",
          Verdict::refuse,
          artifact.name + ": " + artifact.message,
          std::move(hint),
          artifact.code};
}

Check completeness(const SetFacts& set, const Wishes& wishes) {
  if (!set.snapshot) {
    return {"set",
            Verdict::refuse,
            "set " + set.run_id + " has no etcd snapshot",
            "choose another set: `railiance-restore list`",
            ExitCode::incomplete};
  }
  if (!set.host_state && !wishes.without_host_state) {
    return {"set",
            Verdict::refuse,
            "set " + set.run_id + " has no host state, and with it no server token",
            "choose a complete set; --without-host-state takes the token that is on this host",
            ExitCode::incomplete};
  }
  if (!set.complete) {
    const std::string why = set.problems.empty() ? "" : ": " + set.problems.front();
    return {"set", Verdict::warn, "set " + set.run_id + " is not complete" + why, {}};
  }
  if (!set.disproven.empty()) {
    return {"set",
            Verdict::warn,
            "set " + set.run_id +
                " is complete, but a server booted from it failed: " + set.disproven,
            "an older set may serve better: `railiance-restore list`"};
  }
  return {"set", Verdict::ok, "set " + set.run_id + " is complete", {}};
}

Check token(const SetFacts& set) {
  if (set.bootstrap_hashes.empty()) {
    return {"token",
            Verdict::refuse,
            "the snapshot holds no /bootstrap key: it was not taken of a k3s server",
            "choose another set",
            ExitCode::damaged};
  }
  const auto& hashes = set.bootstrap_hashes;
  if (std::find(hashes.begin(), hashes.end(), set.token_hash) == hashes.end()) {
    return {"token",
            Verdict::refuse,
            "the server token of the host state (" + set.token_hash +
                ") does not open this snapshot (" + hashes.front() +
                "): it belongs to another cluster, or was rotated",
            "choose a set whose host state and snapshot belong together",
            ExitCode::damaged};
  }
  return {"token", Verdict::ok, "the server token of the host state opens the snapshot", {}};
}

} // namespace

std::vector<Check> check_set_facts(const SetFacts& set, const Wishes& wishes) {
  std::vector<Check> checks;
  if (set.signature) {
    checks.push_back(signature_check(set, wishes));
  }
  for (const ArtifactFact& artifact : set.artifacts) {
    checks.push_back(artifact_check(artifact));
  }
  checks.push_back(completeness(set, wishes));
  const bool opened = std::all_of(set.artifacts.begin(), set.artifacts.end(), [](const auto& one) {
    return one.code == ExitCode::done;
  });
  if (opened && set.snapshot && set.host_state) {
    checks.push_back(token(set));
  }
  return checks;
}

} // namespace rb::cluster
