// How a copy takes the place of a server's database, and how the database of before comes back: the
// part of a restore that is another one for each kind of datastore. Whoever carries out or
// describes a plan asks this, and nobody else asks which kind it is. Private to this room.
#pragma once

#include "restore/cluster/execute.hpp"

#include <string>
#include <vector>

namespace rb::cluster {

class Database : public Port {
public:
  // What is said of it.

  /// "embedded etcd", "SQLite".
  [[nodiscard]] virtual std::string name() const = 0;
  /// What the step does, in one line.
  [[nodiscard]] virtual std::string line(const Plan& plan) const = 0;
  /// The same by hand, after k3s was stopped; `snapshot` is a word of the shell.
  [[nodiscard]] virtual std::vector<std::string> by_hand(const Plan& plan,
                                                         const std::string& snapshot) const = 0;
  /// Bytes beyond the copy itself that are needed on the disk.
  [[nodiscard]] virtual std::uint64_t margin_bytes() const = 0;
  /// Of what lies in the data directory, and of the configuration that the server will run with.
  [[nodiscard]] virtual std::vector<Check> check(const ObservedHost& host,
                                                 const ServerSettings& settings) const = 0;

  // What is done. Each can be done again after a crash in the middle of it.

  /// Notes in the journal what is there before anything is touched.
  virtual void note(JournalState& state, const Clock& clock) const = 0;
  /// Notes what the step has moved aside meanwhile, where only that tells it.
  virtual void note_moved(JournalState& /*state*/) const {}
  /// The copy takes the place; no server runs. What was there is moved aside, as one.
  [[nodiscard]] virtual Status
  put(const JournalState& state, Ports& ports, const Limits& limits) const = 0;
  /// Paths of what lies aside when all is done: the way back leads to it.
  [[nodiscard]] virtual std::vector<std::string> aside(const JournalState& state) const = 0;
  /// What was there comes back. One in which the restored cluster has lived is kept aside.
  [[nodiscard]] virtual Status put_back(const JournalState& state, Ports& ports) const = 0;
};

[[nodiscard]] const Database& database_of(api::DatastoreKind kind);
[[nodiscard]] const Database& etcd_database();
[[nodiscard]] const Database& sqlite_database();

/// Databases in which a restored cluster has lived are nobody's to throw away: their names, below
/// the data directory, begin so.
inline constexpr std::string_view k_failed_etcd = "server/db/etcd-failed-";
inline constexpr std::string_view k_failed_state = "server/db/state-failed-";

/// `path`, or with a number after it where that is taken: a clock may show a second twice.
[[nodiscard]] std::string free_name(const std::string& path);

/// Seconds since 1970, in digits.
[[nodiscard]] std::string seconds_text(const Clock& clock);

// The files of an SQLite database, which are one: state.db, its write-ahead log state.db-wal, and
// the index of that, state.db-shm; where a datastore-endpoint asks for no such log, the rollback
// journal state.db-journal of a change that was cut off. A state.db without its log lacks its
// newest changes, without its journal it has half a change, and beside those of another one it is
// destroyed.

/// state.db is there.
[[nodiscard]] bool has_state(const std::string& directory);

/// Moves database and log (or journal) from one directory to another of the same file system,
/// durably, so that a server that is started in the midst, after a power cut say, harms neither: at
/// every moment the database is in one place with its whole log beside it, and the log is nowhere
/// alone but under a second name, which SQLite may remove. `to` is made with mode 0700 where it is
/// not there. Can be repeated: it goes on where it was cut off. Nothing is moved where `to` has a
/// database already. Errors: those of the system.
[[nodiscard]] Status move_state(const std::string& from, const std::string& to);

/// Errors: those of the system.
[[nodiscard]] Status remove_state(const std::string& directory);

/// Puts a copy in the place of state.db, of which nothing is there: mode 0600, whole or not at all,
/// durably. Errors: no_space, those of the system.
[[nodiscard]] Status put_state(const std::string& copy, const std::string& directory);

} // namespace rb::cluster
