#include "datastore/sqlite/kine.hpp"
#include "support/kine_database.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

using namespace rb;
using namespace rb::sqlite;
using test::kine_file;
using test::KineDatabase;

namespace {

constexpr const char* k_bootstrap = "/bootstrap/0123456789ab";

std::string small_file() {
  return kine_file({{"compact_rev_key", ""},
                    {k_bootstrap, "salt:secret"},
                    {"/registry/pods/default/a", "one"},
                    {"/registry/services/specs/default/kubernetes", "two"},
                    {"/registry/pods/default/a", "three"}});
}

Result<datastore::CopyFacts> inspect_bytes(const std::string& bytes,
                                           const InspectOrder& order = {}) {
  MemoryReader reader(as_bytes(bytes));
  return inspect(reader, order);
}

std::string refusal(const std::string& bytes) {
  const auto facts = inspect_bytes(bytes);
  return facts ? "taken" : facts.error().message;
}

/// What `change` makes of a database with rows.
template <typename Change> std::string changed(Change change) {
  const test::Scratch scratch;
  scratch.write("state.db", small_file());
  {
    KineDatabase database(scratch.path("state.db"));
    change(database);
  }
  return scratch.read("state.db");
}

} // namespace

TEST_CASE("a copy tells its revision, its live keys by kind, and whose token opens it") {
  for (const Depth depth : {Depth::pages, Depth::whole}) {
    const auto facts = inspect_bytes(small_file(), {.depth = depth});
    REQUIRE(facts);
    CHECK(facts->revision == 5);
    CHECK(facts->total_keys == 3); // kine's own row is none
    CHECK(facts->objects ==
          std::map<std::string, std::uint64_t>{{"pods", 1}, {"services/specs", 1}});
    CHECK(facts->bootstrap_hashes == std::vector<std::string>{"0123456789ab"});
    CHECK(facts->members.size() == 1);
    CHECK(facts->storage_version.starts_with("3."));
    CHECK(facts->wanted_values.empty());
  }
}

TEST_CASE("what was deleted is no key, and comes back when it is made anew") {
  const std::string gone =
      changed([](KineDatabase& database) { database.remove("/registry/pods/default/a"); });
  CHECK(inspect_bytes(gone)->objects ==
        std::map<std::string, std::uint64_t>{{"services/specs", 1}});
  CHECK(inspect_bytes(gone)->revision == 6);
  const std::string again = changed([](KineDatabase& database) {
    database.remove("/registry/pods/default/a");
    database.put("/registry/pods/default/a");
  });
  CHECK(inspect_bytes(again)->total_keys == 3);
  CHECK(inspect_bytes(again)->revision == 7);
}

TEST_CASE("the newest value of a key is kept, and none of one that was deleted") {
  const std::string key = "/registry/pods/default/a";
  const InspectOrder order{.wanted_keys = {key, "/registry/none"}};
  const auto facts = inspect_bytes(small_file(), order);
  REQUIRE(facts->wanted(key) != nullptr);
  CHECK(as_text(*facts->wanted(key)) == "three");
  CHECK(facts->wanted("/registry/none") == nullptr);
  const std::string gone =
      changed([](KineDatabase& database) { database.remove("/registry/pods/default/a"); });
  CHECK(inspect_bytes(gone, order)->wanted_values.empty());
}

TEST_CASE("more keys than fit into memory are counted in parts, with the same result") {
  const auto whole = inspect_bytes(small_file());
  const auto parts = inspect_bytes(small_file(), {.live_keys = 2});
  REQUIRE(parts);
  CHECK(parts->total_keys == whole->total_keys);
  CHECK(parts->objects == whole->objects);
  CHECK(parts->bootstrap_hashes == whole->bootstrap_hashes);
}

TEST_CASE("compaction changes neither revision nor keys") {
  const auto facts = inspect_bytes(changed([](KineDatabase& database) { database.compact(); }));
  REQUIRE(facts);
  CHECK(facts->revision == 5);
  CHECK(facts->total_keys == 3);
}

TEST_CASE("replay gives every row in the order of revisions") {
  const std::string bytes =
      changed([](KineDatabase& database) { database.remove("/registry/pods/default/a"); });
  MemoryReader reader(as_bytes(bytes));
  std::vector<std::string> seen;
  const auto take = [&seen](const datastore::KeyChange& change) -> Status {
    seen.push_back(std::to_string(change.revision) + " " + std::string(as_text(change.key)) +
                   (change.deleted ? " deleted" : " " + std::string(as_text(change.value))));
    return {};
  };
  REQUIRE(replay(reader, take));
  REQUIRE(seen.size() == 6);
  CHECK(seen[2] == "3 /registry/pods/default/a one");
  CHECK(seen[4] == "5 /registry/pods/default/a three");
  CHECK(seen[5] == "6 /registry/pods/default/a deleted");
}

TEST_CASE("the error of who is told of a row ends the walk") {
  const std::string bytes = small_file();
  MemoryReader reader(as_bytes(bytes));
  const Status ended = replay(reader, [](const datastore::KeyChange&) {
    return Status(Error{ErrorCode::unsupported, "enough", {}});
  });
  REQUIRE_FALSE(ended);
  CHECK(ended.error().message == "enough");
}

TEST_CASE("what is no database of a kine is refused, with what is wrong") {
  CHECK(refusal("") == "SQLite database: the file is empty or cut off (0 bytes)");
  CHECK(refusal(std::string(100'000, 'x')) ==
        "SQLite database: the file is not an SQLite database");
  CHECK(refusal(changed([](KineDatabase& database) {
          database.run("ALTER TABLE kine RENAME TO other");
        })) == "SQLite database: it has no table kine");
  CHECK(refusal(changed([](KineDatabase& database) {
          database.run("ALTER TABLE kine DROP COLUMN old_value");
        })) == "SQLite database: its table kine has no column old_value");
  CHECK(refusal(changed([](KineDatabase& database) {
          database.run("DROP INDEX kine_name_prev_revision_uindex");
        })) ==
        "SQLite database: its table kine has no unique index kine_name_prev_revision_uindex");
  CHECK(refusal(changed([](KineDatabase& database) { database.run("DELETE FROM kine"); })) ==
        "SQLite database: its table kine is empty");
  CHECK(refusal(changed([](KineDatabase& database) {
          database.run("ALTER TABLE kine RENAME TO other; CREATE VIEW kine AS SELECT * FROM other");
        })) == "SQLite database: it has no table kine");
}

TEST_CASE("a file that is cut off at any page is refused") {
  const std::string whole = small_file();
  for (std::size_t size = 4096; size < whole.size(); size += 4096) {
    CAPTURE(size);
    CHECK(refusal(whole.substr(0, size)) != "taken");
  }
}

TEST_CASE("no changed byte of a page's structure ends the process, and most are seen") {
  const std::string whole = small_file();
  std::size_t seen = 0;
  std::size_t tried = 0;
  for (std::size_t page = 0; page < whole.size(); page += 4096) {
    for (std::size_t at = 0; at < 12; ++at) {
      std::string bytes = whole;
      bytes[page + (page == 0 ? 100 : 0) + at] ^= '\x55';
      ++tried;
      seen += refusal(bytes) == "taken" ? 0U : 1U;
    }
  }
  CHECK(seen * 2 > tried);
}

TEST_CASE("a row that an index lacks is seen by the thorough look") {
  const std::string bytes = changed([](KineDatabase& database) {
    // An index that says another table's pages are its own.
    database.run("PRAGMA writable_schema=ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage "
                 "FROM sqlite_master WHERE name = 'kine_name_index') WHERE name = "
                 "'kine_name_id_index'; PRAGMA writable_schema=OFF");
  });
  CHECK_FALSE(inspect_bytes(bytes, {.depth = Depth::whole}));
}

TEST_CASE("an error of the reader is passed on as it is") {
  class Failing final : public RandomReader {
  public:
    [[nodiscard]] std::uint64_t size() const override { return 65536; }
    [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override {
      if (offset == 0 && buffer.size() <= 100) {
        std::ranges::copy(as_bytes(small_file()).first(buffer.size()), buffer.begin());
        return {};
      }
      return Error{ErrorCode::no_matching_identity, "chunk 0 does not open", {}};
    }
  };
  Failing reader;
  const auto facts = inspect(reader);
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == ErrorCode::no_matching_identity);
}

TEST_CASE("a look that is told to stop ends") {
  const std::string bytes = changed([](KineDatabase& database) {
    database.run("BEGIN");
    for (int i = 0; i < 5000; ++i) {
      database.put("/registry/pods/default/" + std::to_string(i));
    }
    database.run("COMMIT");
  });
  std::stop_source stop;
  stop.request_stop();
  MemoryReader reader(as_bytes(bytes));
  const auto facts = inspect(reader, {}, stop.get_token());
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == ErrorCode::cancelled);
}

TEST_CASE("FileCheck gives the digest of the file, in pieces of any size") {
  const std::string bytes = small_file();
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    FileCheck check;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      check.update(as_bytes(bytes.substr(at, piece)));
    }
    const auto digests = check.finish();
    REQUIRE(digests);
    CHECK(digests->size_bytes == bytes.size());
    CHECK(digests->file == sha256(as_bytes(bytes)));
    CHECK(digests->content == digests->file);
  }
  FileCheck empty;
  CHECK_FALSE(empty.finish());
  FileCheck other;
  other.update(as_bytes("age-encryption.org/v1 and more"));
  CHECK_FALSE(other.finish());
}
