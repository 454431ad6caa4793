// Completion: the scripts for shells, and what kubectl asks a plugin for.
#include "cli/commands.hpp"
#include "terminal/terminal_text.hpp"

#include "base/json_member.hpp"
#include "kube/resource.hpp"

namespace rb::cli {

namespace {

constexpr const char* k_bash = R"sh(# bash completion of railiance-backup; for example in ~/.bashrc:
#   source <(railiance-backup completion bash)
_railiance_backup() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in create|status|guard|list|show|recipients|notify-test|install|uninstall|completion) command=${COMP_WORDS[i]}; break ;; esac
  done
  local common='--kubeconfig --context --output --help'
  case $before in
    --kubeconfig|--sops|--from|--k3s) COMPREPLY=($(compgen -f -- "$word")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
    --servers) COMPREPLY=($(compgen -W 'all one' -- "$word")); return ;;
    --verification) COMPREPLY=($(compgen -W 'snapshot boot' -- "$word")); return ;;
    --require) COMPREPLY=($(compgen -W 'verified proven drill boot' -- "$word")); return ;;
    --artifacts) COMPREPLY=($(compgen -W 'Datastore HelmValues Kubeconfig HostState' -- "$word")); return ;;
  esac
  case $command in
    create) COMPREPLY=($(compgen -W "--wait --attach --request-id --artifacts --keep-last --scheduled --deadline --node --servers --verification --ttl --timeout $common" -- "$word")) ;;
    guard) COMPREPLY=($(compgen -W "--for --max-age --require --servers --backup $common" -- "$word")) ;;
    show) COMPREPLY=($(compgen -W "$(railiance-backup list --output name 2>/dev/null) $common" -- "$word")) ;;
    install) COMPREPLY=($(compgen -W "--sops --backup-dir --keep-last --schedule --time-zone --from --k3s --dry-run --print --timeout $common" -- "$word")) ;;
    uninstall) COMPREPLY=($(compgen -W "--from --k3s --timeout $common" -- "$word")) ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh fish' -- "$word")) ;;
    list|status|notify-test) COMPREPLY=($(compgen -W "$common" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "create status guard list show recipients notify-test install uninstall completion --version $common" -- "$word")) ;;
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
    _values command 'create[ask for a backup]' 'status[is there a current backup]' 'guard[is there a way back from an upgrade]' 'list[list the backups]' 'show[show one backup]' \
      'recipients[say who can read the backups]' 'notify-test[send a test message to who is told]' \
      'install[install it on this k3s server]' 'uninstall[take it back from this k3s server]' 'completion[print a completion script]'
    return
  fi
  case $words[2] in
    create) _arguments $common '(-w --wait)'{-w,--wait}'[wait for the end]' '--attach[take one that is there]' '--request-id[asked again, take the same]:id' \
      '--artifacts[only these]:artifact:_values -s , artifact Datastore HelmValues Kubeconfig HostState' \
      '--keep-last[sets that stay]:number:' '--scheduled[as a schedule asks]' '--deadline[the run fails after]:duration:' \
      '--node[the server node]:node:' '--servers[where it is made]:servers:(all one)' '--verification[how far to verify]:kind:(snapshot boot)' \
      '--ttl[remove the object after]:duration:' \
      '--timeout[stop waiting after]:duration:' ;;
    guard) _arguments $common '--for[the k3s to be installed]:version:' '--max-age[how old a set may be]:duration:' \
      '--require[what must be shown]:proof:(verified proven drill boot)' '--servers[which must have one]:servers:(all one)' \
      '--backup[make one first]' ;;
    install) _arguments $common '--sops[the .sops.yaml]:file:_files' '--backup-dir[where the backups go]:directory:_files -/' \
      '--keep-last[sets that stay]:number:' '--schedule[when, as cron]:cron:' '--time-zone[of the schedule]:zone:' \
      '--from[the directory of the package]:directory:_files -/' '--k3s[the program k3s]:file:_files' \
      '--dry-run[say what would be done]' '--print[print the manifests]' '--timeout[stop waiting after]:duration:' ;;
    uninstall) _arguments $common '--from[the directory of the package]:directory:_files -/' '--k3s[the program k3s]:file:_files' \
      '--timeout[stop waiting after]:duration:' ;;
    recipients) _arguments $common '*:file:_files' ;;
    show) _arguments $common "*:name:($(railiance-backup list --output name 2>/dev/null))" ;;
    completion) _arguments '*:shell:(bash zsh fish)' ;;
    *) _arguments $common ;;
  esac
}
compdef _railiance_backup railiance-backup
# As a file of $fpath this text is the function that zsh calls for the first completion.
if [[ $funcstack[1] == _railiance-backup ]]; then
  _railiance_backup "$@"
fi
)sh";

constexpr const char* k_fish = R"sh(# fish completion of railiance-backup; for example:
#   railiance-backup completion fish > ~/.config/fish/completions/railiance-backup.fish
complete -c railiance-backup -f
complete -c railiance-backup -n __fish_use_subcommand -a create -d 'ask for a backup'
complete -c railiance-backup -n __fish_use_subcommand -a status -d 'is there a current backup'
complete -c railiance-backup -n __fish_use_subcommand -a guard -d 'is there a way back from an upgrade'
complete -c railiance-backup -n __fish_use_subcommand -a list -d 'list the backups'
complete -c railiance-backup -n __fish_use_subcommand -a show -d 'show one backup'
complete -c railiance-backup -n __fish_use_subcommand -a recipients -d 'say who can read the backups'
complete -c railiance-backup -n __fish_use_subcommand -a notify-test -d 'send a test message to who is told'
complete -c railiance-backup -n __fish_use_subcommand -a install -d 'install it on this k3s server'
complete -c railiance-backup -n __fish_use_subcommand -a uninstall -d 'take it back from this k3s server'
complete -c railiance-backup -n __fish_use_subcommand -a completion -d 'print a completion script'
complete -c railiance-backup -l kubeconfig -r -F -d 'the kubeconfig to use'
complete -c railiance-backup -l context -x -d 'its context'
complete -c railiance-backup -s o -l output -x -a 'text json' -d 'form of output'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -s w -l wait -d 'wait for the end'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l attach -d 'take one that is there'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l request-id -x -d 'asked again, take the same'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l artifacts -x -a 'Datastore HelmValues Kubeconfig HostState'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l keep-last -x -d 'sets that stay'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l scheduled -d 'as a schedule asks'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l deadline -x -d 'the run fails after'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l node -x -d 'the server node'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l servers -x -a 'all one' -d 'where it is made'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l verification -x -a 'snapshot boot' -d 'how far to verify'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l ttl -x -d 'remove the object after'
complete -c railiance-backup -n '__fish_seen_subcommand_from create' -l timeout -x -d 'stop waiting after'
complete -c railiance-backup -n '__fish_seen_subcommand_from guard' -l for -x -d 'the k3s to be installed'
complete -c railiance-backup -n '__fish_seen_subcommand_from guard' -l max-age -x -d 'how old a set may be'
complete -c railiance-backup -n '__fish_seen_subcommand_from guard' -l require -x -a 'verified proven drill boot' -d 'what must be shown'
complete -c railiance-backup -n '__fish_seen_subcommand_from guard' -l servers -x -a 'all one' -d 'which must have one'
complete -c railiance-backup -n '__fish_seen_subcommand_from guard' -l backup -d 'make one first'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l sops -r -F -d 'the .sops.yaml'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l backup-dir -x -d 'where the backups go'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l keep-last -x -d 'sets that stay'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l schedule -x -d 'when, as cron'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l time-zone -x -d 'of the schedule'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l dry-run -d 'say what would be done'
complete -c railiance-backup -n '__fish_seen_subcommand_from install' -l print -d 'print the manifests'
complete -c railiance-backup -n '__fish_seen_subcommand_from install uninstall' -l from -r -F -d 'the directory of the package'
complete -c railiance-backup -n '__fish_seen_subcommand_from install uninstall' -l k3s -r -F -d 'the program k3s'
complete -c railiance-backup -n '__fish_seen_subcommand_from install uninstall' -l timeout -x -d 'stop waiting after'
complete -c railiance-backup -n '__fish_seen_subcommand_from recipients' -F
complete -c railiance-backup -n '__fish_seen_subcommand_from show' -a '(railiance-backup list --output name 2>/dev/null)'
complete -c railiance-backup -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
)sh";

/// Of cobra, in which kubectl reads the answer: no file names besides.
constexpr const char* k_no_files = ":4";
constexpr const char* k_files = ":0";

} // namespace

int complete_for_kubectl(std::span<const std::string> args, Io& io) {
  for (const std::string& word : plugin_words(args)) {
    io.out << word << '\n';
  }
  const bool shows = args.size() == 2 && args.front() == "show";
  if (const auto api = shows ? io.connect({}) : Result<std::unique_ptr<Api>>(Error{})) {
    const auto items = (*api)->client().list_all(kube::k_cluster_backups, "", {}, io.stop);
    for (const nlohmann::json& item : items ? *items : nlohmann::json::array()) {
      const std::string name = json_text(kube::metadata_of(item), "name");
      if (name.starts_with(args.back())) {
        io.out << terminal_text(name) << '\n';
      }
    }
  }
  const bool names_file =
      args.size() > 1 && (args.front() == "recipients" || args[args.size() - 2] == "--kubeconfig" ||
                          args[args.size() - 2] == "--sops");
  io.out << (names_file ? k_files : k_no_files) << '\n';
  return static_cast<int>(ExitCode::done);
}

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") {
    return k_zsh;
  }
  return shell == "fish" ? k_fish : k_bash;
}

} // namespace rb::cli
