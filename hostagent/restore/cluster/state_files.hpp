// The files of an SQLite database, which are one: state.db, its write-ahead log state.db-wal, and
// the index of that, state.db-shm; where a datastore-endpoint asks for no such log, the rollback
// journal state.db-journal of a change that was cut off. A state.db without its log lacks its
// newest changes, without its journal it has half a change, and beside those of another one it is
// destroyed. Private to this room.
#pragma once

#include "base/result.hpp"

#include <string>

namespace rb::cluster {

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
