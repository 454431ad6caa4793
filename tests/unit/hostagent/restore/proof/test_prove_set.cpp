// drill --boot: what is said of a k3s that is not the one of the set.
#include "restore/proof/prove_set.hpp"

#include <doctest/doctest.h>

using namespace rb;

namespace {

set::Manifest manifest_of(const char* k3s_version, const char* storage_version) {
  set::Manifest manifest;
  manifest.k3s_version = k3s_version;
  manifest.snapshot = set::SnapshotRecord{};
  manifest.snapshot->storage_version = storage_version;
  return manifest;
}

struct Said {
  Status status;
  std::string lines;
};

Said check(const set::Manifest& manifest, const char* here) {
  Said said;
  said.status =
      proof::check_release(manifest, here, [&](const std::string& line) { said.lines += line; });
  return said;
}

} // namespace

TEST_CASE("a scratch server is not tried with a k3s that cannot start the data") {
  const Said said = check(manifest_of("v1.37.2+k3s1", "3.7.0"), "v1.36.2+k3s1");
  REQUIRE_FALSE(said.status);
  CHECK(said.status.error().code == ErrorCode::unsupported);
  CHECK(said.status.error().message ==
        "k3s here is v1.36.2+k3s1, at the backup v1.37.2+k3s1: the data are of etcd 3.7, and etcd "
        "3.6 of this k3s does not start on them");
  CHECK(said.status.error().hint == "name another k3s with --k3s, or install v1.37.2+k3s1 "
                                    "(INSTALL_K3S_VERSION=v1.37.2+k3s1)");
}

TEST_CASE("what may do is tried, and told where it is doubtful") {
  CHECK(check(manifest_of("v1.34.4+k3s1", "3.6.0"), "v1.35.1+k3s1").status);
  CHECK(check(manifest_of("v1.34.4+k3s1", "3.6.0"), "v1.35.1+k3s1").lines.empty());
  const Said older = check(manifest_of("v1.34.4+k3s1", "3.6.0"), "v1.34.3+k3s1");
  CHECK(older.status);
  CHECK(older.lines.starts_with("boot: k3s here is v1.34.3+k3s1"));
}

TEST_CASE("the version of SQLite in a set is not taken for one of etcd") {
  set::Manifest manifest = manifest_of("v1.34.4+k3s1", "3.46.1");
  manifest.snapshot->kind = api::DatastoreKind::sqlite;
  const Said said = check(manifest, "v1.34.4+k3s1");
  CHECK(said.status);
  CHECK(said.lines.empty());
}
