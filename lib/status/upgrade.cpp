#include "status/upgrade.hpp"

#include "set/retention.hpp"
#include "terminal/format.hpp"

#include <algorithm>
#include <array>

namespace rb::status {

namespace {

using api::NodeFacts;
using std::chrono::seconds;

/// As the controller sees it: an entry that is older belongs to no server of this cluster.
constexpr seconds k_left_after{std::chrono::hours(24)};
constexpr std::string_view k_drill_passed = "Passed"; ///< As set::result_word.

bool has_datastore(const NodeFacts& facts) {
  return facts.datastore != api::Datastore::external && facts.datastore != api::Datastore::none;
}

api::DatastoreKind kind_of(const NodeFacts& facts) {
  return facts.datastore == api::Datastore::sqlite ? api::DatastoreKind::sqlite
                                                   : api::DatastoreKind::etcd;
}

/// "its newest complete set 20261122T020000Z, 9h old,"
std::string newest_set(const NodeFacts& facts, SystemTime now) {
  return "its newest complete set " + facts.last_success_run_id + ", " +
         format_age(std::max(seconds(0), now - facts.last_success_time)) + " old,";
}

bool is_drill_of_newest(const NodeFacts& facts) {
  return facts.last_drill_run_id == facts.last_success_run_id;
}

/// A drill of an earlier set shows that the key is there and the way is good, for as long as a set
/// may be old; that the bytes of this one are those that were written, its own run did.
bool drill_counts(const NodeFacts& facts, const GuardRules& rules, SystemTime now) {
  const bool from_the_future = facts.last_drill_time > now + set::k_clock_tolerance;
  return facts.last_drill_result == k_drill_passed && !from_the_future &&
         (is_drill_of_newest(facts) || now - facts.last_drill_time <= rules.max_age);
}

bool was_booted(const NodeFacts& facts, const GuardRules& rules, SystemTime now) {
  return facts.last_success_proof == api::k_proven ||
         (facts.last_drill_booted && drill_counts(facts, rules, now));
}

bool is_shown(const NodeFacts& facts, const GuardRules& rules, SystemTime now) {
  switch (rules.required) {
  case Proof::verified:
    return true;
  case Proof::proven:
    return drill_counts(facts, rules, now) || was_booted(facts, rules, now);
  case Proof::drill:
    return drill_counts(facts, rules, now);
  case Proof::boot:
    return was_booted(facts, rules, now);
  }
  return false;
}

std::string what_lacks(const NodeFacts& facts, const GuardRules& rules) {
  const std::string boot =
      "no server was booted from it" +
      (facts.last_success_proof.empty() ? std::string() : " (" + facts.last_success_proof + ")");
  const std::string drill = "no drill passed within " + format_age(rules.max_age);
  return rules.required == Proof::drill  ? drill
         : rules.required == Proof::boot ? boot
                                         : boot + ", and " + drill;
}

std::string how_shown(const NodeFacts& facts, const GuardRules& rules, SystemTime now) {
  if (facts.last_success_proof == api::k_proven) {
    return "proven: a server was booted from it";
  }
  if (!drill_counts(facts, rules, now)) {
    return "verified";
  }
  return std::string("proven: a drill") + (is_drill_of_newest(facts) ? " of it" : "") + " passed " +
         format_age(std::max(seconds(0), now - facts.last_drill_time)) + " ago" +
         (facts.last_drill_booted ? ", and booted a server" : "");
}

struct Finding {
  GuardReason reason = GuardReason::ready;
  std::string message;
};

/// Whether what the agent says can be believed, and the disk is the host's own.
std::optional<Finding> doubt_of_host(const NodeSeen& node, SystemTime now, seconds facts_limit) {
  const NodeFacts& facts = node.facts;
  if (node.silence > facts_limit) {
    return Finding{GuardReason::facts_stale,
                   "its agent has said nothing for " + format_age(node.silence) +
                       ": nobody knows what its disk holds"};
  }
  if (facts.clock_anomaly || facts.last_success_time > now + set::k_clock_tolerance) {
    return Finding{GuardReason::clock_anomaly, "its clock is wrong: ages mean nothing"};
  }
  if (facts.untrusted_sets > 0 || facts.untrusted_files > 0) {
    return Finding{GuardReason::untrusted,
                   count_of(static_cast<std::uint64_t>(facts.untrusted_sets), "set") + " and " +
                       count_of(static_cast<std::uint64_t>(facts.untrusted_files), "file") +
                       " beside them are not what the host made"};
  }
  if (facts.damaged_sets > 0) {
    return Finding{GuardReason::damaged,
                   count_of(static_cast<std::uint64_t>(facts.damaged_sets), "set") +
                       " there cannot be restored from: damaged"};
  }
  return std::nullopt;
}

Finding without_set(const NodeFacts& facts) {
  const bool tried = !facts.last_attempt_reason.empty();
  return {
      GuardReason::never_ran,
      "there is no complete set" +
          (tried ? "; the last attempt ended with " + facts.last_attempt_reason : std::string())};
}

/// Of the newest complete set, which is there.
Finding judge_set(const NodeFacts& facts, const GuardRules& rules, SystemTime now) {
  const k3s::FitVerdict target =
      k3s::judge_restore({kind_of(facts), facts.last_success_k3s_version, {}}, rules.target);
  if (target.fit == k3s::Fit::refused) {
    return {GuardReason::downgrade,
            rules.target + " is older than " + facts.last_success_k3s_version +
                ", of which its newest complete set is, and cannot take its data over"};
  }
  const std::string newest = newest_set(facts, now);
  if (facts.last_success_proof == api::to_string(api::Reason::proof_failed)) {
    return {GuardReason::proof_failed,
            newest + " is no good: a server that was booted from it did not come up, or served "
                     "something else"};
  }
  const bool drilled = !facts.last_drill_result.empty() && is_drill_of_newest(facts);
  if (drilled && facts.last_drill_result != k_drill_passed) {
    return {GuardReason::proof_failed,
            newest + " did not pass its last drill: " + facts.last_drill_result};
  }
  if (now - facts.last_success_time > rules.max_age) {
    return {GuardReason::stale,
            newest + " is too old: " + format_age(rules.max_age) + " are allowed"};
  }
  if (!is_shown(facts, rules, now)) {
    return {GuardReason::not_proven, newest + " is not proven: " + what_lacks(facts, rules)};
  }
  return {GuardReason::ready,
          newest + " of " +
              (facts.last_success_k3s_version.empty() ? "an unknown k3s"
                                                      : facts.last_success_k3s_version) +
              ", is " + how_shown(facts, rules, now)};
}

GuardedNode judge_node(const NodeSeen& node, const GuardRules& rules, SystemTime now) {
  const NodeFacts& facts = node.facts;
  const auto doubt = doubt_of_host(node, now, CurrentInput{}.facts_limit);
  Finding finding = doubt                               ? *doubt
                    : facts.last_success_run_id.empty() ? without_set(facts)
                                                        : judge_set(facts, rules, now);
  return {facts.node_name,
          finding.reason,
          std::move(finding.message),
          facts.last_success_run_id,
          facts.last_success_k3s_version,
          node.silence <= k_left_after};
}

/// The gravest of all servers, or the best where one will do.
GuardReason reason_of_all(const std::vector<GuardedNode>& nodes, bool one_server) {
  std::vector<GuardReason> reasons;
  for (const GuardedNode& node : nodes) {
    if (node.counts) {
      reasons.push_back(node.reason);
    }
  }
  if (reasons.empty()) {
    return GuardReason::facts_stale;
  }
  if (one_server) {
    return std::ranges::min(reasons);
  }
  const GuardReason gravest = std::ranges::max(reasons);
  const bool everywhere = std::ranges::all_of(
      reasons, [](GuardReason reason) { return reason == GuardReason::never_ran; });
  return gravest == GuardReason::never_ran && !everywhere ? GuardReason::incomplete : gravest;
}

/// "server-1: …; server-2: …" of those that are the reason.
std::string message_of_all(const std::vector<GuardedNode>& nodes, GuardReason reason) {
  const GuardReason wanted = reason == GuardReason::incomplete ? GuardReason::never_ran : reason;
  std::string text;
  for (const GuardedNode& node : nodes) {
    if (node.reason == wanted) {
      text += (text.empty() ? "" : "; ") + node.name + ": " + node.message;
    }
  }
  return text;
}

bool is_older(const std::string& version, const std::string& target) {
  const auto left = k3s::parse_release(version);
  const auto right = k3s::parse_release(target);
  return !left || !right || *left < *right; // what is not known may be
}

/// The newest set that is of an older k3s than the target leads back.
void take_way_back(const std::vector<NodeSeen>& nodes, const GuardRules& rules, GuardVerdict& all) {
  const NodeFacts* newest = nullptr;
  for (const NodeSeen& node : nodes) {
    const NodeFacts& facts = node.facts;
    if (has_datastore(facts) && !facts.last_success_run_id.empty() &&
        is_older(facts.last_success_k3s_version, rules.target) &&
        (newest == nullptr || facts.last_success_time > newest->last_success_time)) {
      newest = &facts;
    }
  }
  if (newest != nullptr) {
    all.way_back =
        k3s::judge_way_back(kind_of(*newest), newest->last_success_k3s_version, rules.target);
    all.set_to_keep = newest->last_success_run_id + " on " + newest->node_name;
    all.set_version = newest->last_success_k3s_version;
  }
}

bool is_helped_by_backup(GuardReason reason, Proof required) {
  switch (reason) {
  case GuardReason::not_proven:
    return required != Proof::drill; // which takes the private key
  case GuardReason::stale:
  case GuardReason::never_ran:
  case GuardReason::proof_failed:
    return true;
  case GuardReason::ready:
  case GuardReason::no_datastore:
  case GuardReason::incomplete:
  case GuardReason::damaged:
  case GuardReason::untrusted:
  case GuardReason::downgrade:
  case GuardReason::clock_anomaly:
  case GuardReason::facts_stale:
  case GuardReason::agent_unavailable:
  case GuardReason::controller_unavailable:
    return false;
  }
  return false;
}

} // namespace

std::span<const Word<Proof>> words_of(Proof /*proof*/) {
  static constexpr std::array<Word<Proof>, 4> k_words{{{Proof::verified, "verified"},
                                                       {Proof::proven, "proven"},
                                                       {Proof::drill, "drill"},
                                                       {Proof::boot, "boot"}}};
  return k_words;
}

std::span<const Word<GuardReason>> words_of(GuardReason /*reason*/) {
  static constexpr std::array<Word<GuardReason>, 14> k_words{
      {{GuardReason::ready, "Ready"},
       {GuardReason::no_datastore, "NoDatastore"},
       {GuardReason::not_proven, "NotProven"},
       {GuardReason::stale, "Stale"},
       {GuardReason::incomplete, "Incomplete"},
       {GuardReason::never_ran, "NeverRan"},
       {GuardReason::proof_failed, "ProofFailed"},
       {GuardReason::damaged, "Damaged"},
       {GuardReason::untrusted, "Untrusted"},
       {GuardReason::downgrade, "Downgrade"},
       {GuardReason::clock_anomaly, "ClockAnomaly"},
       {GuardReason::facts_stale, "FactsStale"},
       {GuardReason::agent_unavailable, "AgentUnavailable"},
       {GuardReason::controller_unavailable, "ControllerUnavailable"}}};
  return k_words;
}

ExitCode exit_code_for(GuardReason reason) {
  switch (reason) {
  case GuardReason::ready:
    return ExitCode::done;
  case GuardReason::downgrade:
    return ExitCode::failed;
  case GuardReason::no_datastore:
  case GuardReason::not_proven:
  case GuardReason::incomplete:
    return ExitCode::incomplete;
  case GuardReason::never_ran:
    return ExitCode::nothing_to_restore;
  case GuardReason::proof_failed:
  case GuardReason::damaged:
  case GuardReason::untrusted:
    return ExitCode::damaged;
  case GuardReason::stale:
    return ExitCode::deadline_passed;
  case GuardReason::clock_anomaly:
  case GuardReason::facts_stale:
  case GuardReason::agent_unavailable:
  case GuardReason::controller_unavailable:
    return ExitCode::unreachable;
  }
  return ExitCode::failed;
}

std::vector<std::string> nodes_to_back_up(const GuardVerdict& verdict, const GuardRules& rules) {
  std::vector<std::string> names;
  if (verdict.reason == GuardReason::ready) {
    return names;
  }
  for (const GuardedNode& node : verdict.nodes) {
    if (node.counts && is_helped_by_backup(node.reason, rules.required)) {
      names.push_back(node.name);
    } else if (node.counts && node.reason != GuardReason::ready && !rules.one_server) {
      return {}; // it would stay as it is
    }
  }
  if (rules.one_server && names.size() > 1) {
    names.resize(1);
  }
  return names;
}

GuardVerdict
judge_guard(const std::vector<NodeSeen>& nodes, const GuardRules& rules, SystemTime now) {
  GuardVerdict all;
  if (nodes.empty()) {
    all.message = "no agent has reported yet";
    return all;
  }
  for (const NodeSeen& node : nodes) {
    if (has_datastore(node.facts)) {
      all.nodes.push_back(judge_node(node, rules, now));
    }
  }
  if (all.nodes.empty()) {
    all.reason = GuardReason::no_datastore;
    all.message = "no server has a datastore of which copies are made here: an external one is "
                  "backed up with its own tools";
    return all;
  }
  all.reason = reason_of_all(all.nodes, rules.one_server);
  all.message = message_of_all(all.nodes, all.reason);
  take_way_back(nodes, rules, all);
  return all;
}

} // namespace rb::status
