#include "agent/save_verdict.hpp"

#include "agent/k3s_output.hpp"
#include "agent/k3s_sayings.hpp"
#include "agent/snapshot_name.hpp"
#include "k3s/words.hpp"

#include <algorithm>
#include <string_view>

namespace rb::agent {

namespace {

using Kind = SaveVerdict::Kind;

constexpr std::string_view k_see_server_log =
    "the reason is in the server's log (journalctl -u k3s)";

SaveVerdict failed(api::Reason reason, std::string message, std::string_view hint) {
  return {Kind::failed, {}, {reason, std::move(message), std::string(hint)}};
}

std::string quoted_words(const ProcessResult& process) {
  const std::string words = last_words(process);
  return words.empty() ? std::string("it said nothing") : "k3s says: " + words;
}

/// The finished snapshots of this run and node in the directory.
std::vector<std::string> ours(const SaveObservation& seen) {
  std::vector<std::string> names;
  for (const std::string& file : seen.files) {
    const auto name = parse_snapshot_name(file);
    if (name && is_snapshot_of(*name, seen.run_id, seen.node_name)) {
      names.push_back(file);
    }
  }
  return names;
}

SaveVerdict not_started(const Error& error) {
  if (error.code == ErrorCode::cancelled) {
    return {Kind::cancelled, {}, {api::Reason::interrupted, error.message, error.hint}};
  }
  return failed(api::Reason::k3s_not_found,
                error.message,
                !error.hint.empty()
                    ? error.hint
                    : "give the path of the k3s program with --k3s, mount its directory, and see "
                      "that the file is executable");
}

SaveVerdict after_timeout(const SaveObservation& seen, const ProcessResult& process) {
  const auto names = ours(seen);
  if (names.size() == 1) {
    return {Kind::saved, names.front(), {}};
  }
  return {Kind::wait,
          {},
          {api::Reason::snapshot_failed,
           "k3s etcd-snapshot save: it did not finish in time and left no complete snapshot: " +
               quoted_words(process),
           std::string(k_see_server_log)}};
}

SaveVerdict after_error(const ProcessResult& process) {
  const std::string words = last_words(process);
  const std::string ended = process.signal != 0
                                ? "ended by signal " + std::to_string(process.signal)
                                : "exit status " + std::to_string(process.exit_status);
  const std::string message = "k3s etcd-snapshot save: " + ended + ": " + quoted_words(process);
  if (const Saying* const saying = find_saying(words)) {
    SaveVerdict verdict = failed(saying->reason, message, saying->hint);
    // A server that restarts is back in less than a minute.
    if (saying->reason == api::Reason::server_unreachable) {
      verdict.kind = Kind::try_again;
    }
    return verdict;
  }
  SaveVerdict verdict = failed(api::Reason::snapshot_failed, message, k_see_server_log);
  verdict.kind = speaks_of_passing_trouble(words) ? Kind::try_again : Kind::failed;
  return verdict;
}

SaveVerdict name_refused(const SaveObservation& seen, const std::string& said) {
  const auto name = parse_snapshot_name(said);
  const std::string what = "k3s etcd-snapshot save: it reports the snapshot " +
                           k3s::without_secrets(said.substr(0, 200)) + ", ";
  if (name && name->run_id == seen.run_id && name->compressed) {
    return failed(api::Reason::snapshot_failed,
                  what + "which is compressed although --etcd-snapshot-compress=false was given",
                  "remove etcd-snapshot-compress from config.yaml");
  }
  if (name && name->run_id == seen.run_id) {
    return failed(api::Reason::snapshot_failed,
                  what + "which was taken by node " + name->node + ", not by " + seen.node_name,
                  "`server:` in config.yaml sends old k3s releases elsewhere: set --etcd-server");
  }
  return failed(api::Reason::snapshot_failed,
                what + "which is not of this run (" + seen.run_id + ")",
                k_see_server_log);
}

SaveVerdict after_success(const SaveObservation& seen, const ProcessResult& process) {
  const auto said = saved_names(process.err + "\n" + process.out);
  if (said.empty()) {
    return failed(api::Reason::snapshot_failed,
                  "k3s etcd-snapshot save: exit status 0, but there is no snapshot: " +
                      quoted_words(process),
                  "k3s does this when the disk of " + seen.directory +
                      " is full; the server's log has the reason (journalctl -u k3s)");
  }
  const auto matches = [&seen](const std::string& name) {
    const auto parsed = parse_snapshot_name(name);
    return parsed && is_snapshot_of(*parsed, seen.run_id, seen.node_name);
  };
  const auto first = std::find_if(said.begin(), said.end(), matches);
  if (first == said.end()) {
    return name_refused(seen, said.front());
  }
  if (std::count_if(said.begin(), said.end(), matches) > 1) {
    return failed(api::Reason::snapshot_failed,
                  "k3s etcd-snapshot save: it reports two snapshots for one name: " + *first +
                      " and others",
                  k_see_server_log);
  }
  if (std::find(seen.files.begin(), seen.files.end(), *first) == seen.files.end()) {
    SaveVerdict verdict =
        failed(api::Reason::snapshot_failed,
               "k3s etcd-snapshot save: it says that it saved " + *first +
                   ", but the file is not in " + seen.directory,
               "if the server uses --etcd-snapshot-dir, give it to the agent, too, and mount "
               "that directory at the same path");
    verdict.name = *first;
    return verdict;
  }
  return {Kind::saved, *first, {}};
}

} // namespace

SaveVerdict judge_save(const SaveObservation& seen) {
  if (!seen.process) {
    return not_started(seen.process.error());
  }
  const ProcessResult& process = *seen.process;
  const bool never_asked = process.err.find("failed to get CA certs") != std::string::npos;
  const bool client_gave_up = process.exit_status != 0 && speaks_of_timeout(process.err);
  if (process.timed_out || (client_gave_up && !never_asked)) {
    return after_timeout(seen, process);
  }
  if (process.exit_status != 0) {
    return after_error(process);
  }
  return after_success(seen, process);
}

} // namespace rb::agent
