// What restore and rejoin do alike on this host: keys and lock, the set, the journal of one that
// was cut off, the execution with its signals, and the way back.
#pragma once

#include "restore/backups.hpp"
#include "restore/cluster/execute.hpp"
#include "restore/cluster/journal.hpp"
#include "restore/cluster/observe.hpp"
#include "restore/options.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace rb::restore {

/// Where the sets of a restore that was cut off are: as it is said now, else as it was said then.
[[nodiscard]] std::string directory_to_go_on(const Options& options,
                                             const cluster::JournalState& state);

/// The newest of `sets` that was made since that restore began, and after the set that it restores:
/// the cluster has run in between. Null: none, or it is a rejoin, after which the others go on
/// making sets. Pure.
[[nodiscard]] const set::BackupSet* made_since(const std::vector<set::BackupSet>& sets,
                                               const cluster::JournalState& state);

/// As the command says; where it does not, by the size of the datastore (k3s::patience_for).
[[nodiscard]] cluster::Limits limits_for(const HostCommand& command, std::uint64_t datastore_bytes);

class HostWork {
public:
  HostWork(const HostCommand& command, const Options& options, Io& io)
      : m_command(command), m_options(options), m_io(io) {}
  virtual ~HostWork() = default;
  HostWork(const HostWork&) = delete;
  HostWork& operator=(const HostWork&) = delete;
  HostWork(HostWork&&) = delete;
  HostWork& operator=(HostWork&&) = delete;

  /// All but --rollback: goes on with what was cut off, or begins.
  int run();

  /// --rollback. Needs neither the set nor a key.
  int roll_back();

protected:
  /// "restore" or "rejoin".
  [[nodiscard]] virtual const char* name() const = 0;
  [[nodiscard]] virtual bool allow_unsigned() const = 0;
  /// The set of which this host takes the layout while it has none of its own, or null.
  [[nodiscard]] virtual const cluster::OpenedSet*
  layout_of(const cluster::OpenedSet& opened) const = 0;
  /// Nothing was cut off: decides for the set that was asked for, and agree_and_carry_out().
  virtual int begin(cluster::OpenedSet opened) = 0;
  /// A step of the execution is about to begin.
  virtual void before(cluster::Step /*step*/) {}
  /// The end of an execution; `back`: it was the way back that went on.
  virtual int finish(const cluster::Outcome& outcome,
                     const cluster::Plan& plan,
                     nlohmann::ordered_json json,
                     bool back) = 0;

  /// Prints the checks, and where they and the operator, who is asked `question`, agree, does it
  /// from the beginning, with the note of its place (journal.hpp) around it.
  int agree_and_carry_out(const cluster::Decision& decision, const char* question);
  /// What is left of the file by which servers are asked (server_access.hpp) goes, or is named.
  void forget_access() const;

  const HostCommand& m_command;
  Options m_options; ///< Of one that goes on: with the directory that it began with.
  Io& m_io;
  cluster::Host m_host;
  Keys m_keys;
  std::optional<Backups> m_backups;
  const set::BackupSet* m_set = nullptr; ///< One of m_backups.

private:
  int open_and_begin();
  /// Opens the backups and finds the set named `name`.
  [[nodiscard]] Status choose(const std::string& name);
  /// Prints the checks; the exit code where it ends with them.
  [[nodiscard]] std::optional<int> stop_after(const cluster::Decision& decision,
                                              nlohmann::ordered_json& json);
  /// On a terminal, without --yes.
  [[nodiscard]] bool confirmed(const char* question) const;
  /// The exit code where another one is at work. With the lock nobody else asks servers: what a
  /// killed rejoin has left goes.
  [[nodiscard]] std::optional<int> refused_by(const Result<cluster::RestoreLock>& lock) const;
  [[nodiscard]] Result<cluster::FoundJournal>
  find_journal(bool (*fits)(const cluster::JournalState&)) const;
  int resume(cluster::FoundJournal left);
  /// The exit code where the cluster has run since that was cut off, and nobody said --resume.
  [[nodiscard]] std::optional<int> refused_as_outlived(const cluster::JournalState& state) const;
  int carry_out(cluster::JournalState state, nlohmann::ordered_json json);
  int undo(cluster::FoundJournal found);
  void remember_place(const cluster::Plan& plan) const;
  void settle_place(const cluster::Plan& plan, const std::string& before) const;
  [[nodiscard]] cluster::Ports
  ports(cluster::SetSource& source, cluster::Progress& progress, std::stop_token stop);
};

} // namespace rb::restore
