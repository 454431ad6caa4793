// `restore` without --execute: the sets, and how this host gets one of them back.
#include "set/restore_guide.hpp"

#include "restore/backups.hpp"
#include "restore/cluster/observe.hpp"
#include "restore/cluster/set_access.hpp"
#include "restore/restore.hpp"
#include "restore/set_output.hpp"
#include "set/age_reader.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include "base/text.hpp"

#include <array>
#include <utility>

namespace rb::restore {

using set::BackupSet;

namespace {

struct ListedSet {
  const BackupSet* set;
  std::string opens;
  std::string signature; ///< The word for who made it.
};

/// "yes", "no", "partly" (some of its artifacts), or "-" where there is no key or nothing to open.
/// Looks at the headers only.
std::string
opens(set::Directory& directory, const BackupSet& set, std::span<const age::Identity> identities) {
  std::size_t opened = 0;
  std::size_t all = 0;
  for (const set::SetFile& file : set.files) {
    if (!file.name.ends_with(".age")) {
      continue;
    }
    ++all;
    const auto open = directory.fs().open_read(file.name);
    opened += open && set::AgeReader::open(**open, identities) ? 1U : 0U;
  }
  return identities.empty() || all == 0 ? "-"
         : opened == all                ? "yes"
         : opened == 0                  ? "no"
                                        : "partly";
}

std::string table_of(const std::vector<ListedSet>& sets, SystemTime now) {
  std::vector<std::vector<std::string>> rows{{"#",
                                              "SET",
                                              "AGE",
                                              "SIZE",
                                              "STATE",
                                              "VERIFIED",
                                              "PROVEN",
                                              "SIGNED",
                                              "OPENS",
                                              "REVISION",
                                              "K3S"}};
  for (const ListedSet& listed : sets) {
    const BackupSet& set = *listed.set;
    const auto& manifest = set.manifest;
    rows.push_back(
        {std::to_string(rows.size()),
         set.run_id,
         format_age(now - set.time),
         format_size(set.size_bytes),
         std::string(set::to_string(set.state)),
         manifest && manifest->complete ? "yes" : "no",
         proof_word(set),
         listed.signature,
         listed.opens,
         manifest && manifest->snapshot ? std::to_string(manifest->snapshot->revision) : "-",
         manifest ? terminal_text(or_dash(manifest->k3s_version)) : "-"});
  }
  return text_table(rows);
}

std::vector<ListedSet> listed_sets(Backups& backups, const Keys& keys) {
  std::vector<ListedSet> listed;
  for (const BackupSet& set : backups.sets) {
    listed.push_back({&set,
                      opens(backups.directory, set, keys.identities),
                      backups.catalogue.word_for(set.run_id)});
  }
  return listed;
}

nlohmann::ordered_json json_of(const std::vector<ListedSet>& sets) {
  auto json = nlohmann::ordered_json::array();
  for (const ListedSet& listed : sets) {
    json.push_back(to_json(*listed.set));
    json.back()["opens"] = listed.opens;
    json.back()["signed"] = listed.signature;
  }
  return json;
}

/// The guide needs the key only for what a bare host gets back; without one it is shorter.
Keys keys_for_guide(const RestoreCommand& command, const Io& io) {
  auto keys = read_keys(command.identity_files, io);
  if (keys) {
    return std::move(*keys);
  }
  warn(io, keys.error().message + "; which sets open is not known");
  Keys none;
  none.pins = read_pins(command.identity_files, io);
  none.file =
      command.identity_files.empty() ? io.key_environment.user_file : command.identity_files[0];
  return none;
}

const BackupSet* ask(const std::vector<ListedSet>& sets, const BackupSet* proposed, const Io& io) {
  io.err << "Set (number, or Enter for " << proposed->run_id << "): " << std::flush;
  std::string answer;
  std::getline(io.in, answer);
  if (answer.empty()) {
    return proposed;
  }
  const std::size_t number = whole_number<std::size_t>(answer).value_or(0);
  return number >= 1 && number <= sets.size() ? sets[number - 1].set : nullptr;
}

/// Prints the table. Where nobody named a set, a terminal is asked; null: no number of the list.
const BackupSet* show_and_choose(const std::vector<ListedSet>& listed,
                                 const set::Latest& found,
                                 const RestoreCommand& command,
                                 const Io& io) {
  io.out << table_of(listed, io.clock.now()) << std::flush;
  say_passed_over(found, io);
  const bool asks = io.out_is_terminal && io.in_is_terminal && !command.set_given;
  return asks ? ask(listed, found.set, io) : found.set;
}

/// What was asked for goes into the commands of the guide, too: another data directory or another
/// host's key is meant for them.
std::string options_for(const RestoreCommand& command, const Options& options) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  const cluster::Wishes& wishes = command.wishes;
  const std::array<std::pair<bool, const char*>, 5> flags{
      {{wishes.single_server, "--single-server"},
       {wishes.replace_cluster, "--replace-cluster"},
       {wishes.without_host_state, "--without-host-state"},
       {wishes.allow_unsigned, "--allow-unsigned"},
       {wishes.keep_config, "--keep-config"}}};
  for (const auto& [given, word] : flags) {
    if (given) {
      add(word);
    }
  }
  for (const cluster::Replacement& one : wishes.replacements) {
    add(one.option());
  }
  const cluster::HostHints& hints = command.hints;
  const std::array<std::pair<const char*, const std::string&>, 6> values{
      {{"--k3s", hints.k3s_program},
       {"--data-dir", hints.data_dir},
       {"--start-command", hints.commands.start},
       {"--stop-command", hints.commands.stop},
       {"--status-command", hints.commands.status},
       {"--log-command", hints.commands.log}}};
  for (const auto& [option, value] : values) {
    if (!value.empty()) {
      add(std::string(option) + " " + set::shell_word(value));
    }
  }
  for (const std::string& key : options.public_keys) {
    add("--public-key " + set::shell_word(key));
  }
  return text;
}

cluster::GuideInput guide_for(const BackupSet& set,
                              const cluster::Host& host,
                              const cluster::SetFacts& facts,
                              const Keys& keys,
                              const RestoreCommand& command,
                              const Options& options) {
  cluster::GuideInput input;
  input.run_id = set.run_id;
  input.generation = set.generation;
  input.backup_dir = options.backup_dir;
  input.identity_file = keys.file;
  input.stop_command = host.typed_command(command.hints, "stop");
  input.start_command = host.typed_command(command.hints, "start");
  input.extra_options = options_for(command, options);
  input.plan = cluster::decide(host.observed, facts, command.wishes).plan;
  input.stays = cluster::stays_by_hand(host.observed);
  return input;
}

void print_guide(const cluster::GuideInput& input, bool json, nlohmann::ordered_json& out, Io& io) {
  const auto ours = cluster::our_commands(input);
  const auto by_hand = cluster::commands_by_hand(input);
  if (json) {
    out["guide"] = {{"runID", input.run_id},
                    {"bareHost", input.plan.bare},
                    {"commands", ours},
                    {"byHand", by_hand}};
    return;
  }
  io.out << "\nRestore of " << input.run_id << " on this host ("
         << (input.plan.bare ? "bare: it has no server token yet" : "it has a k3s server's data")
         << "):\n\n";
  for (const std::string& line : ours) {
    io.out << "  " << line << '\n';
  }
  io.out << "\nOr by hand, as root:\n\n";
  for (const std::string& line : by_hand) {
    io.out << "  " << line << '\n';
  }
  io.out << "\nNothing was changed.\n";
}

} // namespace

int guide(const RestoreCommand& command, const Options& options, Io& io) {
  auto directory = open_directory(options.backup_dir);
  if (!directory) {
    return fail_to_open(io, directory.error());
  }
  const Keys keys = keys_for_guide(command, io);
  auto backups = read_backups(std::move(*directory), options, keys.pins, io);
  if (!backups) {
    return fail_to_open(io, backups.error());
  }
  const auto found = choose_set(*backups, command.set);
  if (!found) {
    return fail_to_open(io, found.error());
  }
  const Catalogue& catalogue = backups->catalogue;
  tell_of_files(catalogue, io.err);
  const std::vector<ListedSet> listed = listed_sets(*backups, keys);
  const bool json = options.output == OutputFormat::json;
  nlohmann::ordered_json out{{"directory", options.backup_dir},
                             {"sets", json_of(listed)},
                             {"files", files_to_json(catalogue)}};
  put_latest(set::choose_latest(backups->sets), out);
  const BackupSet* const set = json ? found->set : show_and_choose(listed, *found, command, io);
  if (set == nullptr) {
    return fail(io, {ErrorCode::invalid_argument, "not a number of the list", {}});
  }
  const auto refused =
      refused_by_signature(catalogue, set->run_id, command.wishes.allow_unsigned, io);
  if (!refused) {
    cluster::OpenedSet opened =
        cluster::open_host_settings(backups->directory, *set, keys.identities, io.stop);
    cluster::apply_replacements(opened, command.wishes.replacements);
    cluster::Host host;
    host.look(command.hints, command.wishes.keep_config ? nullptr : &opened);
    print_guide(guide_for(*set, host, opened.facts, keys, command, options), json, out, io);
  }
  if (json) {
    io.out << dump(out);
  }
  return refused.value_or(static_cast<int>(ExitCode::done));
}

} // namespace rb::restore
