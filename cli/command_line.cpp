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
    "create, status, list, show, recipients, notify-test or completion";

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
  8  it cannot be proven either way, or the cluster cannot be reached

It shows what the controller and the agents last wrote into BackupStatus/cluster. What
is older than five minutes proves nothing. NO_COLOR turns colours off.)";

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
  RecipientsCommand recipients;
  CompletionCommand completion;
  std::string output = "text";
  std::vector<std::string> artifacts;
  std::string deadline = "1h";
  std::string ttl;
  std::string timeout;
  std::string verification = "snapshot";
};

std::string plain(std::string_view word) {
  std::string text;
  for (const char c : word) {
    if (c != '-' && c != '_') {
      text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
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

void add_create(CLI::App& app, Raw& raw) {
  CLI::App* create = app.add_subcommand("create", "Ask for a backup of the cluster");
  create->add_option("NAME", raw.create.name, "Name of the ClusterBackup (default: manual-<time>)");
  create->add_flag(
      "-w,--wait", raw.create.wait, "Wait for the end of the run and print its result");
  create->add_flag("--attach",
                   raw.create.attach,
                   "If there is a ClusterBackup of that name already, take it instead of failing");
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
      ->add_option("--verification",
                   raw.verification,
                   "snapshot: digests and structure; boot: also boot a scratch server from it")
      ->capture_default_str();
  create->add_option("--ttl", raw.ttl, "Remove the ClusterBackup (never the files) so long after");
  create->add_option("--timeout", raw.timeout, "Stop waiting after so long; the run goes on");
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
  return create.name.empty() ? Status{} : kube::check_name(create.name);
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
  if (app.got_subcommand("create")) {
    RB_TRY(check_create(raw));
    raw.options.command = std::move(raw.create);
  } else if (app.got_subcommand("show")) {
    RB_TRY(kube::check_name(raw.show.name));
    raw.options.command = std::move(raw.show);
  } else if (app.got_subcommand("recipients")) {
    raw.options.command = std::move(raw.recipients);
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

constexpr const char* k_bash = R"sh(# bash completion of railiance-backup; for example in ~/.bashrc:
#   source <(railiance-backup completion bash)
_railiance_backup() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in create|status|list|show|recipients|notify-test|completion) command=${COMP_WORDS[i]}; break ;; esac
  done
  local common='--kubeconfig --context --output --help'
  case $before in
    --kubeconfig) COMPREPLY=($(compgen -f -- "$word")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
    --verification) COMPREPLY=($(compgen -W 'snapshot boot' -- "$word")); return ;;
    --artifacts) COMPREPLY=($(compgen -W 'Datastore HelmValues Kubeconfig HostState' -- "$word")); return ;;
  esac
  case $command in
    create) COMPREPLY=($(compgen -W "--wait --attach --artifacts --keep-last --scheduled --deadline --node --verification --ttl --timeout $common" -- "$word")) ;;
    show) COMPREPLY=($(compgen -W "$(railiance-backup list --output name 2>/dev/null) $common" -- "$word")) ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")) ;;
    list|status|notify-test) COMPREPLY=($(compgen -W "$common" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "create status list show recipients notify-test completion --version $common" -- "$word")) ;;
  esac
}
complete -F _railiance_backup railiance-backup
)sh";

constexpr const char* k_zsh = R"sh(#compdef railiance-backup
# zsh completion of railiance-backup; for example in ~/.zshrc:
#   source <(railiance-backup completion zsh)
_railiance_backup() {
  local -a common
  common=('--kubeconfig[the kubeconfig to use]:file:_files' '--context[its context]:context:'
          '(-o --output)'{-o,--output}'[form of output]:form:(text json)' '--help[show the help]')
  if (( CURRENT == 2 )); then
    _values command 'create[ask for a backup]' 'status[is there a current backup]' 'list[list the backups]' 'show[show one backup]' \
      'notify-test[send a test message to who is told]' \
      'completion[print a completion script]'
    return
  fi
  case $words[2] in
    create) _arguments $common '(-w --wait)'{-w,--wait}'[wait for the end]' '--attach[take one that is there]' \
      '--artifacts[only these]:artifact:_values -s , artifact Datastore HelmValues Kubeconfig HostState' \
      '--keep-last[sets that stay]:number:' '--deadline[the run fails after]:duration:' \
      '--node[the server node]:node:' '--verification[how far to verify]:kind:(snapshot boot)' \
      '--ttl[remove the object after]:duration:' \
      '--timeout[stop waiting after]:duration:' ;;
    show) _arguments $common "*:name:($(railiance-backup list --output name 2>/dev/null))" ;;
    completion) _arguments '*:shell:(bash zsh fish)' ;;
    *) _arguments $common ;;
  esac
}
compdef _railiance_backup railiance-backup
)sh";

constexpr const char* k_fish = R"sh(# fish completion of railiance-backup; for example:
#   railiance-backup completion fish > ~/.config/fish/completions/railiance-backup.fish
complete -c railiance-backup -f
complete -c railiance-backup -n __fish_use_subcommand -a create -d 'ask for a backup'
complete -c railiance-backup -n __fish_use_subcommand -a status -d 'is there a current backup'
complete -c railiance-backup -n __fish_use_subcommand -a list -d 'list the backups'
complete -c railiance-backup -n __fish_use_subcommand -a show -d 'show one backup'
complete -c railiance-backup -n __fish_use_subcommand -a notify-test -d 'send a test message to who is told'
complete -c railiance-backup -n __fish_use_subcommand -a completion -d 'print a completion script'
complete -c railiance-backup -l kubeconfig -r -F -d 'the kubeconfig to use'
complete -c railiance-backup -l context -x -d 'its context'
complete -c railiance-backup -s o -l output -x -a 'text json' -d 'form of output'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -s w -l wait -d 'wait for the end'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l attach -d 'take one that is there'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l artifacts -x -a 'Datastore HelmValues Kubeconfig HostState'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l keep-last -x -d 'sets that stay'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l deadline -x -d 'the run fails after'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l node -x -d 'the server node'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l verification -x -a 'snapshot boot' -d 'how far to verify'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l ttl -x -d 'remove the object after'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l timeout -x -d 'stop waiting after'
complete -c railiance-backup -n '__fish_seen_subcommand_from show' -a '(railiance-backup list --output name 2>/dev/null)'
complete -c railiance-backup -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
)sh";

} // namespace

Result<Options> parse_options(std::span<const std::string> args) {
  Raw raw;
  CLI::App app("Backups of a k3s cluster: ask for one, follow it, look at its result.\n"
               "The files are on the server; there, use railiance-restore.",
               "railiance-backup");
  app.footer(k_footer);
  app.set_version_flag("--version", version_line("railiance-backup"));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--kubeconfig", raw.options.cluster.kubeconfig, "The kubeconfig to use");
  app.add_option(
      "--context", raw.options.cluster.context, "Its context (default: the current one)");
  app.add_option("-o,--output", raw.output, "text or json (list: also name)")
      ->capture_default_str();
  add_create(app, raw);
  app.add_subcommand("status", "One look: is there a current backup, and is all well?")
      ->footer(k_status_footer);
  app.add_subcommand("list", "List the ClusterBackups, the newest first");
  app.add_subcommand("show", "Show one ClusterBackup: result, files, what is missing and why")
      ->add_option("NAME", raw.show.name, "Name of the ClusterBackup")
      ->required();
  CLI::App* recipients =
      app.add_subcommand("recipients", "Say who can read the backups by a .sops.yaml");
  recipients->footer(k_recipients_footer);
  recipients->add_option("FILE", raw.recipients.file, "The .sops.yaml")->required();
  app.add_subcommand("notify-test", "Send a test message to each receiver of notices");
  app.add_subcommand("completion", "Print a completion script for a shell")
      ->add_option("SHELL", raw.completion.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  try {
    app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
  } catch (const CLI::CallForHelp&) {
    raw.options.command = PrintCommand{app.help()};
    return std::move(raw.options);
  } catch (const CLI::CallForAllHelp&) {
    raw.options.command = PrintCommand{app.help("", CLI::AppFormatMode::All)};
    return std::move(raw.options);
  } catch (const CLI::CallForVersion&) {
    raw.options.command = PrintCommand{app.version() + "\n"};
    return std::move(raw.options);
  } catch (const CLI::Error& error) {
    return usage_error(error.what(), app.remaining(), "railiance-backup", k_commands);
  }
  return finish(app, raw);
}

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") {
    return k_zsh;
  }
  return shell == "fish" ? k_fish : k_bash;
}

} // namespace rb::cli
