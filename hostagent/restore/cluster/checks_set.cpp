#include "restore/cluster/checks.hpp"

#include <algorithm>

namespace rb::cluster {

using set::Provenance;

namespace {

constexpr const char* k_trust_hint =
    "name the host's public key with --public-key (the kit has railiance-backup.pub, "
    "`railiance-backup show` prints it, and you may have written it down); --allow-unsigned takes "
    "the set on trust: whoever can write to the directory can have made it";

constexpr const char* k_tampering_hint =
    "choose another set (`railiance-restore list`), or another copy of this one; --allow-unsigned "
    "takes it all the same";

/// This set is what the host made; another one is missing, which is said and harms nothing.
Check gap_before(const SignatureFact& fact) {
  return warned("signature",
                fact.provenance.message + "; this set itself is signed by " +
                    fact.provenance.key_id +
                    (fact.first_use ? " (first use of the key " + fact.key + ")" : ""),
                "nothing to do when you removed or did not fetch that set yourself");
}

Check artifact_check(const ArtifactFact& artifact) {
  if (artifact.code == ExitCode::done) {
    return passed("artifact", artifact.name + ": opens, digests are right");
  }
  std::string hint = "try another set: `railiance-restore verify --all -i KEYS` checks all";
  if (artifact.code == ExitCode::no_identity) {
    hint = "give the private key of one of the set's recipients with -i; `railiance-restore show` "
           "names them";
  } else if (artifact.code == ExitCode::damaged) {
    hint = "this set is damaged: choose another one, or fetch the file from another copy";
  }
  return refused(
      "artifact", artifact.name + ": " + artifact.message, std::move(hint), artifact.code);
}

Check completeness(const SetFacts& set, const Wishes& wishes) {
  if (!set.snapshot && set.external_datastore) {
    return refused("set",
                   "set " + set.run_id +
                       " has no copy of the datastore, which was a database outside of the host",
                   "restore that database with its own tools; `railiance-restore restore " +
                       set.run_id +
                       " --artifact host-state --to DIRECTORY` brings server/token, which opens it",
                   ExitCode::incomplete);
  }
  if (!set.snapshot) {
    return refused("set",
                   "set " + set.run_id + " has no copy of the datastore",
                   "choose another set: `railiance-restore list`",
                   ExitCode::incomplete);
  }
  if (!set.host_state && !wishes.without_host_state) {
    return refused(
        "set",
        "set " + set.run_id + " has no host state, and with it no server token",
        "choose a complete set; --without-host-state takes the token that is on this host",
        ExitCode::incomplete);
  }
  if (!set.complete) {
    const std::string why = set.problems.empty() ? "" : ": " + set.problems.front();
    return warned("set", "set " + set.run_id + " is not complete" + why);
  }
  if (!set.disproven.empty()) {
    return warned("set",
                  "set " + set.run_id +
                      " is complete, but a server booted from it failed: " + set.disproven,
                  "an older set may serve better: `railiance-restore list`");
  }
  return passed("set", "set " + set.run_id + " is complete");
}

Check token(const SetFacts& set) {
  if (set.bootstrap_hashes.empty()) {
    return refused("token",
                   "the snapshot holds no /bootstrap key: it was not taken of a k3s server",
                   "choose another set",
                   ExitCode::damaged);
  }
  if (!set.opens_with(set.token_hash)) {
    return refused("token",
                   "the server token of the host state (" + set.token_hash +
                       ") does not open this snapshot (" + set.bootstrap_hashes.front() +
                       "): it belongs to another cluster, or was rotated",
                   "choose a set whose host state and snapshot belong together",
                   ExitCode::damaged);
  }
  return passed("token", "the server token of the host state opens the snapshot");
}

} // namespace

Check signature_check(const std::string& run_id, const SignatureFact& fact, bool allow_unsigned) {
  const Provenance verdict = fact.provenance.verdict;
  if (verdict == Provenance::removed_before) {
    return gap_before(fact);
  }
  if (verdict == Provenance::genuine && !fact.provenance.peer.empty()) {
    return passed("signature",
                  "signed by " + fact.provenance.peer + " (" + fact.provenance.key_id +
                      "), which this host's own set " + fact.provenance.named_by + " names");
  }
  if (verdict == Provenance::genuine && !fact.first_use) {
    return passed("signature",
                  "made by the host whose key is known here (" + fact.provenance.key_id + ")");
  }
  if (verdict == Provenance::genuine) {
    return warned(
        "signature",
        "FIRST USE of the key " + fact.key +
            ": it comes from the backup directory itself, and who can write there can have put "
            "both there",
        "compare it with the one that you wrote down, or say it with --public-key");
  }
  const std::string message =
      run_id + ": " +
      (fact.provenance.message.empty() ? std::string(set::to_string(verdict))
                                       : fact.provenance.message);
  if (allow_unsigned) {
    return warned("signature", message + " (--allow-unsigned)");
  }
  const bool tampering = set::is_tampering(verdict);
  return refused("signature",
                 message,
                 tampering && verdict != Provenance::other_key ? k_tampering_hint : k_trust_hint,
                 tampering ? ExitCode::damaged : ExitCode::failed);
}

std::vector<Check> check_set_facts(const SetFacts& set, const Wishes& wishes) {
  std::vector<Check> checks;
  if (set.signature) {
    checks.push_back(signature_check(set.run_id, *set.signature, wishes.allow_unsigned));
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
