#include "agent/run/k3s_snapshots.hpp"

#include "agent/host/mounted_files.hpp"
#include "agent/run/run_state.hpp"
#include "k3s/host_settings.hpp"
#include "terminal/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace rb::agent {

namespace {

using Verdict = k3s::SaveVerdict::Kind;

constexpr std::chrono::milliseconds k_listing_step{200};

/// Nothing under the final name, nor under a name that k3s would still be writing.
bool is_gone(const std::string& path) {
  return ::access(path.c_str(), F_OK) != 0 && errno == ENOENT;
}

/// One call. The file of a save that timed out may still come: k3s renames it when it is whole.
k3s::SaveVerdict attempt(const BackupRun& run) {
  const std::string& run_id = run.order.run_id;
  const std::stop_token stop = run.control.token();
  k3s::SaveObservation seen{
      run_id,
      run.settings.node_name,
      run.k3s.snapshot_dir,
      run.ports.processes.run(
          k3s::save_spec(run.k3s.command, run_id, run.settings.snapshot_timeout), stop),
      {}};
  seen.files = snapshots_of_run(run.k3s.snapshot_dir, run_id).value_or({});
  k3s::SaveVerdict verdict = k3s::judge_save(seen);
  auto left = run.settings.late_file_wait;
  while (verdict.kind == Verdict::wait && left.count() > 0 && !stop.stop_requested()) {
    run.ports.waiter.wait(k_listing_step, stop);
    left -= k_listing_step;
    seen.files = snapshots_of_run(run.k3s.snapshot_dir, run_id).value_or({});
    verdict = k3s::judge_save(seen);
  }
  return verdict;
}

/// It lies in plaintext where we do not look: k3s knows where, and is told to remove it.
void remove_unseen(ProcessRunner& processes, const K3sPlace& k3s, k3s::SaveVerdict& verdict) {
  const auto deleted = processes.run(k3s::delete_spec(k3s.command, verdict.name), {});
  if (!deleted || !k3s::says_deleted(*deleted, verdict.name)) {
    verdict.error.message += "; k3s could not remove it";
    verdict.error.hint += "; remove it by hand: k3s etcd-snapshot delete " + verdict.name;
  }
}

} // namespace

std::string other_server_url(const Settings& settings, const k3s::ServerSettings& server) {
  const std::string port = server.value("https-listen-port");
  return !settings.etcd_server.empty()    ? settings.etcd_server
         : port.empty() || port == "6443" ? std::string()
                                          : "https://127.0.0.1:" + port;
}

K3sPlace find_k3s(const Settings& settings) {
  K3sPlace place;
  k3s::HostSettings server = k3s::read_host_settings(MountedFiles(settings));
  if (!server.problem.empty()) {
    log::warn("configuration of the k3s server", {ErrorCode::corrupt, server.problem, {}});
  }
  place.settings = std::move(server.settings);
  place.service = server.systemd_unit.empty() ? server.openrc_service : server.systemd_unit;
  place.datastore = datastore::detect(datastore::look_for(settings.data_dir, place.settings));
  const std::string own = place.settings.value("etcd-snapshot-dir");
  const std::string usual = k3s::snapshot_directory(settings.data_dir, {});
  const std::string configured = k3s::snapshot_directory(settings.data_dir, own);
  const std::string& directory =
      settings.etcd_snapshot_dir.empty() ? own : settings.etcd_snapshot_dir;
  place.snapshot_dir = k3s::snapshot_directory(settings.data_dir, directory);
  std::error_code unseen;
  if (settings.etcd_snapshot_dir.empty() && configured != usual &&
      !std::filesystem::is_directory(configured, unseen)) {
    log::warn("etcd-snapshot-dir of the k3s server",
              Error{ErrorCode::not_found,
                    configured + ": not to be seen here; snapshots are taken in " + usual,
                    "mount it (agent.snapshotDir of the chart) to have them taken there"});
    place.snapshot_dir = usual;
  }
  for (const std::string& path : {place.snapshot_dir, usual, configured}) {
    if (std::ranges::find(place.plaintext_dirs, path) == place.plaintext_dirs.end()) {
      place.plaintext_dirs.push_back(path);
    }
  }
  place.command.program = settings.k3s_program;
  place.command.data_dir = settings.data_dir;
  place.command.node_name = settings.node_name;
  place.command.snapshot_dir = directory.empty() ? std::string() : place.snapshot_dir;
  place.command.logs_to_file = !place.settings.value("log").empty();
  place.command.etcd_server = other_server_url(settings, place.settings);
  return place;
}

Status check_snapshot_dir(const K3sPlace& k3s) {
  const std::filesystem::path directory = k3s.snapshot_dir;
  std::error_code no_link;
  std::error_code ignored;
  const auto target = std::filesystem::read_symlink(directory, no_link);
  if (no_link || std::filesystem::exists(directory, ignored)) {
    return {};
  }
  const std::string there = (directory.parent_path() / target).lexically_normal().string();
  return Error{ErrorCode::not_found,
               k3s.snapshot_dir + ": a link to " + there +
                   ", which is not there, or not to be seen by the agent",
               "set agent.snapshotDir=" + there + " of the chart, which mounts it"}
      .because(api::Reason::snapshot_failed);
}

Result<SavedSnapshot> save_snapshot(const BackupRun& run) {
  for (unsigned tries = 1;; ++tries) {
    k3s::SaveVerdict verdict = attempt(run);
    RB_TRY(check_stop(run.control, step::k_taking_snapshot));
    if (verdict.kind == Verdict::saved) {
      return SavedSnapshot{verdict.name, run.k3s.snapshot_dir + "/" + verdict.name};
    }
    if (verdict.kind == Verdict::failed && !verdict.name.empty()) {
      remove_unseen(run.ports.processes, run.k3s, verdict);
    }
    if (verdict.kind != Verdict::try_again || tries >= run.settings.save_attempts) {
      return std::move(verdict.error);
    }
    run.ports.waiter.wait(run.settings.retry_delay, run.control.token());
  }
}

Result<std::vector<std::string>> snapshots_of_run(const std::string& snapshot_dir,
                                                  const std::string& run_id) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(snapshot_dir, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const auto parsed = k3s::parse_snapshot_name(name);
    if (!parsed || parsed->run_id != run_id) {
      continue;
    }
    std::error_code failed;
    const auto type = it->symlink_status(failed).type();
    // A plaintext that cannot be looked at is not gone: nobody would look for it again.
    if (type == std::filesystem::file_type::none) {
      return system_error(failed.value(), snapshot_dir + "/" + name);
    }
    if (type == std::filesystem::file_type::regular) {
      names.push_back(name);
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return system_error(error.value(), snapshot_dir);
  }
  return names;
}

Result<bool> remove_snapshot(ProcessRunner& processes,
                             const K3sPlace& k3s,
                             const std::string& snapshot_dir,
                             const std::string& name) {
  if (!k3s::parse_snapshot_name(name)) {
    return Error{ErrorCode::invalid_argument, "not the name of a snapshot of ours", {}};
  }
  const std::string path = snapshot_dir + "/" + name;
  if (is_gone(path)) {
    return false;
  }
  if (k3s.datastore != datastore::Place::sqlite) { // there k3s knows of no snapshots
    const auto deleted = processes.run(k3s::delete_spec(k3s.command, name), {});
    if (is_gone(path)) {
      return deleted && deleted->exit_status == 0;
    }
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error(errno, path);
  }
  return false;
}

} // namespace rb::agent
