#include "offsite/namesakes.hpp"

#include "set/names.hpp"
#include "terminal/terminal_text.hpp"

#include "api/artifacts.hpp"

#include <algorithm>
#include <set>

namespace rb::offsite {

namespace {

constexpr std::size_t k_name_limit_bytes = 253; // of a node

/// A rewrapped set has files of its own, but is the same set: the run decides.
std::set<std::string> runs_with_manifest(const std::vector<RemoteFile>& there) {
  std::set<std::string> run_ids;
  for (const RemoteFile& file : there) {
    set::NameInfo info = set::classify_name(file.name);
    if (info.kind == set::NameKind::manifest) {
      run_ids.insert(std::move(info.run_id));
    }
  }
  return run_ids;
}

Error too_many(const std::string& remote, std::size_t sets) {
  return {ErrorCode::unsupported,
          remote + ": " + std::to_string(sets) +
              " sets have a namesake over there, and their manifests are more than can be read at "
              "once",
          "remove the oldest of them over there, by rclone (docs/offsite.md)"};
}

bool is_to_be_sent(const set::BackupSet& set, const State& state) {
  return set.state == set::SetState::complete && set.manifest &&
         !state.replicated.contains(set.version());
}

} // namespace

Result<std::map<std::string, std::string>>
nodes_of_namesakes(RemoteStore& remote,
                   const std::vector<RemoteFile>& there,
                   const std::vector<set::BackupSet>& sets,
                   const State& state,
                   std::stop_token stop) {
  std::map<std::string, std::string> nodes;
  std::vector<const set::BackupSet*> ours;
  RemoteWish wish{{}, /*others=*/false};
  const std::set<std::string> over_there_too = runs_with_manifest(there);
  for (const set::BackupSet& set : sets) {
    if (is_to_be_sent(set, state) && over_there_too.contains(set.run_id)) {
      ours.push_back(&set);
      wish.run_ids.insert(set.run_id);
    }
  }
  if (ours.empty()) {
    return nodes;
  }
  RB_TRY_ASSIGN(RemoteListing listing, read_remote(remote, wish, std::move(stop)));
  if (listing.left_out > 0) {
    return too_many(remote.name(), ours.size());
  }
  RB_TRY_ASSIGN(const auto over_there, set::list_sets(listing.directory));
  for (const set::BackupSet* const set : ours) {
    const auto namesake = std::ranges::find(over_there, set->run_id, &set::BackupSet::run_id);
    if (namesake == over_there.end() || !namesake->manifest) {
      continue;
    }
    const std::string& node = namesake->manifest->node_name;
    if (!node.empty() && node != set->manifest->node_name) {
      nodes.emplace(set->run_id, node);
    }
  }
  return nodes;
}

Error sent_by_another(const std::string& remote,
                      const std::string& run_id,
                      const std::string& node) {
  return {
      ErrorCode::already_exists,
      remote + ": the set of run " + run_id + " over there is of node " +
          api::bounded(terminal_text(node), k_name_limit_bytes) +
          ": two servers copy into one directory, and would replace each other's files",
      "give each server a directory of its own with offsite.directoryPerNode=true of the chart, "
      "or let each run make one set with schedule.servers=One (docs/offsite.md)"};
}

} // namespace rb::offsite
