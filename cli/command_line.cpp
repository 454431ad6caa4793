#include "cli/commands.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"

#include "base/version.hpp"
#include "kube/resource.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>

namespace rb::cli {

namespace {

constexpr std::string_view k_commands =
    "create, status, guard, list, show, recipients, notify-test, install, uninstall or completion";

/// Of the plugin: `create --wait`, as `make backup`.
constexpr const char* k_plugin_backup = "backup";

constexpr const char* k_footer = R"(Exit codes:
  0  done                          5  no identity opens the file
  1  failed                        6  damaged or tampered with
  2  usage                         7  busy: another run has the host
  3  incomplete, something missing 8  the cluster or the agent can't be reached
  4  nothing to restore            9  a deadline passed
  130, 143  stopped waiting (Ctrl-C, SIGTERM); the backup goes on

The cluster is found by --kubeconfig, $KUBECONFIG, ~/.kube/config-hosteurope,
/etc/rancher/k3s/k3s.yaml, ~/.kube/config, or the pod's service account.)";

constexpr const char* k_status_footer = R"(Examples:
  railiance-backup status
  railiance-backup status --output json | jq .reason
  railiance-backup status >/dev/null || echo "no current backup: exit code $?"

Exit codes:
  0  current: a complete backup is young enough, and the last attempt went well
  1  the last attempt failed             4  there is no backup
  3  the last attempt was incomplete     9  the newest backup is too old
  8  it cannot be proven either way, or the cluster cannot be asked

It is judged now, by what each agent last said of its disk (BackupStatus/cluster) and by
the ClusterBackups that there are. What is older than five minutes proves nothing.
NO_COLOR turns colours off.)";

constexpr const char* k_recipients_footer = R"(Examples:
  railiance-backup recipients .sops.yaml
  railiance-backup recipients .sops.yaml --output json | jq -r .recipients[]

The creation rule is chosen as SOPS chooses one for a file named railiance-backup.yaml: the first
whose path_regex matches. To give the backups other recipients, put a rule of their own before
it, with path_regex: ^railiance-backup\.yaml$)";

/// What CLI11 fills in; turned into Options when it is done.
struct Raw {
  Options options;
  CreateCommand create;
  ShowCommand show;
  GuardCommand guard;
  RecipientsCommand recipients;
  InstallCommand install;
  UninstallCommand uninstall;
  CompletionCommand completion;
  std::string output = "text";
  std::vector<std::string> artifacts;
  std::string deadline = "1h";
  std::string ttl;
  std::string timeout;
  std::string install_timeout = "3m";
  std::string uninstall_timeout = "2m";
  std::string verification = "snapshot";
  std::string max_age = "24h";
  std::string required = "proven";
  std::string servers = "all";
};

std::string plain(std::string_view word) {
  std::string text(word);
  std::erase_if(text, [](char c) { return c == '-' || c == '_'; });
  std::ranges::transform(
      text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Result<api::ArtifactType> artifact_named(const std::string& word) {
  for (const api::ArtifactType type : api::k_all_artifacts) {
    if (plain(api::to_string(type)) == plain(word)) {
      return type;
    }
  }
  if (plain(api::stored_word(api::ArtifactType::datastore, api::DatastoreKind::etcd)) ==
      plain(word)) {
    return api::ArtifactType::datastore;
  }
  return Error{ErrorCode::invalid_argument,
               "--artifacts: '" + word + "' is not an artifact",
               "choose from Datastore, HelmValues, Kubeconfig, HostState"};
}

Result<api::Verification> verification_named(const std::string& word) {
  for (const auto verification : {api::Verification::snapshot, api::Verification::boot}) {
    if (plain(api::to_string(verification)) == plain(word)) {
      return verification;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "--verification: '" + word + "' is no way to verify",
               "choose snapshot or boot"};
}

Result<api::Servers> servers_named(const std::string& word) {
  for (const auto servers : {api::Servers::all, api::Servers::one}) {
    if (plain(api::to_string(servers)) == plain(word)) {
      return servers;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "--servers: '" + word + "' is neither all nor one",
               "choose all or one"};
}

void add_create(CLI::App& app, Raw& raw, const char* name, const char* description) {
  CLI::App* create = app.add_subcommand(name, description);
  create->add_option("NAME", raw.create.name, "Name of the ClusterBackup (default: manual-<time>)");
  create->add_flag(
      "-w,--wait", raw.create.wait, "Wait for the end of the run and print its result");
  create->add_flag("--attach",
                   raw.create.attach,
                   "If there is a ClusterBackup of that name already, take it instead of failing");
  create->add_option("--request-id",
                     raw.create.request_id,
                     "The ClusterBackup made for it before is taken; other names get a number");
  create->add_option("--artifacts", raw.artifacts, "Only these, separated by commas (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false);
  create
      ->add_option(
          "--keep-last",
          raw.create.keep_last,
          "Complete sets of this kind that stay on the disk (default: schedule.keepLast of "
          "the chart)")
      ->check(CLI::Range(1, 1000));
  create->add_flag("--scheduled",
                   raw.create.scheduled,
                   "A schedule asks: its sets count for themselves, apart from those asked for by "
                   "hand");
  create->add_option("--deadline", raw.deadline, "The run fails when it takes longer")
      ->capture_default_str();
  create->add_option("--node", raw.create.node, "The server node that makes the backup");
  create
      ->add_option("--servers",
                   raw.servers,
                   "all: on every server with a voting etcd member; one: on one of them")
      ->capture_default_str();
  create
      ->add_option("--verification",
                   raw.verification,
                   "snapshot: digests and structure; boot: also boot a scratch server from it")
      ->capture_default_str();
  create->add_option("--ttl", raw.ttl, "Remove the ClusterBackup (never the files) so long after");
  create->add_option("--timeout", raw.timeout, "Stop waiting after so long; the run goes on");
}

void add_guard(CLI::App& app, Raw& raw) {
  CLI::App* guard = app.add_subcommand("guard", "Before an upgrade: is there a way back?");
  guard->footer(k_guard_footer);
  guard->add_option("--for", raw.guard.rules.target, "The k3s that is to be installed")
      ->envname("SYSTEM_UPGRADE_PLAN_LATEST_VERSION")
      ->required();
  guard->add_option("--max-age", raw.max_age, "How old the newest complete set may be")
      ->capture_default_str();
  guard
      ->add_option("--require",
                   raw.required,
                   "verified: as each set is; boot: a server was booted from it; drill: a drill "
                   "passed; proven: one of these two")
      ->capture_default_str();
  guard->add_option("--servers", raw.servers, "all, or one: the set of one server will do")
      ->capture_default_str();
  guard->add_flag("--backup", raw.guard.backup, "Make a backup first where no set will do");
}

void add_install(CLI::App& app, Raw& raw) {
  InstallCommand& command = raw.install;
  CLI::App* install = app.add_subcommand("install", "Install it on this k3s server");
  install->footer(k_install_footer);
  install->add_option(
      "--sops", command.sops, "Who reads the backups (default: as it is, first .sops.yaml)");
  install->add_option(
      "--backup-dir",
      command.backup_dir,
      "Where the backups go (default: as it is, first /opt/backup/railiance/cluster)");
  install
      ->add_option("--keep-last",
                   command.keep_last,
                   "Complete sets that stay on the disk (default: as it is, first 7)")
      ->check(CLI::Range(1, 1000));
  install->add_option(
      "--schedule", command.schedule, "When, as cron (default: as it is, first 0 2 * * *)");
  install->add_option(
      "--time-zone", command.time_zone, "Of the schedule (default: as it is, first Etc/UTC)");
  install->add_option("--from", command.from, "The package's directory (default: where it is)");
  install->add_option("--k3s", command.k3s, "The program k3s (default: as its service has it)");
  install->add_flag("--dry-run", command.dry_run, "Say what would be done, and do nothing");
  install->add_flag("--print", command.print, "Print the manifests, and do nothing");
  install->add_option("--timeout", raw.install_timeout, "Stop waiting after so long; k3s goes on")
      ->capture_default_str();
}

void add_uninstall(CLI::App& app, Raw& raw) {
  CLI::App* uninstall =
      app.add_subcommand("uninstall", "Take it back from this k3s server; the sets stay");
  uninstall->footer(k_uninstall_footer);
  uninstall->add_option("--from", raw.uninstall.from, "The package's directory");
  uninstall->add_option("--k3s", raw.uninstall.k3s, "The program k3s");
  uninstall->add_option("--timeout", raw.uninstall_timeout, "Stop waiting after so long")
      ->capture_default_str();
}

Status check_create(Raw& raw) {
  CreateCommand& create = raw.create;
  for (const std::string& word : raw.artifacts) {
    RB_TRY_ASSIGN(const api::ArtifactType type, artifact_named(word));
    if (std::find(create.artifacts.begin(), create.artifacts.end(), type) ==
        create.artifacts.end()) {
      create.artifacts.push_back(type);
    }
  }
  RB_TRY_ASSIGN(create.deadline, parse_duration(raw.deadline));
  if (create.deadline < std::chrono::seconds(1) || create.deadline > std::chrono::hours(24)) {
    return Error{ErrorCode::invalid_argument, "--deadline must be between 1s and 24h", {}};
  }
  RB_TRY_ASSIGN(create.servers, servers_named(raw.servers));
  RB_TRY_ASSIGN(create.verification, verification_named(raw.verification));
  if (create.verification == api::Verification::boot && !create.artifacts.empty() &&
      std::find(create.artifacts.begin(), create.artifacts.end(), api::ArtifactType::datastore) ==
          create.artifacts.end()) {
    return Error{ErrorCode::invalid_argument,
                 "--verification boot needs Datastore among the artifacts",
                 "add it to --artifacts, or leave that out"};
  }
  if (!raw.ttl.empty()) {
    RB_TRY_ASSIGN(create.ttl, parse_duration(raw.ttl));
    if (*create.ttl > std::chrono::hours(365 * 24)) {
      return Error{ErrorCode::invalid_argument, "--ttl must not be longer than 365d", {}};
    }
  }
  if (!raw.timeout.empty()) {
    RB_TRY_ASSIGN(create.timeout, parse_duration(raw.timeout));
  }
  if (create.attach && create.name.empty()) {
    return Error{ErrorCode::invalid_argument, "--attach needs a NAME", {}};
  }
  if (!create.request_id.empty() && (create.name.empty() || create.attach)) {
    return Error{ErrorCode::invalid_argument,
                 create.attach ? "--request-id and --attach exclude each other"
                               : "--request-id needs a NAME",
                 {}};
  }
  return create.name.empty() ? Status{} : kube::check_name(create.name);
}

Status check_guard(Raw& raw) {
  status::GuardRules& rules = raw.guard.rules;
  const auto wrong = [](const char* option, const std::string& word, std::string hint) {
    return Error{ErrorCode::invalid_argument,
                 std::string(option) + ": '" + word + "' cannot be meant",
                 std::move(hint)};
  };
  if (!k3s::parse_release(rules.target)) {
    return wrong("--for", rules.target, "a release of k3s, such as v1.35.1+k3s1");
  }
  RB_TRY_ASSIGN(rules.max_age, parse_duration(raw.max_age));
  const auto required = from_word<status::Proof>(raw.required);
  if (!required) {
    return wrong("--require", raw.required, "choose verified, proven, drill or boot");
  }
  rules.required = *required;
  rules.one_server = raw.servers == "one";
  return rules.one_server || raw.servers == "all"
             ? Status{}
             : wrong("--servers", raw.servers, "choose all or one");
}

bool is_plugin(const CLI::App& app) {
  return app.get_name() == k_plugin;
}

Status take_output(Raw& raw, bool is_list) {
  if (raw.output == "json") {
    raw.options.output = OutputFormat::json;
  } else if (raw.output == "name" && is_list) {
    raw.options.output = OutputFormat::name;
  } else if (raw.output != "text") {
    return Error{ErrorCode::invalid_argument,
                 "--output: '" + raw.output + "' is not a form of output",
                 is_list ? "choose text, json or name" : "choose text or json"};
  }
  return {};
}

Result<Options> finish(const CLI::App& app, Raw& raw) {
  RB_TRY(take_output(raw, app.got_subcommand("list")));
  const bool as_plugin = is_plugin(app) && app.got_subcommand(k_plugin_backup);
  if (as_plugin || app.got_subcommand("create")) {
    raw.create.wait = raw.create.wait || as_plugin;
    RB_TRY(check_create(raw));
    raw.options.command = std::move(raw.create);
  } else if (app.got_subcommand("show")) {
    RB_TRY(kube::check_name(raw.show.name));
    raw.options.command = std::move(raw.show);
  } else if (app.got_subcommand("guard")) {
    RB_TRY(check_guard(raw));
    raw.options.command = std::move(raw.guard);
  } else if (app.got_subcommand("recipients")) {
    raw.options.command = std::move(raw.recipients);
  } else if (app.got_subcommand("install")) {
    RB_TRY_ASSIGN(raw.install.timeout, parse_duration(raw.install_timeout));
    raw.options.command = std::move(raw.install);
  } else if (app.got_subcommand("uninstall")) {
    RB_TRY_ASSIGN(raw.uninstall.timeout, parse_duration(raw.uninstall_timeout));
    raw.options.command = std::move(raw.uninstall);
  } else if (app.got_subcommand("status")) {
    raw.options.command = StatusCommand{};
  } else if (app.got_subcommand("notify-test")) {
    raw.options.command = NotifyTestCommand{};
  } else if (app.got_subcommand("completion")) {
    raw.options.command = std::move(raw.completion);
  } else {
    raw.options.command = ListCommand{};
  }
  return std::move(raw.options);
}

/// The whole command line; what it finds goes into `raw`, which outlives `app`.
void build(CLI::App& app, Raw& raw) {
  app.footer(k_footer);
  app.set_version_flag("--version", version_line("railiance-backup"));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--kubeconfig", raw.options.cluster.kubeconfig, "The kubeconfig to use");
  app.add_option(
      "--context", raw.options.cluster.context, "Its context (default: the current one)");
  app.add_option("-o,--output", raw.output, "text or json (list: also name)")
      ->capture_default_str();
  if (is_plugin(app)) {
    add_create(app, raw, k_plugin_backup, "Back up the cluster now, and wait for the result");
  }
  add_create(app, raw, "create", "Ask for a backup of the cluster");
  app.add_subcommand("status", "One look: is there a current backup, and is all well?")
      ->footer(k_status_footer);
  add_guard(app, raw);
  app.add_subcommand("list", "List the ClusterBackups, the newest first");
  app.add_subcommand("show", "Show one ClusterBackup: result, files, what is missing and why")
      ->add_option("NAME", raw.show.name, "Name of the ClusterBackup")
      ->required();
  CLI::App* recipients =
      app.add_subcommand("recipients", "Say who can read the backups by a .sops.yaml");
  recipients->footer(k_recipients_footer);
  recipients->add_option("FILE", raw.recipients.file, "The .sops.yaml")->required();
  app.add_subcommand("notify-test", "Send a test message to each receiver of notices");
  add_install(app, raw);
  add_uninstall(app, raw);
  app.add_subcommand("completion", "Print a completion script for a shell")
      ->add_option("SHELL", raw.completion.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

constexpr const char* k_about =
    "Backups of a k3s cluster: ask for one, follow it, look at its result.\n"
    "The files are on the server; there, use railiance-restore.";

/// A help text with its examples as they are typed for the plugin.
std::string as_called(std::string text, std::string_view program) {
  const std::string own = std::string(k_program) + " ";
  if (program == k_program) {
    return text;
  }
  const std::string typed = std::string(program) + " ";
  for (std::size_t at = text.find(own); at != std::string::npos;
       at = text.find(own, at + typed.size())) {
    text.replace(at, own.size(), typed);
  }
  return text;
}

} // namespace

Result<Options> parse_options(std::span<const std::string> args, std::string_view program) {
  Raw raw;
  CLI::App app(k_about, std::string(program));
  build(app, raw);
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    raw.options.command = PrintCommand{as_called(app.help(), program)};
    return std::move(raw.options);
  } catch (const CLI::CallForAllHelp&) {
    raw.options.command = PrintCommand{as_called(app.help("", CLI::AppFormatMode::All), program)};
    return std::move(raw.options);
  } catch (const CLI::CallForVersion&) {
    raw.options.command = PrintCommand{app.version() + "\n"};
    return std::move(raw.options);
  } catch (const CLI::Error& error) {
    return usage_error(error.what(), app.remaining(), std::string(program), k_commands);
  }
  return finish(app, raw);
}

std::vector<std::string> plugin_words(std::span<const std::string> args) {
  Raw raw;
  CLI::App app(k_about, std::string(k_plugin));
  build(app, raw);
  const std::string typed = args.empty() ? std::string() : args.back();
  const auto known = static_cast<const CLI::App&>(app).get_subcommands({});
  const CLI::App* command = nullptr;
  for (const std::string& word : args.first(args.empty() ? 0 : args.size() - 1)) {
    const auto found =
        std::ranges::find(known, word, [](const CLI::App* each) { return each->get_name(); });
    command = command == nullptr && found != known.end() ? *found : command;
  }
  std::vector<std::string> words;
  const auto offer = [&](const std::string& word, const std::string& what) {
    if (word.starts_with(typed)) {
      words.push_back(word + "\t" + what);
    }
  };
  if (typed.starts_with('-')) {
    for (const CLI::App* source : {command, static_cast<const CLI::App*>(&app)}) {
      for (const CLI::Option* option :
           source == nullptr ? std::vector<const CLI::Option*>() : source->get_options()) {
        if (!option->get_lnames().empty()) {
          offer("--" + option->get_lnames().front(), option->get_description());
        }
      }
    }
  } else if (command == nullptr) {
    for (const CLI::App* each : known) {
      offer(each->get_name(), each->get_description());
    }
  }
  return words;
}

} // namespace rb::cli
