#include "restore/options.hpp"

#include "offsite/rclone.hpp"

#include "base/version.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <system_error>

namespace rb::restore {

namespace {

constexpr std::string_view k_commands =
    "list, show, verify, decrypt, drill, fetch, rewrap, metrics, restore or rejoin";

constexpr const char* k_footer = R"(Examples:
  railiance-restore list
  railiance-restore verify -i ~/.config/sops/age/keys.txt
  railiance-restore decrypt -i keys.txt -o snapshot etcd-20261122T020000Z.snap.age

Exit codes:
  0  done                          5  no identity opens the file
  1  failed                        6  damaged or tampered with
  2  usage                         7  busy: another run has the host
  3  incomplete, something missing 8  the cluster or the agent can't be reached
  4  nothing to restore            9  a deadline passed

It needs neither the cluster nor a network. SET is a run id (20261122T020000Z) or
"latest". Sets are signed by their host: its public key is that of --public-key, else
of the lines "# railiance-backup public key: RW..." in the identity file and of this
host, else (first use, with a warning) the one beside the sets. Private keys are those
of -i, else all that SOPS would find, together: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, the
output of SOPS_AGE_KEY_CMD, ~/.config/sops/age/keys.txt, and an SSH key of
SOPS_AGE_SSH_PRIVATE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_CMD, ~/.ssh/id_ed25519 (verify
opens sets with -i alone). A file with a passphrase is opened on the terminal. The
backup directory is that of --backup-dir, else of $RAILIANCE_BACKUP_DIR, else that of
this host's agent, else /opt/backup/railiance/cluster.)";

constexpr const char* k_list_footer = R"(Examples:
  railiance-restore list
  railiance-restore list --backup-dir /mnt/usb/cluster --output json
  railiance-restore list --remote nextcloud:backups/cluster

Looks at names and sizes; verify reads the files. Exit code 4 when there is no set.)";

constexpr const char* k_show_footer = R"(Examples:
  railiance-restore show latest
  railiance-restore show 20261122T020000Z --output json)";

constexpr const char* k_verify_footer = R"(Examples:
  railiance-restore verify
  railiance-restore verify --all --record
  railiance-restore verify 20261122T020000Z -i ~/.config/sops/age/keys.txt

Without a key: every file is there, has the size and the SHA-256 of the manifest,
and begins like an age file. With -i also: every byte decrypts, the copy of etcd or SQLite
has its digest, its pages, its revision and its keys, and the archives can be read.
Nothing is written to the disk but with --record. Each set's signature and its place in the chain are
checked, too: one that was changed, taken away or put there shows, with exit code 6;
so does one without a signature where the host's key is known (--allow-unsigned).
Exit codes: 3 a set is incomplete, 5 no identity opens a file, 6 damaged.)";

constexpr const char* k_decrypt_footer = R"(Examples:
  railiance-restore decrypt -i keys.txt -o etcd.snap etcd-20261122T020000Z.snap.age
  railiance-restore decrypt -o kubeconfig.yaml kubeconfig-20261122T020000Z.yaml.age
  railiance-restore decrypt -i keys.txt -o - values.tar.gz.age | tar tz

Takes any age file, binary or armored, for keys of age (post-quantum ones, too) or
ssh-ed25519 keys; what a hardware token opens is age's. OUT appears only when it is
whole, with mode 0600. Through a pipe (-o -) the exit code says whether what came out
is whole.)";

constexpr const char* k_fetch_footer = R"(Examples:
  railiance-restore list --remote nextcloud:backups/cluster
  railiance-restore fetch latest --remote nextcloud:backups/cluster --to /root/backup
  railiance-restore --backup-dir /root/backup verify

"latest" is the newest set from which a cluster can be restored; newer ones are named.
Every file is compared with the manifest of the set: size and SHA-256. Nothing is
replaced; a fetch that was cut off goes on where it was. The network is rclone's
(https://rclone.org): it must be on this machine, and know the remote.
Exit codes: 3 fetched, and something is missing in the set, 4 no such set, 6 a file over
there is damaged, or no known key vouches for the set, 7 the directory is in use, 8 the
remote cannot be reached.)";

constexpr const char* k_drill_footer = R"(Examples:
  railiance-restore drill
  railiance-restore drill 20261122T020000Z -i keys.txt --output json
  railiance-restore drill --boot

Opens every artifact of the set with the key and compares it with the manifest:
digests, every page of the snapshot, its revision and keys, the key that k3s looks for
with the token of the host state, the archives and the YAML in them. No plaintext
reaches the disk. With --boot, as root, a k3s server is then booted from the set in
namespaces and a directory of its own, and every object that its API serves is held
against the snapshot; the running cluster is not touched, and all of it is removed
again. It takes 800 MiB of free memory, of which a small cluster uses half, for half a
minute, and three times the snapshot's size and 640 MiB on the disk.
"latest" is the newest set from which a cluster can be restored, or a newer one that is
damaged. The outcome goes to
backup.log and .last-drill in the backup directory.
Exit codes: 3 incomplete, 4 no set, 5 no identity opens it, 6 damaged.)";

constexpr const char* k_metrics_footer = R"(Examples:
  railiance-restore metrics
  railiance-restore metrics --expected-interval-seconds 86400 \
    --textfile /var/lib/prometheus/node-exporter/railiance-backup.prom

The same metrics as the agent's, for hosts that Prometheus reaches only by way of
node_exporter (--collector.textfile.directory). The file is replaced in one step,
with mode 0644; there is no secret in it. Run it from a timer every few minutes:
deploy/host/railiance-metrics.timer. docs/monitoring.md lists the metrics.)";

constexpr const char* k_found_identity =
    "File with private age keys (default: all that SOPS finds)";
constexpr const char* k_allow_unsigned =
    "Let a set pass that is not signed, though the host's key is known";

/// What CLI11 fills in; turned into Options when it is done.
struct Raw {
  Options options;
  ListCommand list;
  ShowCommand show;
  VerifyCommand verify;
  DecryptCommand decrypt;
  FetchCommand fetch;
  RestoreCommand restore;
  RejoinCommand rejoin;
  DrillCommand drill;
  RewrapCommand rewrap;
  MetricsCommand metrics;
  std::string output = "text";
};

/// `--help` of a subcommand is that of the subcommand.
std::string help_of(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    return command->help();
  }
  return app.help();
}

std::string check_remote(const std::string& text) {
  const Status status = offsite::check_remote(text);
  return status ? std::string() : status.error().message + ": " + status.error().hint;
}

/// Adds --remote, --rclone and --rclone-config to a command.
void add_remote(CLI::App& command, RemoteOptions& remote) {
  command.add_option("--remote", remote.remote, "Copy off-site: NAME:PATH of rclone")
      ->check(CLI::Validator(check_remote, ""));
  command.add_option("--rclone", remote.program, "The rclone program (default: on $PATH)");
  command.add_option(
      "--rclone-config", remote.config_file, "Its configuration (default: where rclone looks)");
}

void add_fetch(CLI::App& app, FetchCommand& fetch) {
  CLI::App* command = app.add_subcommand("fetch", "Fetch one set from an off-site copy");
  command->footer(k_fetch_footer);
  add_remote(*command, fetch.remote);
  command->get_option("--remote")->required();
  command->add_option("--to", fetch.to, "Directory to write to (default: the backup directory)");
  command->add_flag("--allow-unsigned",
                    fetch.allow_unsigned,
                    "Fetch a set that is not signed by the known key, or was changed");
  command->add_option("SET", fetch.set, "Run id, or latest")->required();
}

void add_drill(CLI::App& app, DrillCommand& command) {
  CLI::App* drill = app.add_subcommand("drill", "Prove that a set opens and is what it claims");
  drill->footer(k_drill_footer);
  drill->add_option("SET", command.set, "Run id, or latest")->capture_default_str();
  add_identity(*drill, command.identity_files, k_found_identity);
  drill->add_flag("--allow-unsigned", command.allow_unsigned, k_allow_unsigned);
  drill->add_flag("--boot",
                  command.boot,
                  "Boot a scratch k3s server from the set, beside the running one (root)");
  drill->add_option("--scratch-dir",
                    command.scratch_dir,
                    "With --boot: make its directory here (default: beside k3s's data)");
  drill->add_option("--k3s", command.k3s, "With --boot: the k3s program");
  drill
      ->add_option("--timeout",
                   command.timeout_seconds,
                   "With --boot: seconds for each step (default: 300, and one more for each 4 MiB "
                   "of the datastore)")
      ->check(CLI::Range(10U, 86400U));
  drill->add_flag(
      "--no-record", command.no_record, "Leave backup.log and .last-drill alone (read-only media)");
}

void add_metrics(CLI::App& app, MetricsCommand& command) {
  CLI::App* metrics =
      app.add_subcommand("metrics", "Print what Prometheus should know of the sets");
  metrics->footer(k_metrics_footer);
  metrics->add_option("--textfile", command.text_file, "Write there instead of standard output");
  metrics->add_option("--node", command.node, "The label node (default: as in the newest set)");
  metrics
      ->add_option("--expected-interval-seconds",
                   command.expected_interval_seconds,
                   "How often a backup is expected; an alert compares with it")
      ->check(CLI::Range(1, 31536000));
}

void add_small_commands(CLI::App& app, Raw& raw) {
  CLI::App* list = app.add_subcommand("list", "List the backup sets, the newest first");
  list->footer(k_list_footer);
  add_remote(*list, raw.list.remote);
  CLI::App* show = app.add_subcommand("show", "Show one set: files, what is missing and why");
  show->footer(k_show_footer);
  show->add_option("SET", raw.show.set, "Run id, or latest")->required();

  CLI::App* verify = app.add_subcommand("verify", "Check that a set can be restored from");
  verify->footer(k_verify_footer);
  verify->add_option("SET", raw.verify.set, "Run id, or latest")->capture_default_str();
  verify->add_flag("--all", raw.verify.all, "All sets");
  verify->add_flag("--record",
                   raw.verify.record,
                   "With --all: leave the outcome in .last-verify and backup.log, for status,\n"
                   "metrics and notices");
  verify->add_flag("--allow-unsigned", raw.verify.allow_unsigned, k_allow_unsigned);
  add_identity(*verify, raw.verify.identity_files, "File with private age keys");

  CLI::App* decrypt = app.add_subcommand("decrypt", "Decrypt one file");
  decrypt->footer(k_decrypt_footer);
  add_identity(*decrypt, raw.decrypt.identity_files, k_found_identity);
  decrypt->add_option("-o,--out", raw.decrypt.out, "The decrypted file, or - for a pipe")
      ->required();
  decrypt->add_flag("--force", raw.decrypt.force, "Replace OUT where it exists");
  decrypt->add_option("FILE", raw.decrypt.file, "The encrypted file, or - for standard input")
      ->required();
}

void add_commands(CLI::App& app, Raw& raw) {
  add_small_commands(app, raw);
  add_fetch(app, raw.fetch);
  add_restore(app, raw.restore);
  add_rejoin(app, raw.rejoin);
  add_drill(app, raw.drill);
  add_rewrap(app, raw.rewrap);
  add_metrics(app, raw.metrics);
  const auto take = [&](const char* name, auto& command) {
    app.get_subcommand(name)->final_callback(
        [&raw, &command] { raw.options.command = std::move(command); });
  };
  take("list", raw.list);
  take("show", raw.show);
  take("verify", raw.verify);
  take("decrypt", raw.decrypt);
  take("fetch", raw.fetch);
  take("restore", raw.restore);
  take("rejoin", raw.rejoin);
  take("drill", raw.drill);
  take("rewrap", raw.rewrap);
  take("metrics", raw.metrics);
}

/// It goes into commands that are typed elsewhere, and into the journal of a restore.
std::string from_root(const std::string& path) {
  std::error_code unknown;
  std::string whole = path.empty() || path.front() == '/'
                          ? path
                          : std::filesystem::absolute(path, unknown).lexically_normal().string();
  while (whole.size() > 1 && whole.back() == '/') {
    whole.pop_back();
  }
  return unknown ? path : whole;
}

Result<Options> finish(const CLI::App& app, Raw& raw) {
  if (raw.output != "text" && raw.output != "json") {
    return Error{ErrorCode::invalid_argument,
                 "--output: '" + raw.output + "' is not a form of output",
                 "choose text or json"};
  }
  raw.options.backup_dir_given = app.count("--backup-dir") > 0;
  raw.options.backup_dir = from_root(raw.options.backup_dir);
  raw.options.output = raw.output == "json" ? OutputFormat::json : OutputFormat::text;
  const auto* const verify = std::get_if<VerifyCommand>(&raw.options.command);
  if (verify != nullptr && verify->all && app.get_subcommand("verify")->count("SET") > 0) {
    return Error{ErrorCode::invalid_argument, "verify: give a SET or --all, not both", {}};
  }
  if (verify != nullptr && verify->record && !verify->all) {
    return Error{
        ErrorCode::invalid_argument, "verify: --record is for the check of all sets", "add --all"};
  }
  auto* const restore = std::get_if<RestoreCommand>(&raw.options.command);
  if (restore != nullptr) {
    RB_TRY(finish_restore(*restore));
  }
  if (auto* const rejoin = std::get_if<RejoinCommand>(&raw.options.command)) {
    RB_TRY(finish_rejoin(*rejoin));
  }
  if (const auto* const rewrap = std::get_if<RewrapCommand>(&raw.options.command)) {
    RB_TRY(finish_rewrap(*rewrap));
  }
  return std::move(raw.options);
}

} // namespace

void add_identity(CLI::App& command, std::vector<std::string>& files, const char* help) {
  command.add_option("-i,--identity", files, help)->allow_extra_args(false);
}

Result<Options> parse_options(std::span<const std::string> args, const Io& io) {
  Raw raw;
  raw.options.backup_dir = io.default_backup_dir;
  CLI::App app("Backup sets on this disk: list, check and open them. No cluster is needed.",
               "railiance-restore");
  app.footer(k_footer);
  app.set_version_flag("--version", version_line("railiance-restore"));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--backup-dir", raw.options.backup_dir, "Where the sets are")
      ->capture_default_str();
  app.add_option("--output", raw.output, "text or json")->capture_default_str();
  app.add_option("--public-key",
                 raw.options.public_keys,
                 "Take only sets signed by this key: a file, or the key (RW...)")
      ->allow_extra_args(false);
  add_commands(app, raw);
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    raw.options.command = PrintCommand{help_of(app) + "\n"};
    return std::move(raw.options);
  } catch (const CLI::CallForVersion&) {
    raw.options.command = PrintCommand{app.version() + "\n"};
    return std::move(raw.options);
  } catch (const CLI::Error& error) {
    return usage_error(error.what(), app.remaining(), "railiance-restore", k_commands);
  }
  return finish(app, raw);
}

} // namespace rb::restore
