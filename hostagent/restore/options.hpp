// The command line of railiance-restore as a value.
#pragma once

#include "restore/cluster/facts.hpp"
#include "restore/cluster/rejoin.hpp"
#include "restore/io.hpp"

#include "api/artifacts.hpp"
#include "base/result.hpp"

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace CLI {
class App;
}

namespace rb::restore {

enum class OutputFormat { text, json };

struct RemoteOptions {
  std::string remote;      ///< "nextcloud:backups/cluster"; empty: the disk.
  std::string program;     ///< rclone; empty: the first one on $PATH.
  std::string config_file; ///< rclone.conf; empty: where rclone looks.
};

struct ListCommand {
  RemoteOptions remote; ///< Empty: the disk.
};
struct ShowCommand {
  std::string set; ///< A run id, or "latest".
};
struct VerifyCommand {
  std::string set = "latest";
  bool all = false;
  bool record = false;                     ///< Of all: leave the outcome beside the sets.
  bool allow_unsigned = false;             ///< As that of `drill`.
  std::vector<std::string> identity_files; ///< Empty: without a key.
};
struct DecryptCommand {
  std::string file; ///< "-": standard input.
  std::string out;  ///< "-": standard output.
  bool force = false;
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
};
struct FetchCommand {
  std::string set; ///< A run id, or "latest".
  std::string to;  ///< Empty: the backup directory.
  RemoteOptions remote;
  bool allow_unsigned = false; ///< Fetch a set that is not signed by a host whose key is known.
};

struct RewrapCommand {
  std::vector<std::string> sets; ///< Run ids, or "latest"; empty: all.
  bool all = false;
  std::string sops; ///< The .sops.yaml with the new recipients.
  bool dry_run = false;
  bool allow_unsigned = false;             ///< Sets that were never signed: the host signs them.
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
};

/// What changes the k3s of this host, and can be gone back from: restore and rejoin.
struct HostCommand {
  std::string set = "latest";
  bool set_given = false;
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
  bool dry_run = false;
  bool resume = false;
  bool rollback = false;
  bool yes = false;
  cluster::HostHints hints;
  /// Absent: by the size of the datastore (limits_for).
  std::optional<unsigned> reset_timeout_seconds = {};
  std::optional<unsigned> ready_timeout_seconds = {};
};

struct RestoreCommand : HostCommand {
  // One artifact: decrypted and unpacked, the cluster left alone.
  std::string artifact; ///< "helm-values", "kubeconfig" or "host-state"; empty: the cluster.
  std::string to;
  bool force = false;

  // The cluster.
  bool execute = false;
  bool restart_workloads = false;
  cluster::Wishes wishes;
  std::vector<std::string> set_addresses;  ///< "OLD=NEW", as given; parsed they are in the wishes.
  std::vector<std::string> set_interfaces; ///< The same.
};

struct RejoinCommand : HostCommand {
  cluster::RejoinWishes wishes;
};

struct DrillCommand {
  std::string set = "latest";
  std::vector<std::string> identity_files; ///< Empty: where SOPS looks.
  bool no_record = false;
  bool allow_unsigned = false; ///< Sets without a signature pass, though the key is known.
  bool boot = false;           ///< Boot a scratch server from the set, too.
  std::string scratch_dir;     ///< Where; empty: beside k3s's data directory.
  std::string k3s;             ///< Empty: the program of the backed-up host.
  /// For the reset, and again for the API to get ready; absent: by the size of the datastore.
  std::optional<unsigned> timeout_seconds = {};
};

struct MetricsCommand {
  std::string text_file; ///< Empty: standard output.
  std::string node;      ///< Label of every sample; empty: as the newest manifest has it.
  long expected_interval_seconds = 0; ///< 0: not known.
};

/// --help and --version: text to print, and done.
struct PrintCommand {
  std::string text;
};

using Command = std::variant<ListCommand,
                             FetchCommand,
                             ShowCommand,
                             VerifyCommand,
                             DecryptCommand,
                             RestoreCommand,
                             RejoinCommand,
                             DrillCommand,
                             RewrapCommand,
                             MetricsCommand,
                             PrintCommand>;

struct Options {
  std::string backup_dir;
  bool backup_dir_given = false; ///< By --backup-dir.
  OutputFormat output = OutputFormat::text;
  std::vector<std::string> public_keys; ///< Of hosts whose sets are taken; empty: found here.
  Command command;
};

/// `args` without the program's name; defaults come from `io`. Errors: invalid_argument, with a
/// message for the operator.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string> args, const Io& io);

/// The type that --artifact names; nothing for another word, and for the datastore.
[[nodiscard]] std::optional<api::ArtifactType> artifact_of(const std::string& name);

/// Adds the command restore. Private to the sources of this header, as the next ones.
void add_restore(CLI::App& app, RestoreCommand& command);

/// What CLI11 cannot say: options that exclude each other. Parses --set-address and
/// --set-interface. Errors: invalid_argument.
[[nodiscard]] Status finish_restore(RestoreCommand& command);

/// Adds the command rejoin.
void add_rejoin(CLI::App& app, RejoinCommand& command);

/// Options that exclude each other; the URL of --server. Errors: invalid_argument.
[[nodiscard]] Status finish_rejoin(RejoinCommand& command);

/// Of both: SET, -i, --dry-run, --resume, --rollback, --yes, --k3s, --data-dir and the commands of
/// the service.
void add_host_options(CLI::App& app, HostCommand& command);

/// Adds the command rewrap.
void add_rewrap(CLI::App& app, RewrapCommand& command);

/// Errors: invalid_argument (no set and not all, both, one twice).
[[nodiscard]] Status finish_rewrap(const RewrapCommand& command);

/// -i of a command.
void add_identity(CLI::App& command, std::vector<std::string>& files, const char* help);

} // namespace rb::restore
