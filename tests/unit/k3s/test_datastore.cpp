#include "k3s/datastore.hpp"
#include "k3s/host_settings.hpp"
#include "support/map_files.hpp"
#include "support/scratch.hpp"

#include "api/reason.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;

namespace {

Datastore detected(const test::Scratch& scratch, const ServerSettings& settings = {}) {
  return detect_datastore(probe_datastore(scratch.path(), settings));
}

} // namespace

TEST_CASE("the WAL directory is the sign of embedded etcd, etcd's directory alone is none") {
  const test::Scratch scratch;
  scratch.make_directory("server/db/etcd");
  CHECK(detected(scratch) == Datastore::none);
  scratch.write("server/db/state.db", "SQLite format 3");
  CHECK(detected(scratch) == Datastore::sqlite);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch) == Datastore::embedded_etcd);
  ServerSettings settings;
  settings.add("datastore-endpoint", "mysql://h");
  CHECK(detected(scratch, settings) == Datastore::external);
}

TEST_CASE("a control plane without etcd has none, whatever an earlier life left on its disk") {
  const test::Scratch scratch;
  const std::string main(k_usual_config);
  const test::MapFiles off{{main, "disable-etcd: yes\nserver: https://etcd-1:6443\n"}};
  const ServerSettings settings = read_host_settings(off).settings;
  scratch.make_directory("server");
  CHECK(detected(scratch, settings) == Datastore::elsewhere);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch, settings) == Datastore::elsewhere);
  const test::MapFiles on{{main, "disable-etcd: false\n"}};
  CHECK(detected(scratch, read_host_settings(on).settings) == Datastore::embedded_etcd);
}

TEST_CASE("the status says what a run would find") {
  CHECK(reported_as(Datastore::embedded_etcd) == api::Datastore::embedded_etcd);
  CHECK(reported_as(Datastore::sqlite) == api::Datastore::sqlite);
  CHECK(reported_as(Datastore::external) == api::Datastore::external);
  for (const Datastore without : {Datastore::elsewhere, Datastore::none, Datastore::no_directory}) {
    CHECK(reported_as(without) == api::Datastore::none);
  }
}

TEST_CASE("a data directory that is not there is told apart from an empty one") {
  CHECK(detect_datastore(probe_datastore("/nonexistent/k3s", {})) == Datastore::no_directory);
}

TEST_CASE("every datastore but etcd has a typed reason and a remedy") {
  CHECK(check_is_etcd(Datastore::embedded_etcd, "/d"));
  for (const Datastore datastore : {Datastore::sqlite,
                                    Datastore::external,
                                    Datastore::elsewhere,
                                    Datastore::none,
                                    Datastore::no_directory}) {
    const Status status = check_is_etcd(datastore, "/d");
    REQUIRE_FALSE(status);
    CHECK(status.error().reason == api::Reason::datastore_not_etcd);
    CHECK_FALSE(status.error().hint.empty());
  }
  CHECK(check_is_etcd(Datastore::sqlite, "/d").error().hint.find("cluster-init: true") !=
        std::string::npos);
}
