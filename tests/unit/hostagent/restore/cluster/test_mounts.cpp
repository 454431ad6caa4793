// What is mounted in the data directory: it can be emptied and filled, and not moved. Who may not
// mount passes these by; the suite's own machine may.
#include "fake_host.hpp"
#include "restore/cluster/file_changes.hpp"

#include <doctest/doctest.h>

#include <sys/mount.h>

#include <algorithm>

using namespace rb;
using namespace rb::cluster;
using test::FakeHost;

namespace {

/// Until the end of a test; made after what it lies in.
class Mounted {
public:
  /// A disk of its own, with what the directory holds.
  explicit Mounted(const std::string& directory) : m_path(directory) {
    const std::string before = directory + ".before";
    if (copy_tree(directory, before)) {
      m_is = ::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=1m,mode=700") == 0;
      REQUIRE(copy_tree(before, directory));
      REQUIRE(remove_path(before));
    }
  }
  /// `file` over another one.
  Mounted(const std::string& file, const std::string& over)
      : m_path(over), m_is(::mount(file.c_str(), over.c_str(), nullptr, MS_BIND, nullptr) == 0) {}
  ~Mounted() {
    if (m_is) {
      ::umount2(m_path.c_str(), MNT_DETACH);
    }
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  Mounted(Mounted&&) = delete;
  Mounted& operator=(Mounted&&) = delete;

  explicit operator bool() const { return m_is; }

private:
  std::string m_path;
  bool m_is = false;
};

void check_as_before(const FakeHost& host) {
  CHECK(host.data() == "old");
  CHECK(host.running());
  CHECK(host.scratch.read("data/server/tls/ca.crt") == "old ca");
  CHECK(host.scratch.read("data/server/cred/passwd") == "old passwd");
  CHECK(names_in(host.scratch.path("data/server/tls"), "") == std::vector<std::string>{"ca.crt"});
  CHECK(is_mount_point(host.scratch.path("data/server/tls")));
}

} // namespace

TEST_CASE("a directory that is a mount point is emptied and filled, and stays one") {
  const test::Scratch scratch;
  scratch.write("tls/old.crt", "old");
  scratch.write("tls/etcd/old.crt", "old");
  scratch.write("saved/new.crt", "new");
  const Mounted disk(scratch.path("tls"));
  if (!disk) {
    MESSAGE("NOT RUN: nothing can be mounted here");
    return;
  }
  REQUIRE(copy_tree(scratch.path("saved"), scratch.path("tls")));
  CHECK(names_in(scratch.path("tls"), "") == std::vector<std::string>{"new.crt"});
  REQUIRE(remove_path(scratch.path("tls")));
  CHECK(names_in(scratch.path("tls"), "").empty());
  CHECK(is_mount_point(scratch.path("tls")));
}

TEST_CASE("mount points are found wherever they are, also over one file, and not behind a link") {
  const test::Scratch scratch;
  scratch.write("etcd/member/wal/0", "log");
  scratch.write("etcd/name", "n1");
  scratch.write("other", "n2");
  std::filesystem::create_directory_symlink(scratch.path("etcd"), scratch.path("link"));
  const Mounted wal(scratch.path("etcd/member/wal"));
  const Mounted name(scratch.path("other"), scratch.path("etcd/name"));
  if (!wal || !name) {
    MESSAGE("NOT RUN: nothing can be mounted here");
    return;
  }
  std::vector<std::string> found = mount_points_in(scratch.path("etcd"));
  std::ranges::sort(found);
  CHECK(found ==
        std::vector<std::string>{scratch.path("etcd/member/wal"), scratch.path("etcd/name")});
  CHECK(mount_points_in(scratch.path("etcd/member/wal")).size() == 1);
  CHECK(mount_points_in(scratch.path("link")).empty());
  CHECK(mount_points_in(scratch.path("nowhere")).empty());
}

TEST_CASE("a file that is mounted over another one will do where it says the same") {
  const test::Scratch scratch;
  scratch.write("mine", "same");
  scratch.write("config.yaml", "below");
  const Mounted file(scratch.path("mine"), scratch.path("config.yaml"));
  if (!file) {
    MESSAGE("NOT RUN: nothing can be mounted here");
    return;
  }
  const std::string path = scratch.path("config.yaml");
  CHECK(put_file(path, as_bytes(std::string_view("same")), 0600));
  CHECK(put_copy(scratch.path("mine"), path));
  const Status other = put_file(path, as_bytes(std::string_view("other")), 0600);
  REQUIRE_FALSE(other);
  CHECK(other.error().message.find("mounted over it") != std::string::npos);
  CHECK(other.error().hint.find("--keep-config") != std::string::npos);
  CHECK(names_in(scratch.path(), "config.yaml.").empty());
}

TEST_CASE("certificates on a disk of their own: a restore that fails brings them back") {
  for (const auto kind : {api::DatastoreKind::etcd, api::DatastoreKind::sqlite}) {
    FakeHost host(false, kind);
    const Mounted tls(host.scratch.path("data/server/tls"));
    const Mounted cred(host.scratch.path("data/server/cred"));
    if (!tls || !cred) {
      MESSAGE("NOT RUN: nothing can be mounted here");
      return;
    }
    host.never_ready = true;
    const Outcome outcome = host.execute();
    INFO(outcome.message);
    CHECK(outcome.code == ExitCode::failed);
    CHECK(outcome.rolled_back);
    check_as_before(host);
  }
}

TEST_CASE("certificates on a disk of their own: a restore, and the way back") {
  for (const auto kind : {api::DatastoreKind::etcd, api::DatastoreKind::sqlite}) {
    FakeHost host(false, kind);
    const Mounted tls(host.scratch.path("data/server/tls"));
    const Mounted cred(host.scratch.path("data/server/cred"));
    if (!tls || !cred) {
      MESSAGE("NOT RUN: nothing can be mounted here");
      return;
    }
    const Outcome outcome = host.execute();
    INFO(outcome.message);
    CHECK(outcome.code == ExitCode::done);
    CHECK(host.data() == "restored");
    CHECK(is_mount_point(host.scratch.path("data/server/tls")));
    CHECK(host.roll_back().code == ExitCode::done);
    check_as_before(host);
  }
}
