#include "datastore/sqlite/kine.hpp"

#include "datastore/keys/live_keys.hpp"
#include "datastore/sqlite/connection.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace rb::sqlite {

using datastore::CopyFacts;
using datastore::LiveKeys;
using datastore::SipKey;

namespace {

/// A row of kine's own: how far it has compacted. No key of the cluster's.
constexpr std::string_view k_compaction = "compact_rev_key";

constexpr std::array<std::string_view, 9> k_columns{"id",
                                                    "name",
                                                    "created",
                                                    "deleted",
                                                    "create_revision",
                                                    "prev_revision",
                                                    "lease",
                                                    "value",
                                                    "old_value"};
/// Two rows with one name and one predecessor: a lost update. The other indexes come and go with
/// kine's releases, which make them at their start.
constexpr std::string_view k_unique_index = "kine_name_prev_revision_uindex";

constexpr std::size_t k_version_offset = 96;

Error invalid(std::string what) {
  return {ErrorCode::corrupt,
          "SQLite database: " + std::move(what),
          "the copy is not usable: take another one, and look at the log of the k3s server"};
}

Error not_of_kine(std::string what) {
  return {ErrorCode::corrupt,
          "SQLite database: " + std::move(what),
          "it is an SQLite database, but not that of a k3s server"};
}

Status check_magic(RandomReader& reader) {
  Bytes start(k_magic.size());
  if (reader.size() < start.size()) {
    return invalid("the file is empty or cut off (" + std::to_string(reader.size()) + " bytes)");
  }
  RB_TRY(reader.read(0, start));
  return as_text(start) == k_magic ? Status() : invalid("the file is not an SQLite database");
}

Status check_integrity(const Connection& database, Depth depth) {
  RB_TRY_ASSIGN(Statement check,
                database.prepare(depth == Depth::whole ? "PRAGMA integrity_check(1)"
                                                       : "PRAGMA quick_check(1)"));
  RB_TRY_ASSIGN(const bool row, check.step());
  if (!row || check.text(0) != "ok") {
    return invalid("damaged: " + (row ? std::string(check.text(0)) : "the check gave no result"));
  }
  return {};
}

Result<std::set<std::string, std::less<>>> names_in(Statement statement, int only_where = -1) {
  std::set<std::string, std::less<>> names;
  for (;;) {
    RB_TRY_ASSIGN(const bool row, statement.step());
    if (!row) {
      return names;
    }
    if (only_where < 0 || statement.integer(only_where) != 0) {
      names.emplace(statement.text(1));
    }
  }
}

/// A table of its own, not a view and not a virtual one, with the columns that are read here and by
/// kine.
Status check_schema(const Connection& database) {
  RB_TRY_ASSIGN(Statement table,
                database.prepare("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND "
                                 "name = 'kine' AND rootpage > 0"));
  RB_TRY(table.step());
  if (table.integer(0) != 1) {
    return not_of_kine("it has no table kine");
  }
  RB_TRY_ASSIGN(Statement columns, database.prepare("PRAGMA table_info(kine)"));
  RB_TRY_ASSIGN(const auto names, names_in(std::move(columns)));
  for (const std::string_view column : k_columns) {
    if (!names.contains(column)) {
      return not_of_kine("its table kine has no column " + std::string(column));
    }
  }
  RB_TRY_ASSIGN(Statement indexes, database.prepare("PRAGMA index_list(kine)"));
  RB_TRY_ASSIGN(const auto unique, names_in(std::move(indexes), 2));
  if (!unique.contains(k_unique_index)) {
    return not_of_kine("its table kine has no unique index " + std::string(k_unique_index));
  }
  return {};
}

Result<Connection> open(RandomReader& reader, const std::stop_token& stop) {
  RB_TRY(check_magic(reader));
  RB_TRY_ASSIGN(Connection database, Connection::open_reader(reader, stop));
  // Without this an early failure, of a damaged schema say, would have SQLite's words only.
  if (auto opened = database.run("SELECT count(*) FROM sqlite_master"); !opened) {
    return std::move(opened).error();
  }
  return database;
}

struct Pass {
  std::uint64_t rows = 0;
  std::int64_t revision = 0;
};

Result<Pass> count_keys(const Connection& database, LiveKeys& live) {
  Pass pass;
  RB_TRY_ASSIGN(Statement rows, database.prepare("SELECT id, name, deleted FROM kine ORDER BY id"));
  for (;;) {
    RB_TRY_ASSIGN(const bool row, rows.step());
    if (!row) {
      return pass;
    }
    ++pass.rows;
    pass.revision = rows.integer(0);
    const ByteView name = rows.bytes(1);
    if (as_text(name) == k_compaction) {
      continue;
    }
    if (rows.integer(2) != 0) {
      live.remove(name);
    } else {
      live.put(name);
    }
  }
}

/// More keys than fit: they are counted in parts, one pass each, so that memory stays bounded.
Status count_in_parts(const Connection& database,
                      const InspectOrder& order,
                      const SipKey& sip_key,
                      std::uint64_t rows,
                      CopyFacts& facts) {
  const unsigned bits = datastore::part_bits(rows, order.live_keys);
  for (std::uint64_t part = 0; part < std::uint64_t{1} << bits; ++part) {
    LiveKeys live(sip_key, order.live_keys);
    live.choose_part(bits, part);
    RB_TRY(count_keys(database, live));
    if (live.overflowed()) {
      return Error{ErrorCode::unsupported, "SQLite database: too many keys to count", {}};
    }
    live.add_to(facts);
  }
  return {};
}

Result<std::optional<Bytes>> newest_value(const Connection& database, std::string_view name) {
  RB_TRY_ASSIGN(
      Statement newest,
      database.prepare("SELECT deleted, value FROM kine WHERE name = ?1 ORDER BY id DESC LIMIT 1"));
  newest.bind(1, name);
  RB_TRY_ASSIGN(const bool row, newest.step());
  if (!row || newest.integer(0) != 0) {
    return std::optional<Bytes>();
  }
  const ByteView value = newest.bytes(1);
  return std::optional(Bytes(value.begin(), value.end()));
}

/// "3.46.1", of the library that wrote the file last (fileformat2, 1.3.15).
Result<std::string> writer_version(RandomReader& reader) {
  Bytes field(4);
  if (reader.size() < k_version_offset + field.size()) {
    return std::string();
  }
  RB_TRY(reader.read(k_version_offset, field));
  std::uint32_t number = 0;
  for (const std::uint8_t byte : field) {
    number = number << 8U | byte;
  }
  return std::to_string(number / 1'000'000) + "." + std::to_string(number / 1000 % 1000) + "." +
         std::to_string(number % 1000);
}

} // namespace

Result<CopyFacts> inspect(RandomReader& reader, const InspectOrder& order, std::stop_token stop) {
  RB_TRY_ASSIGN(const Connection database, open(reader, stop));
  RB_TRY(check_schema(database));
  RB_TRY(check_integrity(database, order.depth));
  const SipKey sip_key = SipKey::random();
  LiveKeys live(sip_key, order.live_keys);
  RB_TRY_ASSIGN(const Pass pass, count_keys(database, live));
  if (pass.rows == 0) {
    return not_of_kine("its table kine is empty");
  }
  CopyFacts facts;
  facts.revision = pass.revision;
  facts.members.resize(1); // kine does not know its name
  RB_TRY_ASSIGN(facts.storage_version, writer_version(reader));
  if (live.overflowed()) {
    RB_TRY(count_in_parts(database, order, sip_key, pass.rows, facts));
  } else {
    live.add_to(facts);
  }
  for (const std::string& key : order.wanted_keys) {
    RB_TRY_ASSIGN(std::optional<Bytes> value, newest_value(database, key));
    if (value) {
      facts.wanted_values.emplace(key, std::move(*value));
    }
  }
  return facts;
}

Status replay(RandomReader& reader, const datastore::OnChange& on_change, std::stop_token stop) {
  RB_TRY_ASSIGN(const Connection database, open(reader, stop));
  RB_TRY(check_schema(database));
  RB_TRY_ASSIGN(Statement rows,
                database.prepare("SELECT id, name, deleted, value FROM kine ORDER BY id"));
  for (;;) {
    RB_TRY_ASSIGN(const bool row, rows.step());
    if (!row) {
      return {};
    }
    const bool deleted = rows.integer(2) != 0;
    const ByteView value = deleted ? ByteView() : rows.bytes(3);
    RB_TRY(on_change({rows.bytes(1), rows.integer(0), deleted, value}));
  }
}

void FileCheck::update(ByteView bytes) {
  m_size_bytes += bytes.size();
  m_hash.update(bytes);
  const std::size_t wanted = std::min(k_magic.size() - m_start.size(), bytes.size());
  m_start += as_text(bytes.first(wanted));
}

Result<datastore::CopyDigests> FileCheck::finish() {
  if (m_size_bytes == 0) {
    return invalid("the file is empty");
  }
  if (m_start != k_magic) {
    return invalid("the file is not an SQLite database");
  }
  datastore::CopyDigests digests;
  digests.file = m_hash.digest();
  digests.content = digests.file;
  digests.size_bytes = m_size_bytes;
  return digests;
}

} // namespace rb::sqlite
