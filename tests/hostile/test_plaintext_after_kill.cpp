// A drill that boots a server keeps the decrypted snapshot in a scratch directory. However it is
// killed and wherever that lies: whatever command comes next leaves none of it behind.
#include "restore/proof/scratch_dir.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <functional>

using namespace rb;
using proof::ScratchDir;
using proof::ScratchPlaces;
using test::BackupFixture;
using test::run_id_of_day;

namespace {

namespace fs = std::filesystem;

class KillFixture : public BackupFixture {
public:
  KillFixture() {
    scratch_record = file("state/scratch-places");
    fs::create_directories(parent());
    add_set(run_id_of_day(1));
  }

  [[nodiscard]] std::string parent() const { return file("big-disk"); }
  [[nodiscard]] std::size_t scratch_dirs() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(parent()), {}));
  }

  /// Runs `work` in a process of its own, which SIGKILL ends.
  static void killed(const std::function<void()>& work) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      work();
      ::raise(SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
  }

  /// As a drill does it, with the snapshot and the database of a server in it.
  void leave_plaintext() const {
    killed([this] {
      auto scratch = ScratchDir::make(parent(), 1, ScratchPlaces(scratch_record));
      fs::create_directories(scratch->path() + "/data/server/db/etcd");
      test::write_file(scratch->path() + "/snapshot", "plain");
      test::write_file(scratch->path() + "/data/server/db/etcd/db", "plain");
      ::raise(SIGKILL); // before the directory's own end
    });
  }
};

} // namespace

TEST_CASE_FIXTURE(KillFixture, "the next command of any kind removes what a killed drill left") {
  const std::vector<std::vector<std::string>> commands{
      {"list"},
      {"show", run_id_of_day(1)},
      {"verify"},
      {"drill", "-i", keys()},
      {"metrics"},
      {"restore", run_id_of_day(1)},
      {"restore", "--artifact", "kubeconfig", "--to", file("to"), "-i", keys()},
      {"decrypt",
       artifact(api::ArtifactType::kubeconfig, run_id_of_day(1)),
       "-i",
       keys(),
       "-o",
       file("kubeconfig")},
      {"--version"},
      {"no-such-command"}};
  for (const auto& command : commands) {
    CAPTURE(command.front());
    leave_plaintext();
    REQUIRE(scratch_dirs() == 1);
    static_cast<void>(run(command));
    CHECK(scratch_dirs() == 0);
  }
}

TEST_CASE_FIXTURE(KillFixture, "killed at every point between the note and the end") {
  SUBCASE("the place is noted, and nothing is there yet") {
    killed([this] { static_cast<void>(ScratchPlaces(scratch_record).note(parent())); });
  }
  SUBCASE("the directory is there, and not locked yet") {
    killed([this] {
      static_cast<void>(ScratchPlaces(scratch_record).note(parent()));
      fs::create_directory(parent() + "/railiance-boot-abcdef");
    });
  }
  SUBCASE("half removed") {
    killed([this] {
      auto scratch = ScratchDir::make(parent(), 1, ScratchPlaces(scratch_record));
      test::write_file(scratch->path() + "/snapshot", "plain");
      fs::permissions(scratch->path(), fs::perms::owner_read | fs::perms::owner_exec);
      ::raise(SIGKILL);
    });
  }
  static_cast<void>(run({"list"}));
  CHECK(scratch_dirs() == 0);
  CHECK(run({"list"}).code == 0);
}

TEST_CASE_FIXTURE(KillFixture, "a drill that runs keeps what it has") {
  auto scratch = ScratchDir::make(parent(), 1, ScratchPlaces(scratch_record));
  REQUIRE(scratch);
  test::write_file(scratch->path() + "/snapshot", "plain");
  static_cast<void>(run({"list"}));
  CHECK(fs::exists(scratch->path() + "/snapshot"));
}

TEST_CASE_FIXTURE(KillFixture, "a record that holds anything but places does no harm") {
  fs::create_directories(file("state"));
  test::write_file(scratch_record, "relative\n\n../..\n/nonexistent\n\x1b[31m\n" + parent());
  fs::create_directories(parent() + "/railiance-boot-dead");
  fs::create_directories(parent() + "/precious");
  CHECK(run({"list"}).code == 0);
  CHECK(scratch_dirs() == 1);
  CHECK(fs::exists(parent() + "/precious"));
  // A torn last line is no reason to lose the next place.
  CHECK(ScratchPlaces(scratch_record).note(file("other")).has_value());
  const auto places = ScratchPlaces(scratch_record).all();
  CHECK(std::ranges::find(places, file("other")) != places.end());
  CHECK(std::ranges::find(places, parent()) != places.end());
}

TEST_CASE_FIXTURE(KillFixture, "a place is written down once") {
  for (int i = 0; i < 3; ++i) {
    CHECK(ScratchDir::make(parent(), 1, ScratchPlaces(scratch_record)).has_value());
  }
  CHECK(test::read_file(scratch_record) == "\n" + parent() + "\n");
  CHECK(test::mode_of(scratch_record) == "600");
}
