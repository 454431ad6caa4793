// The files of the host state that a restore puts back: what was there is saved, and they are laid
// down.
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/put_back.hpp"
#include "restore/cluster/steps.hpp"

#include "archive/entry_path.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

/// Where a file goes that is put back for its place; empty: it does not.
std::string place_of(const archive::Entry& entry,
                     const set::HostState& host,
                     const Plan& plan,
                     const Ports& ports) {
  const std::string path =
      put_back_path(entry.path, host.data_dir, plan.data_dir, plan.keep_config);
  return path.empty() ? path : under_root(path, plan, ports);
}

/// Where a file goes that is put back: what the settings name only where nothing was before.
std::string target_of(const archive::Entry& entry,
                      const set::HostState& host,
                      const NamedBack& named,
                      const JournalState& state,
                      const Ports& ports) {
  std::string target = place_of(entry, host, state.plan, ports);
  if (!target.empty() || state.plan.keep_config) {
    return target;
  }
  const std::string path = named.target_of(entry.path);
  target = path.empty() ? path : under_root(path, state.plan, ports);
  const bool is_new = std::ranges::any_of(
      state.files, [&](const PutBackFile& file) { return file.path == target && !file.existed; });
  return is_new ? target : std::string();
}

Status put_entry(const archive::Entry& entry, const std::string& target, const Plan& plan) {
  const bool in_data_dir = target.starts_with(plan.data_dir + "/");
  RB_TRY(make_directories(target.substr(0, target.rfind('/')), in_data_dir ? 0700 : 0755));
  if (is_directory(target)) {
    RB_TRY(remove_path(target)); // it was copied aside
  }
  return put_file(target, entry.content.view(), entry.mode);
}

/// Once: the reset puts all of it back again.
void say_left_out(const JournalState& state, const std::vector<std::string>& why, Ports& ports) {
  if (why.empty() || state.current == Step::reset) {
    return;
  }
  ports.progress.on_line("warning: " + std::to_string(why.size()) +
                         " of the files that the configuration names cannot be put back; put them "
                         "there when k3s runs:");
  for (const std::string& one : why) {
    ports.progress.on_line("  " + archive::printable(one));
  }
}

} // namespace

Status save_files(JournalState& state, Ports& ports) {
  RB_TRY_ASSIGN(const set::HostState host, ports.set.host_state());
  const Plan& plan = state.plan;
  std::vector<PutBackFile> files;
  for (const archive::Entry& entry : host.files) {
    PutBackFile file{place_of(entry, host, plan, ports), false};
    if (file.path.empty()) {
      continue;
    }
    const std::string copy = state.saved_path() + "/files" + file.path;
    if (exists(file.path)) {
      RB_TRY(copy_tree(file.path, copy));
    }
    file.existed = exists(copy); // of a socket, say, there is none
    files.push_back(std::move(file));
  }
  const NamedBack named(host, plan.data_dir, ports.root);
  for (const archive::Entry& entry : host.files) {
    const bool has_place = plan.keep_config || !place_of(entry, host, plan, ports).empty();
    const std::string path = has_place ? std::string() : named.missing_target_of(entry.path);
    if (!path.empty()) {
      files.push_back({under_root(path, plan, ports), false});
    }
  }
  for (PutBackFile& file : files) {
    note_made(state, file.path);
    state.files.push_back(std::move(file));
  }
  return {};
}

Status do_put_back(const JournalState& state, Ports& ports) {
  RB_TRY_ASSIGN(const set::HostState host, ports.set.host_state());
  const NamedBack named(host, state.plan.data_dir, ports.root);
  std::vector<std::string> left_out;
  for (const archive::Entry& entry : host.files) {
    const std::string target = target_of(entry, host, named, state, ports);
    if (target.empty()) {
      continue;
    }
    Status put = put_entry(entry, target, state.plan);
    const bool spare =
        place_of(entry, host, state.plan, ports).empty() && named.is_spare(entry.path);
    if (!put && (!spare || put.error().code == ErrorCode::no_space)) {
      return put;
    }
    if (!put) {
      left_out.push_back(put.error().message);
    }
  }
  say_left_out(state, left_out, ports);
  return {};
}

} // namespace rb::cluster
