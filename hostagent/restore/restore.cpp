// `restore` without --execute: the sets, and how this host gets one of them back.
#include "restore/cluster/guide.hpp"
#include "restore/cluster/plan.hpp"
#include "restore/cluster_host.hpp"
#include "restore/commands.hpp"
#include "restore/io.hpp"
#include "restore/keys.hpp"
#include "restore/restore_cluster.hpp"
#include "restore/restore_list.hpp"
#include "restore/set_json.hpp"
#include "restore/trust.hpp"

#include <charconv>

namespace rb::restore {

using set::BackupSet;

namespace {

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
  std::size_t number = 0;
  const auto parsed = std::from_chars(answer.data(), answer.data() + answer.size(), number);
  const bool whole = parsed.ec == std::errc() && parsed.ptr == answer.data() + answer.size();
  if (answer.empty()) {
    return proposed;
  }
  return whole && number >= 1 && number <= sets.size() ? sets[number - 1].set : nullptr;
}

cluster::Wishes wishes_for_guide(const RestoreCommand& command) {
  cluster::Wishes wishes;
  wishes.keep_config = command.keep_config;
  wishes.replacements = replacements_of(command).value_or(std::vector<cluster::Replacement>());
  return wishes;
}

/// Those that the commands of the guide need as well.
std::string options_that_fit(const RestoreCommand& command) {
  std::string text = command.keep_config ? "--keep-config" : "";
  for (const cluster::Replacement& one : wishes_for_guide(command).replacements) {
    text += (text.empty() ? "" : " ") + one.option();
  }
  return text;
}

cluster::GuideInput guide_for(const BackupSet& set,
                              const ClusterHost& host,
                              const cluster::SetFacts& facts,
                              const Keys& keys,
                              const RestoreCommand& command,
                              const Options& options) {
  cluster::GuideInput input;
  input.run_id = set.run_id;
  input.backup_dir = options.backup_dir;
  input.identity_file = keys.file;
  input.stop_command = typed_command(host, command, "stop");
  input.start_command = typed_command(host, command, "start");
  input.extra_options = options_that_fit(command);
  input.plan = cluster::decide(host.observed, facts, wishes_for_guide(command)).plan;
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
  auto directory = open_backups(options.backup_dir);
  if (!directory) {
    return fail_to_open(io, directory.error());
  }
  const auto sets = set::list_sets(*directory);
  if (!sets) {
    return fail(io, sets.error());
  }
  const set::Latest found = find_set(*sets, command.set);
  const BackupSet* set = found.set;
  if (set == nullptr) {
    return fail(
        io, nothing_to_restore(options.backup_dir, command.set), ExitCode::nothing_to_restore);
  }
  const Keys keys = keys_for_guide(command, io);
  const auto catalogue = judge(*directory, *sets, {options.public_keys, keys.pins}, io);
  if (!catalogue) {
    return fail(io, catalogue.error(), judge_failure_code(catalogue.error()));
  }
  tell_of_files(*catalogue, io.err);
  std::vector<ListedSet> listed;
  for (const BackupSet& one : *sets) {
    listed.push_back(
        {&one, opens(*directory, one, keys.identities), catalogue->word_for(one.run_id)});
  }
  const bool json = options.output == OutputFormat::json;
  nlohmann::ordered_json out{{"directory", options.backup_dir},
                             {"sets", json_of(listed)},
                             {"files", files_to_json(*catalogue)}};
  put_latest(set::choose_latest(*sets), out);
  if (!json) {
    io.out << table_of(listed, io.clock.now()) << std::flush;
    say_passed_over(found, io);
    if (io.out_is_terminal && io.in_is_terminal && !command.set_given) {
      set = ask(listed, set, io);
      if (set == nullptr) {
        return fail(io, {ErrorCode::invalid_argument, "not a number of the list", {}});
      }
    }
  }
  if (const auto code = refused_by_signature(*catalogue, set->run_id, command, io)) {
    if (json) {
      io.out << dump(out);
    }
    return *code;
  }
  cluster::OpenedSet opened =
      cluster::open_host_settings(*directory, *set, keys.identities, io.stop);
  cluster::apply_replacements(opened, wishes_for_guide(command).replacements);
  ClusterHost host;
  if (const Status looked = look_at_host(host, command, &opened); !looked) {
    return fail(io, looked.error(), ExitCode::usage);
  }
  print_guide(guide_for(*set, host, opened.facts, keys, command, options), json, out, io);
  if (json) {
    io.out << dump(out);
  }
  return static_cast<int>(ExitCode::done);
}

int restore_cluster(const RestoreCommand& command, const Options& options, Io& io) {
  if (std::string problem = problem_of(command); !problem.empty()) {
    return fail(io, {ErrorCode::invalid_argument, std::move(problem), {}}, ExitCode::usage);
  }
  if (command.rollback) {
    return roll_back(command, options, io);
  }
  const bool act = command.execute || command.dry_run || command.resume;
  return act ? execute(command, options, io) : guide(command, options, io);
}

} // namespace rb::restore
