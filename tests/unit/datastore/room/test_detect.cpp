#include "datastore/detect.hpp"
#include "k3s/host_settings.hpp"
#include "support/bolt_builder.hpp"
#include "support/map_files.hpp"
#include "support/scratch.hpp"

#include "api/reason.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

using namespace rb;
using namespace rb::datastore;
using k3s::ServerSettings;

namespace {

Place detected(const test::Scratch& scratch, const ServerSettings& settings = {}) {
  return detect(look_for(scratch.path(), settings));
}

} // namespace

TEST_CASE("the WAL directory is the sign of embedded etcd, etcd's directory alone is none") {
  const test::Scratch scratch;
  scratch.make_directory("server/db/etcd");
  CHECK(detected(scratch) == Place::none);
  scratch.write("server/db/state.db", "SQLite format 3");
  CHECK(detected(scratch) == Place::sqlite);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch) == Place::embedded_etcd);
}

TEST_CASE(
    "an external database is the datastore, unless etcd is on the disk: k3s goes on with it") {
  const test::Scratch scratch;
  scratch.write("server/db/state.db", "SQLite format 3");
  ServerSettings settings;
  settings.add("datastore-endpoint", std::string(k3s::k_masked));
  CHECK(detected(scratch, settings) == Place::external);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch, settings) == Place::embedded_etcd);
  settings.add("disable-etcd", "true");
  CHECK(detected(scratch, settings) == Place::external);
}

TEST_CASE(
    "a datastore-endpoint of SQLite is no external database, and only one file is k3s's own") {
  const test::Scratch scratch;
  scratch.write("server/db/state.db", "SQLite format 3");
  const auto with = [&](const std::string& endpoint) {
    const test::MapFiles files{
        {std::string(k3s::k_usual_config), "datastore-endpoint: \"" + endpoint + "\"\n"}};
    return detected(scratch, k3s::read_host_settings(files).settings);
  };
  CHECK(with("sqlite://") == Place::sqlite);
  CHECK(with("sqlite://./db/state.db?_journal=WAL&cache=shared") == Place::sqlite);
  CHECK(with("sqlite://" + scratch.path("server/db/state.db?_busy_timeout=5000")) == Place::sqlite);
  CHECK(with("sqlite://file:" + scratch.path("server//db/state.db")) == Place::sqlite);
  CHECK(with("sqlite:///dev/shm/state.db?_journal=WAL") == Place::sqlite_elsewhere);
  CHECK(with("mysql://u:pw@h/d") == Place::external);
  CHECK(with("u:pw@tcp(h:3306)/d") == Place::sqlite); // kine takes its own file where no scheme is
  CHECK(reported_as(Place::sqlite_elsewhere) == api::Datastore::external);
  const auto kind = kind_at(Place::sqlite_elsewhere, "/d");
  REQUIRE_FALSE(kind);
  CHECK(kind.error().reason == api::Reason::datastore_external);
  CHECK(kind.error().hint.find("/d/server/db/state.db") != std::string::npos);
}

TEST_CASE("an endpoint that names the embedded etcd takes a copy of etcd, and none of SQLite") {
  ServerSettings settings;
  settings.add("datastore-endpoint", "etcd");
  CHECK(endpoint_of(settings, "/d") == Endpoint::own_etcd);
  CHECK(fits(Endpoint::own_etcd, api::DatastoreKind::etcd));
  CHECK_FALSE(fits(Endpoint::own_etcd, api::DatastoreKind::sqlite));
  const test::Scratch scratch;
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch, settings) == Place::embedded_etcd);
}

TEST_CASE("a control plane without etcd has none, whatever an earlier life left on its disk") {
  const test::Scratch scratch;
  const std::string main(k3s::k_usual_config);
  const test::MapFiles off{{main, "disable-etcd: yes\nserver: https://etcd-1:6443\n"}};
  const ServerSettings settings = k3s::read_host_settings(off).settings;
  scratch.make_directory("server");
  CHECK(detected(scratch, settings) == Place::elsewhere);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch, settings) == Place::elsewhere);
  const test::MapFiles on{{main, "disable-etcd: false\n"}};
  CHECK(detected(scratch, k3s::read_host_settings(on).settings) == Place::embedded_etcd);
}

TEST_CASE("the status says what a run would find") {
  CHECK(reported_as(Place::embedded_etcd) == api::Datastore::embedded_etcd);
  CHECK(reported_as(Place::sqlite) == api::Datastore::sqlite);
  CHECK(reported_as(Place::external) == api::Datastore::external);
  for (const Place without : {Place::elsewhere, Place::none, Place::no_directory}) {
    CHECK(reported_as(without) == api::Datastore::none);
  }
}

TEST_CASE("kine's socket without its file is an external database, whoever names that") {
  const test::Scratch scratch;
  scratch.make_directory("server/db");
  CHECK(detected(scratch) == Place::none);
  REQUIRE(::mknod(scratch.path("server/kine.sock").c_str(), S_IFSOCK | 0600, 0) == 0);
  CHECK(detected(scratch) == Place::external);
  scratch.write("server/db/state.db", "SQLite format 3");
  CHECK(detected(scratch) == Place::sqlite);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch) == Place::embedded_etcd);
}

TEST_CASE("a data directory that is not there is told apart from an empty one") {
  CHECK(detect(look_for("/nonexistent/k3s", {})) == Place::no_directory);
}

TEST_CASE(
    "a server that was migrated from SQLite to etcd has etcd, whatever is left of the other") {
  const test::Scratch scratch;
  scratch.write("server/db/state.db.migrated", "SQLite format 3");
  CHECK(detected(scratch) == Place::none);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch) == Place::embedded_etcd);
  scratch.write("server/db/state.db", "SQLite format 3");
  CHECK(detected(scratch) == Place::embedded_etcd);
}

TEST_CASE("a link to what is not mounted here is told apart from a server without a datastore") {
  for (const char* const link : {"server", "server/db", "server/db/etcd", "server/db/state.db"}) {
    CAPTURE(std::string(link));
    const test::Scratch scratch;
    scratch.make_directory(std::filesystem::path(link).parent_path().string());
    std::filesystem::create_symlink(scratch.path("not-mounted"), scratch.path(link));
    CHECK(detected(scratch) == Place::hidden);
    scratch.make_directory("not-mounted/member/wal"); // where it is, the link is followed
    scratch.make_directory("not-mounted/etcd/member/wal");
    scratch.make_directory("not-mounted/db/etcd/member/wal");
    CHECK(detected(scratch) ==
          (std::string(link) == "server/db/state.db" ? Place::none : Place::embedded_etcd));
  }
  CHECK(reported_as(Place::hidden) == api::Datastore::unknown);
  CHECK(kind_at(Place::hidden, "/d").error().hint.find("extraHostPaths") != std::string::npos);
}

TEST_CASE("a copy is taken of etcd and of SQLite; every other place has a reason and a remedy") {
  CHECK(kind_at(Place::embedded_etcd, "/d").value() == api::DatastoreKind::etcd);
  CHECK(kind_at(Place::sqlite, "/d").value() == api::DatastoreKind::sqlite);
  for (const Place place : {Place::elsewhere, Place::none, Place::no_directory}) {
    const auto kind = kind_at(place, "/d");
    REQUIRE_FALSE(kind);
    CHECK(kind.error().reason == api::Reason::datastore_not_etcd);
    CHECK_FALSE(kind.error().hint.empty());
  }
  const auto external = kind_at(Place::external, "/d");
  REQUIRE_FALSE(external);
  CHECK(external.error().reason == api::Reason::datastore_external);
  CHECK(external.error().hint.find("its own tools") != std::string::npos);
}

TEST_CASE("the members of an etcd are read off its disk, whatever it writes elsewhere meanwhile") {
  const test::Scratch scratch;
  CHECK(members_on_disk(scratch.path("etcd")).empty());
  const char* const file = "etcd/member/snap/db";
  scratch.write(file, "no database");
  CHECK(members_on_disk(scratch.path("etcd")).empty());

  const std::string large(300'000, 'x');
  test::Entries revisions; // too many to lie in the bucket of the buckets
  for (const std::uint64_t main : {2U, 3U, 4U, 5U}) {
    revisions.emplace_back(test::revision_key(main, 0), test::key_value("/registry/a", large));
  }
  auto buckets = test::etcd_buckets(std::move(revisions));
  buckets["members"] = {
      {"16a", R"({"id":362,"peerURLs":["https://192.0.2.12:2380"],"name":"two-0a1b2c3d"})"},
      {"16b", R"({"id":363,"peerURLs":["https://192.0.2.11:2380"],"name":"one-01234567"})"}};
  Bytes database = test::make_bolt(buckets);
  // What the others have is not looked at: a page of the keys that is half written is no reason.
  const auto value = std::search_n(database.begin(), database.end(), 1000, std::uint8_t{'x'});
  REQUIRE(value != database.end());
  constexpr std::ptrdiff_t k_page = 4096;
  std::fill_n(database.begin() + (value - database.begin()) / k_page * k_page, 16, std::uint8_t{0});
  scratch.write(file, std::string(as_text(database)));
  const auto members = members_on_disk(scratch.path("etcd"));
  REQUIRE(members.size() == 2);
  CHECK(members[0].name == "one-01234567");
  CHECK(members[1].peer_url == "https://192.0.2.12:2380");
}

TEST_CASE("an SQLite file that nobody writes to any more is not where a running server has its "
          "state") {
  using std::filesystem::last_write_time;
  const test::Scratch scratch;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const char* const name : {"server/db/state.db", "server/db/state.db-wal"}) {
    scratch.write(name, "x");
    last_write_time(scratch.path(name), now - std::chrono::hours(50));
  }
  const Status left = check_in_use(api::DatastoreKind::sqlite, scratch.path());
  REQUIRE_FALSE(left);
  CHECK(left.error().reason == api::Reason::datastore_external);
  CHECK(left.error().message.find("for 50 h") != std::string::npos);
  CHECK(check_in_use(api::DatastoreKind::etcd, scratch.path()));
  // What is new stands in the log, until a checkpoint.
  last_write_time(scratch.path("server/db/state.db-wal"), now - std::chrono::minutes(50));
  CHECK(check_in_use(api::DatastoreKind::sqlite, scratch.path()));
  std::filesystem::remove_all(scratch.path("server"));
  CHECK(check_in_use(api::DatastoreKind::sqlite, scratch.path()));
}
