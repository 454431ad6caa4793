#include "agent/datastore.hpp"
#include "k3s/config_file.hpp"
#include "support/map_files.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

Datastore detected(const test::Scratch& scratch, const ServerConfig& config = {}) {
  return detect_datastore(probe_datastore(scratch.path(), config));
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
  ServerConfig config;
  config.datastore_endpoint = "mysql://h";
  CHECK(detected(scratch, config) == Datastore::external);
}

TEST_CASE("a control plane without etcd has none, whatever an earlier life left on its disk") {
  const test::Scratch scratch;
  const std::string main(k3s::k_usual_config);
  const test::MapFiles off{{main, "disable-etcd: yes\nserver: https://etcd-1:6443\n"}};
  const ServerConfig config = read_server_config(off).value();
  scratch.make_directory("server");
  CHECK(detected(scratch, config) == Datastore::elsewhere);
  scratch.make_directory("server/db/etcd/member/wal");
  CHECK(detected(scratch, config) == Datastore::elsewhere);
  const test::MapFiles on{{main, "disable-etcd: false\n"}};
  CHECK(detected(scratch, read_server_config(on).value()) == Datastore::embedded_etcd);
}

TEST_CASE("the cluster is told what a run would find") {
  CHECK(told_as(Datastore::embedded_etcd) == api::Datastore::embedded_etcd);
  CHECK(told_as(Datastore::sqlite) == api::Datastore::sqlite);
  CHECK(told_as(Datastore::external) == api::Datastore::external);
  for (const Datastore without : {Datastore::elsewhere, Datastore::none, Datastore::no_directory}) {
    CHECK(told_as(without) == api::Datastore::none);
  }
}

TEST_CASE("a data directory that is not there is told apart from an empty one") {
  CHECK(detect_datastore(probe_datastore("/nonexistent/k3s", {})) == Datastore::no_directory);
}

TEST_CASE("every datastore but etcd has a typed reason and a remedy") {
  CHECK_FALSE(datastore_failure(Datastore::embedded_etcd, "/d"));
  for (const Datastore datastore : {Datastore::sqlite,
                                    Datastore::external,
                                    Datastore::elsewhere,
                                    Datastore::none,
                                    Datastore::no_directory}) {
    const auto failure = datastore_failure(datastore, "/d");
    REQUIRE(failure);
    CHECK(failure->reason == api::Reason::datastore_not_etcd);
    CHECK_FALSE(failure->hint.empty());
  }
  CHECK(datastore_failure(Datastore::sqlite, "/d")->hint.find("cluster-init: true") !=
        std::string::npos);
}
