// The database of a k3s server that keeps its state in SQLite: one table of kine, in which every
// change of a key is a row (github.com/k3s-io/kine, pkg/drivers/sqlite and pkg/drivers/generic).
// The newest row of a name says whether it is alive, and its value; the largest id is the revision.
#pragma once

#include "datastore/keys/copy.hpp"

#include "base/random_reader.hpp"

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::sqlite {

/// What every SQLite file begins with (https://sqlite.org/fileformat2.html, 1.3.1).
inline constexpr std::string_view k_magic("SQLite format 3\0", 16);

/// How much of the file is looked at.
enum class Depth {
  pages, ///< Every page, and every row of the table (PRAGMA quick_check).
  whole, ///< That each index has each row, too (PRAGMA integrity_check): many reads here and there.
};

struct InspectOrder {
  Depth depth = Depth::pages;
  std::vector<std::string> wanted_keys = {}; ///< Their values are kept ("/registry/minions/NODE").
  std::size_t live_keys = 1U << 20U;         ///< Counted in one pass; more keys take more passes.
};

/// One file without a write-ahead log beside it: a copy, not the database of a running server.
/// Errors: corrupt (no SQLite file, a damaged one, or not the database of a kine: its table, its
/// columns, its unique index; no row), unsupported, cancelled, io, and those of the reader.
[[nodiscard]] Result<datastore::CopyFacts>
inspect(RandomReader& reader, const InspectOrder& order = {}, std::stop_token stop = {});

/// All rows in the order of their ids, with the errors of inspect(); the file is not checked beyond
/// what this reads.
[[nodiscard]] Status
replay(RandomReader& reader, const datastore::OnChange& on_change, std::stop_token stop = {});

/// The SHA-256 of the file; both digests are that.
class FileCheck final : public datastore::CopyCheck {
public:
  void update(ByteView bytes) override;

  /// Errors: corrupt (empty, or it does not begin like an SQLite file).
  [[nodiscard]] Result<datastore::CopyDigests> finish() override;

private:
  Sha256 m_hash;
  std::string m_start; ///< As many bytes as the magic has.
  std::uint64_t m_size_bytes = 0;
};

} // namespace rb::sqlite
