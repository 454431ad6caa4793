#include "restore/backups.hpp"

#include "set/retention.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include "base/modes.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace rb::restore {

using set::BackupSet;

Result<set::Directory> open_directory(const std::string& path) {
  auto directory = set::Directory::open_existing(path);
  if (directory) {
    return directory;
  }
  Error error = std::move(directory).error();
  if (error.code == ErrorCode::not_found) {
    error.hint = "where are the backups? name the directory with --backup-dir";
  } else if (error.code == ErrorCode::permission_denied && ::geteuid() != 0) {
    error.hint = "only root may read backups: use sudo";
  }
  return with_refused_root_hint(std::move(error), path);
}

Result<Backups> read_backups(set::Directory directory,
                             const Options& options,
                             const std::vector<Pin>& pins,
                             const Io& io) {
  RB_TRY_ASSIGN(std::vector<BackupSet> sets, set::list_sets(directory));
  RB_TRY_ASSIGN(Catalogue catalogue, catalogue_of(directory, sets, options.public_keys, pins, io));
  return Backups{std::move(directory), std::move(sets), std::move(catalogue)};
}

Result<Backups> open_backups(const Options& options, const std::vector<Pin>& pins, const Io& io) {
  RB_TRY_ASSIGN(set::Directory directory, open_directory(options.backup_dir));
  return read_backups(std::move(directory), options, pins, io);
}

namespace {

/// Retention takes that away before all else of a set.
bool has_no_manifest(set::Directory& directory, const std::string& run_id) {
  const auto entries = directory.fs().list();
  return entries && !set::current_generation(*entries, run_id);
}

} // namespace

std::optional<set::SetReport> check_current(Backups& backups,
                                            const std::string& run_id,
                                            const Keys& keys,
                                            const set::CheckHooks& hooks,
                                            const Options& options,
                                            const Io& io) {
  for (bool removed = false;;) {
    const auto set = std::ranges::find(backups.sets, run_id, &BackupSet::run_id);
    if (removed || set == backups.sets.end()) {
      return std::nullopt;
    }
    set::SetReport report = set::check_set(backups.directory, *set, keys.identities, hooks);
    if (report.code != ExitCode::damaged || !set::is_superseded(backups.directory, *set)) {
      return report;
    }
    removed = has_no_manifest(backups.directory, run_id);
    auto again = open_backups(options, keys.pins, io);
    if (!again) {
      return report;
    }
    backups = *std::move(again);
  }
}

std::string removed_meanwhile(const std::string& run_id) {
  return run_id + ": removed while it was looked at, as retention removes old sets";
}

bool are_of_sets(const Keys& keys, const std::vector<BackupSet>& sets) {
  const auto opens = [&](const std::string& recipient) {
    return std::ranges::any_of(keys.identities, [&](const age::Identity& identity) {
      return identity.recipient().text() == recipient;
    });
  };
  return std::ranges::any_of(sets, [&](const BackupSet& set) {
    return set.manifest && std::ranges::any_of(set.manifest->recipients, opens);
  });
}

set::Latest find_set(const std::vector<BackupSet>& sets,
                     const std::string& name,
                     std::optional<api::ArtifactType> wanted) {
  set::Latest found;
  if (name != "latest") {
    const auto named = std::ranges::find(sets, name, &BackupSet::run_id);
    found.set = named == sets.end() ? nullptr : &*named;
    return found;
  }
  found = set::choose_latest(sets, wanted);
  if (found.set == nullptr && !sets.empty()) {
    const auto having = std::ranges::find_if(sets, [&](const BackupSet& set) {
      return wanted && set.manifest &&
             std::ranges::find(set.manifest->artifacts, *wanted, &api::ArtifactStatus::type) !=
                 set.manifest->artifacts.end();
    });
    found.set = having == sets.end() ? &sets.front() : &*having;
    std::erase_if(found.passed_over,
                  [&](const set::PassedOver& each) { return each.set >= found.set; });
  }
  return found;
}

set::Latest find_set_to_check(const std::vector<BackupSet>& sets, const std::string& name) {
  set::Latest found = find_set(sets, name);
  const auto damaged = std::ranges::find_if(found.passed_over, [](const auto& each) {
    return each.set->state == set::SetState::damaged;
  });
  if (damaged != found.passed_over.end()) {
    found.set = damaged->set;
    found.passed_over.erase(damaged, found.passed_over.end());
  }
  return found;
}

Result<set::Latest> choose_set(const Backups& backups,
                               const std::string& name,
                               std::optional<api::ArtifactType> wanted) {
  set::Latest found = find_set(backups.sets, name, wanted);
  if (found.set == nullptr) {
    return nothing_to_restore(backups.directory.path(), name);
  }
  return found;
}

Error nothing_to_restore(const std::string& path, const std::string& name) {
  if (name.empty() || name == "latest") {
    return {ErrorCode::not_found,
            path + ": no backup set",
            "make one with `railiance-backup create --wait`, or name another directory with "
            "--backup-dir"};
  }
  return {ErrorCode::not_found,
          path + ": no backup set " + terminal_text(name),
          "`railiance-restore list` shows what is there"};
}

void say_passed_over(const set::Latest& latest, const Io& io) {
  if (latest.set != nullptr && latest.set->time > io.clock.now() + set::k_clock_tolerance) {
    warn(io,
         latest.set->run_id +
             " is of the future: the clock here is wrong, or that of its host was when it was "
             "made; then sets that were made after it stand below it in `railiance-restore list`, "
             "and are restored by their name");
  }
  constexpr std::size_t k_most = 10;
  std::size_t said = 0;
  for (const set::PassedOver& each : latest.passed_over) {
    if (said++ == k_most) {
      io.err << "… and " << latest.passed_over.size() - k_most << " more\n";
      break;
    }
    io.err << "passing over " << each.set->run_id << ": " << terminal_text(each.why) << '\n';
  }
}

void warn_of_left_out(std::size_t sets, const Io& io) {
  if (sets > 0) {
    warn(io,
         "not looked at: " + count_of(sets, "older set") +
             " over there, for the manifests are more than can be read at once; "
             "`railiance-restore fetch RUN` finds one by its name (rclone lsf shows them)");
  }
}

ExitCode exit_code_of_opening(const Error& error) {
  return error.code == ErrorCode::not_found          ? ExitCode::nothing_to_restore
         : error.code == ErrorCode::invalid_argument ? ExitCode::usage
                                                     : exit_code_for(error.code);
}

int fail_to_open(const Io& io, const Error& error) {
  return fail(io, error, exit_code_of_opening(error));
}

namespace {

constexpr std::array<std::string_view, 18> k_for_rclone{"PATH",
                                                        "HOME",
                                                        "USER",
                                                        "LOGNAME",
                                                        "XDG_CONFIG_HOME",
                                                        "TMPDIR",
                                                        "SSL_CERT_FILE",
                                                        "SSL_CERT_DIR",
                                                        "SSH_AUTH_SOCK",
                                                        "RCLONE_PASSWORD_COMMAND",
                                                        "RCLONE_CA_CERT",
                                                        "GOOGLE_APPLICATION_CREDENTIALS",
                                                        "HTTP_PROXY",
                                                        "HTTPS_PROXY",
                                                        "NO_PROXY",
                                                        "http_proxy",
                                                        "https_proxy",
                                                        "no_proxy"};
/// A remote may be in the environment alone (RCLONE_CONFIG_NAME_TYPE), and with `env_auth` the keys
/// of S3, Azure and Swift.
constexpr std::array<std::string_view, 4> k_begin_for_rclone{
    "RCLONE_CONFIG", "AWS_", "AZURE_", "OS_"};

bool is_for_rclone(std::string_view name) {
  return std::ranges::find(k_for_rclone, name) != k_for_rclone.end() ||
         std::ranges::any_of(k_begin_for_rclone,
                             [&](std::string_view begin) { return name.starts_with(begin); });
}

/// "/usr/bin/rclone", or empty.
std::string find_on_path(const std::string& path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    std::string candidate = path.substr(at, end - at) + "/rclone";
    if (candidate.front() == '/' && end > at && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    at = end + 1;
  }
  return {};
}

} // namespace

std::map<std::string, std::string> rclone_environment(const std::vector<std::string>& all) {
  std::map<std::string, std::string> environment;
  for (const std::string& entry : all) {
    const std::size_t equals = std::min(entry.find('='), entry.size());
    const std::string name = entry.substr(0, equals);
    if (is_for_rclone(name) && entry.size() > equals + 1) { // an empty one counts for nothing
      environment.emplace(name, entry.substr(equals + 1));
    }
  }
  return environment;
}

Result<std::unique_ptr<RemoteHandle>> open_store(const RemoteOptions& options, const Io& io) {
  offsite::RcloneSettings settings;
  settings.program = options.program;
  settings.remote = options.remote;
  settings.config_file = options.config_file;
  settings.environment = io.rclone_environment;
  if (settings.program.empty()) {
    const auto path = io.rclone_environment.find("PATH");
    settings.program = find_on_path(path == io.rclone_environment.end()
                                        ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
                                        : path->second);
  }
  if (settings.program.empty()) {
    return Error{
        ErrorCode::not_found,
        "rclone is not on this machine",
        "install it (apt-get install rclone, or https://rclone.org/downloads), or say where "
        "it is: --rclone PATH"};
  }
  return std::make_unique<RemoteHandle>(std::move(settings));
}

} // namespace rb::restore
