#include "datastore/datastore.hpp"
#include "support/bolt_builder.hpp"
#include "support/kine_database.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::datastore;

namespace {

/// The same keys, in a copy of each kind.
std::string copy_of(api::DatastoreKind kind) {
  if (kind == api::DatastoreKind::sqlite) {
    return test::kine_file({{"/bootstrap/0123456789ab", "b"}, {"/registry/pods/default/a", "v"}});
  }
  const Bytes file = test::with_trailer(test::make_bolt(test::etcd_buckets(
      {{test::revision_key(2, 0), test::key_value("/bootstrap/0123456789ab", "b")},
       {test::revision_key(3, 0), test::key_value("/registry/pods/default/a", "v")}})));
  return std::string(as_text(file));
}

constexpr std::array<api::DatastoreKind, 2> k_kinds{api::DatastoreKind::etcd,
                                                    api::DatastoreKind::sqlite};

} // namespace

TEST_CASE("a copy of any kind is recognised, checked, inspected and replayed by one interface") {
  for (const auto kind : k_kinds) {
    CAPTURE(std::string(word_of(kind)));
    const std::string bytes = copy_of(kind);
    MemoryReader reader(as_bytes(bytes));
    REQUIRE(kind_of(reader).value() == kind);
    const Datastore& datastore = of(kind);
    CHECK(datastore.kind() == kind);
    CHECK(datastore.remedy().starts_with("nothing of it was kept; "));

    const auto check = datastore.make_check();
    check->update(as_bytes(bytes));
    CHECK(check->finish().value().size_bytes == bytes.size());

    const auto facts = datastore.inspect(reader, {true, {"/registry/pods/default/a"}}, {});
    REQUIRE(facts);
    CHECK(facts->revision > 1);
    CHECK(facts->total_keys == 2);
    CHECK(facts->bootstrap_hashes == std::vector<std::string>{"0123456789ab"});
    REQUIRE(facts->wanted("/registry/pods/default/a") != nullptr);
    CHECK(as_text(*facts->wanted("/registry/pods/default/a")) == "v");

    std::size_t changes = 0;
    CHECK(datastore.replay(reader,
                           [&changes](const KeyChange&) {
                             ++changes;
                             return Status();
                           },
                           {}));
    CHECK(changes == 2);
  }
}

TEST_CASE("a copy of SQLite has the pages of the database, however long its log has grown") {
  const test::Scratch scratch;
  scratch.make_directory("server/db");
  test::KineDatabase database(scratch.path("server/db/state.db"));
  database.run("PRAGMA wal_autocheckpoint=0"); // a checkpoint that never gets to the end
  for (int i = 0; i < 500; ++i) {
    database.put("/registry/leases/kube-system/one", std::string(900, 'x'));
    database.run("DELETE FROM kine WHERE id < (SELECT max(id) FROM kine)");
  }
  CHECK(scratch.read("server/db/state.db-wal").size() > 4'000'000);
  const std::uint64_t bytes = of(api::DatastoreKind::sqlite).bytes_in(scratch.path());
  CHECK(bytes >= 8192);
  CHECK(bytes < 200'000);
}

TEST_CASE("the bytes of a database that cannot be looked into are those of its files together") {
  const test::Scratch scratch;
  scratch.write("server/db/state.db", std::string(100, 'x'));
  scratch.write("server/db/state.db-wal", std::string(11, 'x'));
  CHECK(of(api::DatastoreKind::sqlite).bytes_in(scratch.path()) == 111);
  CHECK(of(api::DatastoreKind::etcd).bytes_in(scratch.path()) == 0);
}
