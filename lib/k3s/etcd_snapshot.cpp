#include "k3s/etcd_snapshot.hpp"

#include "k3s/command.hpp"
#include "k3s/output.hpp"
#include "k3s/versions.hpp"

#include "api/reason.hpp"
#include "base/clock.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <iterator>

namespace rb::k3s {

namespace {

/// Never the name of k3s's scheduled snapshots, whose retention matches by prefix.
constexpr std::string_view k_ours = "railiance-";
constexpr std::size_t k_run_id_length = 16; // YYYYMMDDTHHMMSSZ

bool is_name_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '.' || c == '_' || c == '-';
}

bool cut_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) {
    return false;
  }
  text.remove_suffix(suffix.size());
  return true;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

constexpr std::chrono::seconds k_delete_timeout{60};

ProcessSpec spec_of(const K3sCommand& command, std::chrono::seconds timeout) {
  ProcessSpec spec;
  spec.program = command.program;
  spec.timeout = timeout;
  spec.environment = environment_in(command.data_dir);
  return spec;
}

/// The flag that says which server is asked. At first k3s did the work itself; for some releases it
/// was "--server", which a `server:` of config.yaml filled in: the snapshot was taken by another
/// server, and stayed on its disk (issue 10513).
std::string_view flag_of_server(const std::string& version) {
  struct Line {
    int minor;
    int asks;  ///< The first patch release that asks a server.
    int named; ///< The first one with a name of its own for the flag.
  };
  constexpr std::array<Line, 4> k_lines{{{27, 13, 16}, {28, 9, 12}, {29, 4, 7}, {30, 0, 3}}};
  constexpr std::string_view k_of_today = "--etcd-server=";
  const auto release = parse_release(version);
  if (!release || release->major != 1 || release->minor > k_lines.back().minor) {
    return k_of_today;
  }
  const auto* const line = std::ranges::find(k_lines, release->minor, &Line::minor);
  if (line == k_lines.end() || release->patch < line->asks) {
    return {};
  }
  return release->patch < line->named ? "--server=" : k_of_today;
}

void add_server(const K3sCommand& command, std::vector<std::string>& arguments) {
  const std::string_view flag = flag_of_server(command.version);
  const bool config_may_fill_in = flag == "--server=";
  const std::string& url = command.etcd_server;
  if (!flag.empty() && (config_may_fill_in || !url.empty())) {
    arguments.push_back(std::string(flag) + (url.empty() ? "https://127.0.0.1:6443" : url));
  }
}

void add_common_flags(const K3sCommand& command, std::vector<std::string>& arguments) {
  arguments.push_back("--data-dir=" + command.data_dir);
  if (!command.snapshot_dir.empty()) {
    arguments.push_back("--etcd-snapshot-dir=" + command.snapshot_dir);
  }
  add_server(command, arguments);
  if (command.logs_to_file) {
    arguments.emplace_back("--log="); // the last one wins: back to stderr, where we read it
  }
  arguments.emplace_back("--etcd-s3=false");
}

constexpr std::string_view k_is_server_running =
    "see that the k3s server runs on this node (systemctl status k3s) and that --etcd-server "
    "names its port";
constexpr std::string_view k_convert =
    "convert the server to embedded etcd: add `cluster-init: true` to "
    "/etc/rancher/k3s/config.yaml and restart k3s";

/// k3s's own words, newest to oldest releases; the first match counts.
constexpr std::array<KnownMessage<api::Reason>, 10> k_known{{
    {"etcd datastore disabled", api::Reason::datastore_not_etcd, k_convert},
    {"etcd database not found", api::Reason::datastore_not_etcd, k_convert},
    {"failed to get CA certs", api::Reason::server_unreachable, k_is_server_running},
    {"connection refused", api::Reason::server_unreachable, k_is_server_running},
    {"no route to host", api::Reason::server_unreachable, k_is_server_running},
    {"connection reset by peer", api::Reason::server_unreachable, k_is_server_running},
    {"server/token: no such file",
     api::Reason::snapshot_failed,
     "give the data directory that the server uses with --data-dir"},
    {"two forms of the same flag",
     api::Reason::snapshot_failed,
     "an etcd-snapshot flag in config.yaml clashes with ours: use its long etcd-… spelling"},
    {"not authorized",
     api::Reason::not_authorized,
     "the server token was rotated and k3s not restarted since: restart k3s on this server "
     "(systemctl restart k3s) and start the backup again"},
    {"Unauthorized",
     api::Reason::snapshot_failed,
     "the server does not take the token in server/token: was it changed?"},
}};

/// The client gave up waiting: the server may have finished all the same.
constexpr std::array<std::string_view, 3> k_timeouts{
    "context deadline exceeded", "Client.Timeout exceeded", "TLS handshake timeout"};
/// The server was busy, or went away in the middle: worth another try.
// The reason behind an error ID is in the server's log only; most often a snapshot was going on.
constexpr std::array<std::string_view, 3> k_passing{
    "etcd-snapshot error ID", "already in progress", ": EOF"};

template <std::size_t N>
bool holds_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::any_of(
      words, [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

using Kind = SaveVerdict::Kind;

constexpr std::string_view k_see_server_log =
    "the reason is in the server's log (journalctl -u k3s)";
/// pkg/clientaccess and pkg/cli/etcdsnapshot: no flag changes it, and the server ends the snapshot
/// with the connection.
constexpr std::string_view k_two_minutes =
    "k3s's own command waits two minutes at the most: where etcd is too large for its disk, a "
    "restart of k3s makes it smaller (it defragments it); else the reason is in the server's log "
    "(journalctl -u k3s)";
constexpr std::string_view k_out_of_memory =
    "the kernel does this for lack of memory (dmesg says so): free some on this host, or raise "
    "agent.resources.limits.memory of the chart";

SaveVerdict saved(std::string name) {
  return {Kind::saved, std::move(name), {}};
}

SaveVerdict failed(const std::string& what,
                   std::string_view hint,
                   api::Reason reason = api::Reason::snapshot_failed) {
  Error error{ErrorCode::io, "k3s etcd-snapshot save: " + what, std::string(hint)};
  return {Kind::failed, {}, std::move(error).because(reason)};
}

std::string quoted_words(const ProcessResult& process) {
  const std::string words = last_words(process);
  return words.empty() ? std::string("it said nothing") : "k3s says: " + words;
}

/// Those of `names` that are finished snapshots of this run and node.
std::vector<std::string> ours(const std::vector<std::string>& names, const SaveObservation& seen) {
  std::vector<std::string> matching;
  std::ranges::copy_if(names, std::back_inserter(matching), [&](const std::string& text) {
    const auto name = parse_snapshot_name(text);
    return name && is_snapshot_of(*name, seen.run_id, seen.node_name);
  });
  return matching;
}

SaveVerdict not_started(Error error) {
  if (error.code == ErrorCode::cancelled) {
    return {Kind::cancelled, {}, std::move(error).because(api::Reason::interrupted)};
  }
  if (error.hint.empty()) {
    error.hint = "give the path of the k3s program with --k3s, mount its directory, and see that "
                 "the file is executable";
  }
  return {Kind::failed, {}, std::move(error).because(api::Reason::k3s_not_found)};
}

SaveVerdict after_timeout(const SaveObservation& seen, const ProcessResult& process) {
  const auto names = ours(seen.files, seen);
  if (names.size() == 1) {
    return saved(names.front());
  }
  SaveVerdict verdict =
      failed("it did not finish in time and left no complete snapshot: " + quoted_words(process),
             process.timed_out ? k_see_server_log : k_two_minutes);
  verdict.kind = Kind::wait;
  return verdict;
}

SaveVerdict after_error(const ProcessResult& process) {
  const std::string words = last_words(process);
  const std::string message = how_it_ended(process) + ": " + quoted_words(process);
  if (const auto* const known = find_known(k_known, words)) {
    SaveVerdict verdict = failed(message, known->hint, known->meaning);
    // A server that restarts is back in less than a minute.
    if (known->meaning == api::Reason::server_unreachable) {
      verdict.kind = Kind::try_again;
    }
    return verdict;
  }
  const bool killed = process.signal == SIGKILL; // not by us: that is a timeout
  SaveVerdict verdict = failed(message, killed ? k_out_of_memory : k_see_server_log);
  verdict.kind = killed || holds_any(words, k_passing) ? Kind::try_again : Kind::failed;
  return verdict;
}

SaveVerdict name_refused(const SaveObservation& seen, const std::string& said) {
  const auto name = parse_snapshot_name(said);
  const std::string what = "it reports the snapshot " + without_secrets(said.substr(0, 200)) + ", ";
  if (name && name->run_id == seen.run_id && name->compressed) {
    return failed(what + "which is compressed although --etcd-snapshot-compress=false was given",
                  "remove etcd-snapshot-compress from config.yaml");
  }
  if (name && name->run_id == seen.run_id) {
    return failed(what + "which was taken by node " + name->node + ", not by " + seen.node_name,
                  "`server:` in config.yaml sends old k3s releases elsewhere: set --etcd-server");
  }
  return failed(what + "which is not of this run (" + seen.run_id + ")", k_see_server_log);
}

SaveVerdict after_success(const SaveObservation& seen, const ProcessResult& process) {
  const auto said = saved_names(process.err + "\n" + process.out);
  if (said.empty()) {
    return failed("exit status 0, but there is no snapshot: " + quoted_words(process),
                  "k3s does this when the disk of " + seen.directory +
                      " is full; the server's log has the reason (journalctl -u k3s)");
  }
  const auto names = ours(said, seen);
  if (names.empty()) {
    return name_refused(seen, said.front());
  }
  const std::string& name = names.front();
  if (names.size() > 1) {
    return failed("it reports two snapshots for one name: " + name + " and others",
                  k_see_server_log);
  }
  if (std::ranges::find(seen.files, name) == seen.files.end()) {
    SaveVerdict verdict =
        failed("it says that it saved " + name + ", but the file is not in " + seen.directory,
               "if the server uses --etcd-snapshot-dir, give it to the agent, too, and mount "
               "that directory at the same path");
    verdict.name = name;
    return verdict;
  }
  return saved(name);
}

} // namespace

ProcessSpec
save_spec(const K3sCommand& command, const std::string& run_id, std::chrono::seconds timeout) {
  ProcessSpec spec = spec_of(command, timeout);
  spec.arguments = {"etcd-snapshot", "save", "--name=" + std::string(k_ours) + run_id};
  // Names the file in releases up to 1.29.3, which else take the host name of the caller.
  spec.arguments.push_back("--node-name=" + command.node_name);
  add_common_flags(command, spec.arguments);
  spec.arguments.emplace_back("--etcd-snapshot-compress=false");
  return spec;
}

ProcessSpec delete_spec(const K3sCommand& command, const std::string& snapshot_name) {
  ProcessSpec spec = spec_of(command, k_delete_timeout);
  spec.arguments = {"etcd-snapshot", "delete"};
  add_common_flags(command, spec.arguments);
  spec.arguments.push_back(snapshot_name);
  return spec;
}

bool says_deleted(const ProcessResult& result, const std::string& snapshot_name) {
  const std::string words = "Snapshot " + snapshot_name + " deleted";
  return result.exit_status == 0 &&
         (result.err + "\n" + result.out).find(words) != std::string::npos;
}

std::string snapshot_directory(const std::string& data_dir, const std::string& configured) {
  const std::filesystem::path server = std::filesystem::path(data_dir) / "server";
  // An absolute path replaces what stands before it.
  return (configured.empty() ? server / "db" / "snapshots" : server / configured).string();
}

std::string snapshot_name(std::string_view run_id, std::string_view node, SystemTime now) {
  std::string name = std::string(k_ours).append(run_id) + "-";
  for (const char c : node) {
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name + "-" + std::to_string(now.time_since_epoch().count());
}

std::optional<SnapshotName> parse_snapshot_name(std::string_view name) {
  if (!name.starts_with(k_ours) || !std::all_of(name.begin(), name.end(), is_name_character)) {
    return std::nullopt;
  }
  name.remove_prefix(k_ours.size());
  SnapshotName parsed;
  parsed.run_id = std::string(name.substr(0, k_run_id_length));
  if (!parse_run_id(parsed.run_id)) {
    return std::nullopt;
  }
  name.remove_prefix(k_run_id_length);
  parsed.partial = cut_suffix(name, ".part") || cut_suffix(name, "-journal");
  parsed.compressed = cut_suffix(name, ".zip");
  const std::size_t dash = name.rfind('-');
  if (!name.starts_with('-') || dash == 0 || dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view seconds = name.substr(dash + 1);
  const bool digits = !seconds.empty() && std::all_of(seconds.begin(), seconds.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  parsed.node = std::string(name.substr(1, dash - 1));
  if (!digits || parsed.node.empty()) {
    return std::nullopt;
  }
  return parsed;
}

bool is_snapshot_of(const SnapshotName& name, std::string_view run_id, std::string_view node) {
  return !name.partial && !name.compressed && name.run_id == run_id &&
         equal_ignoring_case(name.node, node);
}

SaveVerdict judge_save(const SaveObservation& seen) {
  if (!seen.process) {
    return not_started(seen.process.error());
  }
  const ProcessResult& process = *seen.process;
  const bool never_asked = process.err.find("failed to get CA certs") != std::string::npos;
  const bool client_gave_up = process.exit_status != 0 && holds_any(process.err, k_timeouts);
  if (process.timed_out || (client_gave_up && !never_asked)) {
    return after_timeout(seen, process);
  }
  if (process.exit_status != 0) {
    return after_error(process);
  }
  return after_success(seen, process);
}

} // namespace rb::k3s
