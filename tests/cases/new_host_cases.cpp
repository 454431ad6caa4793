#include "cases/cases.hpp"
#include "k3s/host_settings.hpp"
#include "restore/cluster/plan.hpp"
#include "set/host_state.hpp"

#include <algorithm>

namespace rb::cases {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_address = "203.0.113.77";
constexpr const char* k_address_six = "2001:db8:77::77";
constexpr const char* k_interface = "new0";

set::HostState state_of(const fs::path& root) {
  set::HostState state;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_regular_file()) {
      archive::Entry file;
      file.path = fs::relative(entry.path(), root).string();
      file.content = SecretBytes(as_bytes(contents_of(entry.path())));
      state.files.push_back(std::move(file));
    }
  }
  return state;
}

/// A new machine: nothing of a server is on it.
cluster::ObservedHost new_machine() {
  cluster::ObservedHost host;
  host.k3s_program = "/usr/local/bin/k3s";
  host.k3s_version = "v1.34.4+k3s1";
  host.manager = "systemd unit k3s";
  host.service = k3s::ServiceState::inactive;
  host.data_dir = "/var/lib/rancher/k3s";
  host.data.free_bytes = std::uint64_t{8} << 30U;
  host.host_local = true;
  host.network.interfaces = {{"lo", {"127.0.0.1", "::1"}},
                             {k_interface, {k_address, k_address_six}}};
  return host;
}

cluster::SetFacts facts_of(const set::HostState& state) {
  cluster::SetFacts facts;
  facts.run_id = "20260101T020000Z";
  facts.complete = facts.snapshot = facts.host_state = true;
  facts.k3s_version = "v1.34.4+k3s1";
  facts.artifacts = {{"etcd-20260101T020000Z.snap.age", ExitCode::done, {}}};
  facts.bootstrap_hashes = {"0123456789ab"};
  facts.token_hash = "0123456789ab";
  facts.members = 1;
  facts.settings = k3s::read_host_settings(set::HostStateView(state), state.node).settings;
  return facts;
}

/// "--set-address OLD=NEW" of a hint, if it has one.
std::optional<cluster::Replacement> proposed_by(const cluster::Check& check) {
  using cluster::ReplacementKind;
  for (const auto& [option, kind] : {std::pair("--set-address ", ReplacementKind::address),
                                     std::pair("--set-interface ", ReplacementKind::interface)}) {
    if (check.hint.starts_with(option)) {
      const std::string words = check.hint.substr(std::string(option).size());
      auto parsed = cluster::parse_replacement(kind, words.substr(0, words.find(' ')));
      return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
    }
  }
  return std::nullopt;
}

} // namespace

Verdict check_new_host(const fs::path& root) {
  set::HostState state = state_of(root);
  const cluster::Decision before = cluster::decide(new_machine(), facts_of(state), {});
  std::string said;
  cluster::Wishes wishes;
  for (const cluster::Check& check : before.checks) {
    const auto proposed = proposed_by(check);
    if (!proposed) {
      continue;
    }
    said += (said.empty() ? "" : "; ") + check.message;
    if (std::ranges::find(wishes.replacements, *proposed) == wishes.replacements.end()) {
      wishes.replacements.push_back(*proposed);
    }
  }
  if (wishes.replacements.empty()) {
    return {false, "nothing is said of what does not fit another machine"};
  }
  const auto files = k3s::read_host_settings(set::HostStateView(state), state.node).files;
  auto rewritten = cluster::rewrite(state, files, wishes.replacements);
  cluster::SetFacts facts = facts_of(state);
  facts.rewritten = std::move(rewritten);
  const cluster::Decision after = cluster::decide(new_machine(), facts, wishes);
  for (const cluster::Check& check : after.checks) {
    if (check.verdict != cluster::Verdict::ok &&
        (check.name == "replacement" || proposed_by(check))) {
      return {false, "rewritten, and still: " + check.message};
    }
  }
  return {true, said};
}

} // namespace rb::cases
