// `rewrap`: sets that are there get the recipients of a .sops.yaml, and open for nobody else.
#include "set/rewrap.hpp"

#include "restore/backups.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/commands.hpp"
#include "restore/progress.hpp"
#include "restore/set_output.hpp"
#include "set/backup_log.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "sign/signing_key.hpp"
#include "terminal/format.hpp"
#include "terminal/program_io.hpp"
#include "terminal/terminal_text.hpp"

#include "age/sops_yaml.hpp"
#include "base/fd.hpp"
#include "base/process.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <set>

namespace rb::restore {

using set::BackupSet;
using set::Provenance;

namespace {

constexpr const char* k_footer = R"(Examples:
  railiance-restore rewrap --all --sops .sops.yaml -i old-keys.txt --dry-run
  railiance-restore rewrap --all --sops .sops.yaml -i old-keys.txt
  railiance-restore rewrap 20261122T020000Z latest --sops .sops.yaml

The sets get the recipients of that .sops.yaml, and the keys of before open them no
more. Nothing is decrypted: of each file only the header changes, and the manifest is
signed anew, so it is done as root on the host that made the sets. Sets of a signing key
that this host had before are taken with --public-key, and signed with its own. -i are keys that
open the sets now. The newest set comes first; each is whole at every moment, whatever
stops the command. A copy off-site follows by itself. Whoever has an old key and an old
copy of a file can still open that copy: docs/rotate-the-age-key.md.
--dry-run says which key opens which set, and what would be refused; it changes nothing.
Exit codes: 1 a set failed, or this host has no signing key; 4 no such set; 5 no key
opens a set; 6 damaged or not the host's; 7 a backup is running.)";

/// What came of one set, or would.
struct Outcome {
  std::string run_id;
  std::string result; ///< "rewrapped", "would be rewrapped", "unchanged" or "not rewrapped"
  ExitCode code = ExitCode::done;
  std::string message; ///< Why not; or what is left to be said.
  std::string hint;
  std::string key; ///< The public half of the key that opens it, by its headers; empty: none.
  std::uint64_t size_bytes = 0;
};

class Rewrap {
public:
  Rewrap(const RewrapCommand& command, const Options& options, Io& io)
      : m_command(command), m_options(options), m_io(io) {}

  int run() {
    auto keys = read_keys(m_command.identity_files, m_io);
    if (!keys) {
      return fail(m_io, keys.error(), ExitCode::no_identity);
    }
    m_keys = std::move(*keys);
    if (const Status read = read_recipients(); !read) {
      return fail(m_io, read.error(), ExitCode::usage);
    }
    auto directory = open_directory(m_options.backup_dir);
    if (!directory) {
      return fail_to_open(m_io, directory.error());
    }
    if (m_command.dry_run) {
      look_for_signing_key();
    } else if (const Status ready = get_ready(*directory); !ready) {
      return fail(m_io, ready.error());
    }
    auto backups = read_backups(std::move(*directory), m_options, m_keys.pins, m_io);
    if (!backups) {
      return fail_to_open(m_io, backups.error());
    }
    m_backups = std::move(*backups);
    const auto chosen = choose();
    if (!chosen) {
      return fail_to_open(m_io, chosen.error());
    }
    warn_of_lost_key();
    return work_on(*chosen);
  }

private:
  Status read_recipients() {
    auto text = read_text_file(m_command.sops, age::k_sops_yaml_limit_bytes);
    if (!text) {
      Error error = std::move(text).error();
      error.hint = "name the .sops.yaml with the new recipients: --sops FILE";
      return error;
    }
    auto rule = age::recipient_rule_of_sops_yaml(*text);
    if (!rule) {
      return std::move(rule).error().within(m_command.sops);
    }
    m_order.recipients = std::move(rule->recipients);
    m_order.recipient_rule = std::move(rule->rule);
    for (const age::Recipient& recipient : m_order.recipients) {
      m_recipients.push_back(recipient.text());
    }
    return {};
  }

  Status read_signing_key() {
    auto key = m_io.host_signing_key.empty()
                   ? Result<sign::SigningKey>(Error{ErrorCode::not_found, "no signing key", {}})
                   : sign::read_key_file(m_io.host_signing_key);
    if (!key && key.error().code == ErrorCode::not_found) {
      return Error{
          ErrorCode::unsupported,
          "this host has no signing key (" + m_io.host_signing_key +
              "), and sets that are changed must be signed anew",
          "rewrap on the server that made the sets, as root, and copy them again; a set "
          "that it has no more: `railiance-restore fetch` it there into a directory of its "
          "own, and rewrap with --backup-dir"};
    }
    if (!key) {
      return std::move(key).error();
    }
    m_key = std::move(*key);
    return {};
  }

  /// Which key opens what can be asked where the keys are, too: that is said, and ends nothing.
  void look_for_signing_key() {
    if (const Status read = read_signing_key(); !read) {
      warn(m_io, "without --dry-run nothing would be done here: " + read.error().message);
    }
  }

  /// The key that signs, the locks, and an end of what was begun before. A restore reads a set more
  /// than once, and must find it as it was.
  Status get_ready(set::Directory& directory) {
    RB_TRY(read_signing_key());
    if (!m_io.restore_lock.empty()) {
      RB_TRY_ASSIGN(m_restores, cluster::RestoreLock::acquire(m_io.restore_lock));
    }
    RB_TRY_ASSIGN(m_lock, set::DirectoryLock::acquire(directory.path()));
    RB_TRY(set::sweep_leftovers(directory));
    if (const Status finished = set::finish_rewraps(directory, *m_key); !finished) {
      // One file that cannot be removed keeps no other set from new recipients.
      warn(m_io,
           "what an earlier rewrap left is still there, and opens with the keys of before: " +
               finished.error().text());
      m_code = ExitCode::failed;
    }
    return {};
  }

  /// The newest first, whatever the order on the command line.
  Result<std::vector<const BackupSet*>> choose() const {
    if (m_backups->sets.empty()) {
      return nothing_to_restore(m_options.backup_dir, {});
    }
    std::set<std::string> wanted;
    for (const std::string& name : m_command.sets) {
      RB_TRY_ASSIGN(const set::Latest found, choose_set(*m_backups, name));
      if (name == "latest") {
        say_passed_over(found, m_io);
      }
      if (!wanted.insert(found.set->run_id).second) {
        return Error{ErrorCode::invalid_argument,
                     "rewrap: set " + found.set->run_id + " is named twice",
                     {}};
      }
    }
    std::vector<const BackupSet*> chosen;
    for (const BackupSet& set : m_backups->sets) {
      if (m_command.all || wanted.contains(set.run_id)) {
        chosen.push_back(&set);
      }
    }
    return chosen;
  }

  /// Nothing is refused for it: the new key may lie where it belongs, not on this host.
  void warn_of_lost_key() const {
    const bool any = std::ranges::any_of(m_keys.identities, [&](const age::Identity& identity) {
      return std::ranges::find(m_order.recipients, identity.recipient()) !=
             m_order.recipients.end();
    });
    if (!any) {
      warn(m_io,
           "none of the keys given here opens the sets afterwards: be sure that you have the "
           "private key of " +
               age::shortened(m_recipients.front()));
    }
  }

  int work_on(const std::vector<const BackupSet*>& chosen) {
    const StopSignals interrupts({SIGINT, SIGTERM, SIGHUP}, m_io.stop);
    m_stop = interrupts.token();
    std::vector<Outcome> outcomes;
    ExitCode code = m_code;
    for (const BackupSet* const set : chosen) {
      if (m_stop.stop_requested()) {
        break;
      }
      outcomes.push_back(judge_and_rewrap(*set));
      code = set::worse(code, outcomes.back().code);
      if (m_options.output == OutputFormat::text) {
        print(outcomes.back());
      }
    }
    if (m_stop.stop_requested()) {
      fail(m_io, Error{ErrorCode::cancelled, "told to stop: what was done stays done", {}});
      code = set::worse(code, ExitCode::failed);
    }
    if (m_options.output == OutputFormat::json) {
      m_io.out << dump(json_of(outcomes, code));
    }
    if (code == ExitCode::no_identity) {
      say_what_was_tried(m_keys, m_io);
    }
    return static_cast<int>(code);
  }

  Outcome judge_and_rewrap(const BackupSet& set) {
    Outcome outcome{set.run_id, "not rewrapped", ExitCode::done, {}, {}, {}, set.size_bytes};
    set::RewrapOrder order = m_order;
    if (const auto refused = refusal(set, order)) {
      outcome.message = refused->error.message;
      outcome.hint = refused->error.hint;
      outcome.code = refused->code;
      return outcome;
    }
    const age::Identity* const opener =
        set::opener_of(m_backups->directory, *set.manifest, m_keys.identities);
    outcome.key = opener == nullptr ? std::string() : opener->recipient().text();
    if (set.manifest->is_for_just(m_recipients)) {
      outcome.result = "unchanged";
      outcome.message = "it has these recipients";
    } else if (!m_command.dry_run) {
      carry_out(set, order, outcome);
    } else if (const Status possible = set::check_rewrap(m_backups->directory,
                                                         set,
                                                         m_keys.identities,
                                                         order,
                                                         m_key ? &m_key->public_key() : nullptr);
               possible) {
      outcome.result = "would be rewrapped";
    } else {
      take_error(possible.error(), outcome);
    }
    return outcome;
  }

  static void take_error(const Error& error, Outcome& outcome) {
    outcome.message = error.message;
    outcome.hint = error.hint;
    outcome.code = error.code == ErrorCode::corrupt ? ExitCode::damaged : exit_code_for(error.code);
  }

  struct Refusal {
    Error error;
    ExitCode code;
  };

  std::optional<Refusal> refusal(const BackupSet& set, set::RewrapOrder& order) const {
    if (set.state == set::SetState::damaged || !set.manifest) {
      const bool damaged = set.state == set::SetState::damaged;
      return Refusal{{ErrorCode::corrupt, set.problems.empty() ? "" : set.problems.front(), {}},
                     damaged ? ExitCode::damaged : ExitCode::incomplete};
    }
    const set::SetProvenance made = m_backups->catalogue.of(set.run_id);
    const bool never_signed =
        made.verdict == Provenance::unsigned_before || made.verdict == Provenance::unsigned_known;
    order.adopt = (never_signed && m_command.allow_unsigned) || is_vouched_for(set, made);
    if (order.adopt || set::is_of_host(made.verdict)) {
      return std::nullopt;
    }
    return Refusal{{ErrorCode::corrupt, "refused: " + made.message, way_out(made)},
                   ExitCode::damaged};
  }

  /// Of a key that this host does not sign with, and that the operator names: the host had it
  /// before. Where sets of several servers lie together, the node tells whose it is: each server
  /// signs its own.
  [[nodiscard]] bool is_vouched_for(const BackupSet& set, const set::SetProvenance& made) const {
    if (m_options.public_keys.empty() || !m_key || !set::is_of_host(made.verdict)) {
      return false;
    }
    const std::string own = sign::to_string(m_key->public_key().id());
    std::set<std::string> nodes; // of this host, by what it signed
    for (const BackupSet& other : m_backups->sets) {
      if (other.manifest && other.manifest->signed_by == own) {
        nodes.insert(other.manifest->node_name);
      }
    }
    return set.manifest->signed_by != own &&
           (nodes.empty() || nodes.contains(set.manifest->node_name));
  }

  static std::string way_out(const set::SetProvenance& made) {
    if (made.verdict == Provenance::unsigned_before || made.verdict == Provenance::unsigned_known) {
      return "--allow-unsigned takes it all the same, and the host signs it";
    }
    if (made.verdict == Provenance::other_key) {
      return "if this host made it before it got another signing key: --public-key " +
             set::old_public_key_name(made.key_id) +
             " (beside the sets, or as you wrote it down) takes it, and the host signs it from "
             "then on; if another host made it, rewrap it there";
    }
    return {};
  }

  void carry_out(const BackupSet& set, const set::RewrapOrder& order, Outcome& outcome) {
    Progress progress(m_io);
    set::CheckHooks hooks = hooks_for(progress, m_io);
    hooks.stop = m_stop;
    const auto done = set::rewrap_set(
        m_backups->directory, set, m_keys.identities, order, *m_key, m_io.clock.now(), hooks);
    progress.clear();
    if (!done) {
      return take_error(done.error(), outcome);
    }
    outcome.result = "rewrapped";
    if (order.adopt && !set.manifest->signed_by.empty()) {
      outcome.message =
          "this host signs it from now on; it was signed by the key " + set.manifest->signed_by;
    }
    if (done->unfinished) {
      outcome.code = ExitCode::failed;
      outcome.message =
          "the set is whole, and what was there before is not gone: " + done->unfinished->message;
      outcome.hint = "the next backup, or the same command again, removes it";
    }
    log(set.run_id);
  }

  void log(const std::string& run_id) {
    set::LogLine line;
    line.time = m_io.clock.now();
    line.action = "rewrap";
    line.result = std::string(api::to_string(api::Reason::completed));
    line.run_id = run_id;
    line.fields = {{"recipients", std::to_string(m_recipients.size())}};
    if (const Status written = set::append_log(m_backups->directory, line); !written) {
      warn(m_io, "backup.log: " + written.error().message);
    }
  }

  void print(const Outcome& outcome) const {
    m_io.out << outcome.run_id << ": " << outcome.result;
    if (outcome.code == ExitCode::done && outcome.result != "unchanged") {
      m_io.out << ": " << format_size(outcome.size_bytes) << ", for " << m_recipients.size()
               << (m_recipients.size() == 1 ? " recipient" : " recipients");
    }
    if (!outcome.message.empty()) {
      m_io.out << ": " << terminal_text(outcome.message);
    }
    m_io.out << '\n';
    if (!outcome.key.empty()) {
      m_io.out << (outcome.result == "rewrapped" ? "  was opened by " : "  opens with ")
               << age::shortened(outcome.key) << '\n';
    }
    if (!outcome.hint.empty()) {
      m_io.out << "  hint: " << terminal_text(outcome.hint) << '\n';
    }
    m_io.out << std::flush;
  }

  [[nodiscard]] nlohmann::ordered_json json_of(const std::vector<Outcome>& outcomes,
                                               ExitCode code) const {
    nlohmann::ordered_json json{{"directory", m_options.backup_dir},
                                {"dryRun", m_command.dry_run},
                                {"recipients", m_recipients},
                                {"recipientRule", m_order.recipient_rule},
                                {"sets", nlohmann::ordered_json::array()}};
    for (const Outcome& outcome : outcomes) {
      json["sets"].push_back({{"runID", outcome.run_id},
                              {"result", outcome.result},
                              {"exitCode", static_cast<int>(outcome.code)},
                              {"message", outcome.message},
                              {"hint", outcome.hint},
                              {"openedBy", outcome.key},
                              {"sizeBytes", outcome.size_bytes}});
    }
    json["exitCode"] = static_cast<int>(code);
    return json;
  }

  const RewrapCommand& m_command;
  const Options& m_options;
  Io& m_io;
  Keys m_keys;
  set::RewrapOrder m_order;
  std::vector<std::string> m_recipients; ///< Those of m_order, as text.
  std::optional<sign::SigningKey> m_key; ///< In a dry run only where this host has one.
  ExitCode m_code = ExitCode::done;      ///< Of what came before the sets.
  std::optional<cluster::RestoreLock> m_restores;
  std::optional<set::DirectoryLock> m_lock;
  std::optional<Backups> m_backups; ///< From run() on.
  std::stop_token m_stop;
};

} // namespace

void add_rewrap(CLI::App& app, RewrapCommand& command) {
  CLI::App* rewrap =
      app.add_subcommand("rewrap", "Give sets new recipients, without decrypting them");
  rewrap->footer(k_footer);
  rewrap->add_option("SET", command.sets, "Run ids, or latest");
  rewrap->add_flag("--all", command.all, "All sets");
  add_identity(
      *rewrap, command.identity_files, "File with private age keys that open the sets now");
  rewrap->add_option("--sops", command.sops, "The .sops.yaml with the new recipients")->required();
  rewrap->add_flag("--dry-run", command.dry_run, "Say which key opens which set; change nothing");
  rewrap->add_flag("--allow-unsigned",
                   command.allow_unsigned,
                   "Take sets that were never signed, too: the host signs them from now on");
}

Status finish_rewrap(const RewrapCommand& command) {
  if (command.all != command.sets.empty()) {
    return Error{ErrorCode::invalid_argument, "rewrap: give at least one SET, or --all", {}};
  }
  for (auto name = command.sets.begin(); name != command.sets.end(); ++name) {
    if (std::find(command.sets.begin(), name, *name) != name) {
      return Error{ErrorCode::invalid_argument,
                   "rewrap: set " + terminal_text(*name) + " is named twice",
                   {}};
    }
  }
  return {};
}

int carry_out(const RewrapCommand& command, const Options& options, Io& io) {
  return Rewrap(command, options, io).run();
}

} // namespace rb::restore
