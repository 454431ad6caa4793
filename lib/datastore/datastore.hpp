// A kind of datastore: what its copies are, and which files of a server they are made of. Who has a
// copy asks this. Which kind it is, is asked elsewhere where one is taken
// (agent/run/run_datastore), put in place (restore/cluster/database) and booted from
// (restore/proof/boot): decisions/0033.
#pragma once

#include "datastore/keys/copy.hpp"

#include "api/artifacts.hpp"
#include "base/port.hpp"
#include "base/random_reader.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::datastore {

struct InspectOrder {
  /// Also what takes many reads here and there, and so a plaintext at hand.
  bool thorough = false;
  std::vector<std::string> wanted_keys; ///< Their values are kept ("/registry/minions/NODE").
};

class Datastore : public Port {
public:
  [[nodiscard]] virtual api::DatastoreKind kind() const = 0;

  /// "etcd", "SQLite": for people.
  [[nodiscard]] std::string_view name() const { return word_of(kind()); }
  /// What a copy of it is called: "etcd snapshot", "SQLite database".
  [[nodiscard]] virtual std::string_view copy_name() const = 0;
  /// What to do where a copy that was just taken is not sound.
  [[nodiscard]] virtual std::string_view remedy() const = 0;

  /// For the bytes of a copy as they pass.
  [[nodiscard]] virtual std::unique_ptr<CopyCheck> make_check() const = 0;

  /// Looks at the whole of a copy, but not at its digest. Errors: corrupt, unsupported, cancelled,
  /// io, and those of the reader.
  [[nodiscard]] virtual Result<CopyFacts>
  inspect(RandomReader& reader, const InspectOrder& order, std::stop_token stop) const = 0;

  /// All changes of keys in a copy, in their order. Errors: those of inspect().
  [[nodiscard]] virtual Status
  replay(RandomReader& reader, const OnChange& on_change, std::stop_token stop) const = 0;

  /// The files of a running server that a copy is made of, below its data directory. The first one
  /// shows that the datastore is there; they belong together.
  [[nodiscard]] virtual std::vector<std::string> files() const = 0;

  /// What a copy of it will have, about. 0: not known.
  [[nodiscard]] virtual std::uint64_t bytes_in(const std::string& data_dir) const = 0;

protected:
  /// The bytes of files() together.
  [[nodiscard]] std::uint64_t file_bytes_in(const std::string& data_dir) const;
};

[[nodiscard]] const Datastore& of(api::DatastoreKind kind);

/// What a copy is of, by its first bytes: SQLite where it begins so, else etcd. Errors: those of
/// the reader.
[[nodiscard]] Result<api::DatastoreKind> kind_of(RandomReader& reader);

} // namespace rb::datastore
