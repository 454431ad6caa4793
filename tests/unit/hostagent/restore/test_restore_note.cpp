// Holds: the set that the cluster is restored from is noted whatever else runs, and taken back.
#include "restore/restore.hpp"
#include "set/directory.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using rb::restore::RestoreNote;

namespace {

constexpr const char* k_first = "20261121T020000Z";
constexpr const char* k_second = "20261122T020000Z";

SystemTime at(int seconds) {
  return SystemTime(std::chrono::seconds(1'800'000'000 + seconds));
}

std::optional<set::LastRestore> noted(const std::string& path) {
  auto directory = set::Directory::open_existing(path).value();
  return set::read_last_restore(directory).value();
}

} // namespace

TEST_CASE("a restore is noted while a backup of the restored cluster runs") {
  const test::TemporaryDirectory backups;
  const auto backup = set::DirectoryLock::acquire(backups.path());
  REQUIRE(backup);
  CHECK(RestoreNote(backups.path(), k_first).write(at(0)));
  CHECK(noted(backups.path()) == set::LastRestore{k_first, at(0)});
}

TEST_CASE("the note of a restore that is undone goes, and that of the one before it comes back") {
  const test::TemporaryDirectory backups;
  RestoreNote first(backups.path(), k_first);
  CHECK(first.take_back()); // nothing was written
  CHECK(first.write(at(0)));
  CHECK(first.write(at(60))); // at its end
  CHECK(noted(backups.path()) == set::LastRestore{k_first, at(60)});
  RestoreNote second(backups.path(), k_second);
  CHECK(second.write(at(120)));
  CHECK(second.write(at(180)));
  CHECK(second.take_back());
  CHECK(noted(backups.path()) == set::LastRestore{k_first, at(60)});
  CHECK(first.take_back());
  CHECK_FALSE(std::filesystem::exists(backups.file(".last-restore")));
}

TEST_CASE("a backup directory that is gone is said") {
  const test::TemporaryDirectory place;
  test::write_file(place.file("a-file"), "");
  RestoreNote note(place.file("a-file"), k_first);
  CHECK_FALSE(note.write(at(0)));
  CHECK(note.take_back());
}
