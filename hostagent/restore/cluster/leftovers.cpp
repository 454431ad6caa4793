// What a restore leaves on a host that had no cluster: what was there before is noted, and what is
// new is taken away on the way back, or named.
#include "restore/cluster/host_files.hpp"
#include "restore/cluster/steps.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace rb::cluster {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_server = "server";
constexpr const char* k_agent = "agent";
/// Below agent/: containers go on running from there when k3s is stopped.
constexpr const char* k_containers = "/containerd";

/// Databases in which a restored cluster has lived are nobody's to throw away.
constexpr std::string_view k_kept = "server/db/etcd-failed-";

/// False: it could not be read to its end.
bool add_all_below(const std::string& data_dir, std::vector<std::string>& names) {
  std::error_code error;
  fs::recursive_directory_iterator it(data_dir + "/" + k_server, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    names.push_back(it->path().string().substr(data_dir.size() + 1));
  }
  return !error || error == std::errc::no_such_file_or_directory;
}

bool is_in(const std::string& directory, const std::string& name) {
  return name == directory || name.starts_with(directory + "/");
}

std::vector<std::string> new_names(const JournalState& state) {
  std::vector<std::string> names = names_of_data(state.plan).value_or(std::vector<std::string>());
  std::erase_if(names, [&](const std::string& name) {
    return std::binary_search(state.before->begin(), state.before->end(), name);
  });
  return names;
}

} // namespace

std::optional<std::vector<std::string>> names_of_data(const Plan& plan) {
  std::vector<std::string> names = names_in(plan.data_dir, "");
  const std::string own = plan.work_dir().substr(plan.data_dir.size() + 1);
  std::erase(names, own);
  for (const std::string& name : names_in(plan.data_dir + "/" + k_agent, "")) {
    names.push_back(std::string(k_agent) + "/" + name);
  }
  if (!add_all_below(plan.data_dir, names)) {
    return std::nullopt;
  }
  std::sort(names.begin(), names.end());
  return names;
}

void note_made(JournalState& state, const std::string& path) {
  std::vector<std::string> missing;
  for (fs::path above = fs::path(path).parent_path(); above.has_relative_path();
       above = above.parent_path()) {
    if (exists(above.string())) {
      break;
    }
    missing.push_back(above.string());
  }
  for (auto it = missing.rbegin(); it != missing.rend(); ++it) {
    if (std::find(state.made.begin(), state.made.end(), *it) == state.made.end()) {
      state.made.push_back(*it);
    }
  }
}

Status remove_new(const JournalState& state) {
  if (!state.before) {
    return {};
  }
  std::vector<std::string> names = new_names(state);
  const bool containers = exists(state.plan.data_dir + "/" + k_agent + k_containers);
  std::reverse(names.begin(), names.end()); // what is in a directory goes before it
  for (const std::string& name : names) {
    if (is_in(k_agent, name) && !containers) {
      RB_TRY(remove_path(state.plan.data_dir + "/" + name));
      continue;
    }
    const bool of_server = is_in(k_server, name);
    if (!of_server || name.starts_with(k_kept)) {
      continue;
    }
    const std::string path = state.plan.data_dir + "/" + name;
    if (is_directory(path)) {
      ::rmdir(path.c_str()); // not empty: something that is kept
    } else {
      RB_TRY(remove_path(path));
    }
  }
  return {};
}

std::vector<std::string> left_over(const JournalState& state) {
  std::vector<std::string> left;
  for (const std::string& name : state.before ? new_names(state) : std::vector<std::string>()) {
    const std::string path = state.plan.data_dir + "/" + name;
    const bool holds_kept = k_kept.starts_with(name + "/"); // and nothing else
    const bool inside = !left.empty() && path.starts_with(left.back() + "/");
    if (!holds_kept && !inside) {
      left.push_back(path);
    }
  }
  return left;
}

Status forget(const JournalState& state, const Journal& journal) {
  RB_TRY(remove_path(state.plan.snapshot_path()));
  if (!state.earlier.empty()) {
    RB_TRY(journal.save(state.earlier.front()));
    return remove_path(state.saved_path());
  }
  RB_TRY(remove_path(state.plan.work_dir()));
  for (auto it = state.made.rbegin(); it != state.made.rend(); ++it) {
    ::rmdir(it->c_str()); // not empty: somebody else uses it
  }
  return {};
}

} // namespace rb::cluster
