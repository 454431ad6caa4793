#include "set/directory.hpp"
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

using namespace rb;
using namespace rb::set;
using test::TemporaryDirectory;

TEST_CASE("Directory::open makes the directory with mode 0700 and its parents") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.file("opt/backup/cluster");
  CHECK(Directory::open(path + "//"));
  CHECK(test::mode_of(path) == "700");
  CHECK(test::mode_of(temporary.file("opt/backup")) == "755");
}

TEST_CASE("Directory::open narrows the mode of its own directory") {
  const TemporaryDirectory temporary;
  REQUIRE(::chmod(temporary.path().c_str(), 0777) == 0);
  CHECK(Directory::open(temporary.path()));
  CHECK(test::mode_of(temporary.path()) == "700");
}

TEST_CASE("Directory::open refuses a link, a file, and somebody else's directory") {
  const TemporaryDirectory temporary;
  const std::string real = temporary.file("real");
  std::filesystem::create_directory(real);
  SUBCASE("a link") {
    std::filesystem::create_symlink(real, temporary.file("link"));
    CHECK(Directory::open(temporary.file("link")).error().code == ErrorCode::unsupported);
    CHECK(Directory::open_existing(temporary.file("link")));
  }
  SUBCASE("a file") {
    test::write_file(temporary.file("file"), "x");
    CHECK(Directory::open(temporary.file("file")).error().code == ErrorCode::unsupported);
  }
  SUBCASE("somebody else's") {
    if (::geteuid() == 0) {
      REQUIRE(::chown(real.c_str(), 12345, 12345) == 0);
      const auto directory = Directory::open(real);
      REQUIRE(!directory);
      CHECK(directory.error().code == ErrorCode::permission_denied);
      CHECK(directory.error().message == real + ": belongs to user 12345, not to user 0");
      CHECK(test::mode_of(real) == "755");
    } else {
      CHECK(Directory::open("/").error().code == ErrorCode::permission_denied);
    }
  }
}

TEST_CASE("Directory::open_existing changes nothing and makes nothing") {
  const TemporaryDirectory temporary;
  REQUIRE(::chmod(temporary.path().c_str(), 0755) == 0);
  CHECK(Directory::open_existing(temporary.path()));
  CHECK(test::mode_of(temporary.path()) == "755");
  const auto missing = Directory::open_existing(temporary.file("missing"));
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(test::mode_of(temporary.file("missing")) == "none");
}

TEST_CASE("the Fs of a directory never follows a link and never waits for a FIFO") {
  const TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.path());
  REQUIRE(directory);
  Fs& fs = directory->fs();
  test::write_file(temporary.file("victim"), "precious");
  std::filesystem::create_symlink("victim", temporary.file("link"));
  REQUIRE(::mkfifo(temporary.file("fifo").c_str(), 0600) == 0);

  CHECK(fs.open_read("link").error().code == ErrorCode::unsupported);
  CHECK(fs.open_append("link").error().code == ErrorCode::unsupported);
  CHECK(fs.create("link").error().code == ErrorCode::already_exists);
  CHECK(fs.open_read("fifo").error().code == ErrorCode::unsupported);
  CHECK(fs.open_read("missing").error().code == ErrorCode::not_found);
  CHECK(test::read_file(temporary.file("victim")) == "precious");

  const auto entries = fs.list();
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK(entries->at(0).name == "fifo");
  CHECK(!entries->at(0).regular);
  CHECK(!entries->at(1).regular);
  CHECK(entries->at(2).regular);
  CHECK(entries->at(2).size_bytes == 8);
}

TEST_CASE("what somebody placed in a directory is neither read, nor written through, nor a set") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.file("backups");
  Directory directory = Directory::open(path).value();
  const std::string elsewhere = temporary.file("elsewhere");
  test::write_file(elsewhere, "mine");
  const std::string run_id = test::run_id_of_day(1);
  const std::string manifest = path + "/manifest-" + run_id + ".json";
  SUBCASE("a link in the place of the log") {
    std::filesystem::create_symlink(elsewhere, path + "/backup.log");
    CHECK(directory.fs().open_append("backup.log").error().code == ErrorCode::unsupported);
  }
  SUBCASE("a second name of another file in the place of the log") {
    std::filesystem::create_hard_link(elsewhere, path + "/backup.log");
    const auto log = directory.fs().open_append("backup.log");
    REQUIRE(!log);
    CHECK(log.error().message.find("second name") != std::string::npos);
  }
  SUBCASE("a link in the place of a manifest") {
    test::write_file(elsewhere, serialize(test::make_manifest(run_id)));
    std::filesystem::create_symlink(elsewhere, manifest);
    CHECK(list_sets(directory)->empty());
    CHECK(read_manifest(directory, run_id).error().code == ErrorCode::unsupported);
    CHECK(test::write_manifest(directory, test::make_manifest(run_id)).error().code ==
          ErrorCode::already_exists);
    test::write_file(elsewhere, "mine");
  }
  SUBCASE("a link in the place of a part") {
    std::filesystem::create_symlink(elsewhere, manifest + ".part");
    CHECK(test::write_manifest(directory, test::make_manifest(run_id)).error().code ==
          ErrorCode::already_exists);
  }
  SUBCASE("a FIFO and a device") {
    REQUIRE(::mkfifo(manifest.c_str(), 0600) == 0);
    CHECK(list_sets(directory)->empty());
    CHECK(read_manifest(directory, run_id).error().code == ErrorCode::unsupported);
    std::filesystem::remove(manifest);
    if (::geteuid() == 0 && ::mknod(manifest.c_str(), S_IFCHR | 0600, makedev(1, 5)) == 0) {
      CHECK(list_sets(directory)->empty());
      CHECK(read_manifest(directory, run_id).error().code == ErrorCode::unsupported);
    }
  }
  CHECK(test::read_file(elsewhere) == "mine");
}

TEST_CASE("the Fs of a directory takes single names only") {
  const TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.path());
  REQUIRE(directory);
  for (const std::string name : {"", ".", "..", "a/b", "/etc/passwd", "../x"}) {
    CAPTURE(name);
    CHECK(directory->fs().open_read(name).error().code == ErrorCode::invalid_argument);
    CHECK(directory->fs().create(name).error().code == ErrorCode::invalid_argument);
    CHECK(directory->fs().remove(name).error().code == ErrorCode::invalid_argument);
    CHECK(directory->fs().rename_over("a", name).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("the Fs of a directory stays in it when the path is given to somebody else") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.file("backup");
  auto directory = Directory::open(path);
  REQUIRE(directory);
  std::filesystem::rename(path, temporary.file("moved"));
  std::filesystem::create_directory(path);
  REQUIRE(directory->fs().create("x"));
  CHECK(std::filesystem::exists(temporary.file("moved/x")));
  CHECK(!std::filesystem::exists(path + "/x"));
}

TEST_CASE("what is there and cannot be looked at is listed, and takes no set away") {
  struct stat status {};
  status.st_mode = S_IFREG | 0600;
  status.st_size = 7;
  CHECK(listed_entry("a", DT_REG, 0, status)->size_bytes == 7);
  CHECK(listed_entry("a", DT_UNKNOWN, 0, status)->regular);
  CHECK_FALSE(listed_entry("a", DT_REG, ENOENT, status));
  for (const int error : {EIO, ESTALE, EACCES, ENOTCONN}) {
    const auto entry = listed_entry("a", DT_REG, error, status);
    REQUIRE(entry);
    CHECK(entry->regular);
    CHECK(entry->size_bytes == 0);
    CHECK_FALSE(listed_entry(".snapshot", DT_DIR, error, status)->regular);
    CHECK(listed_entry("a", DT_UNKNOWN, error, status)->regular); // a network that tells no types
  }
}

TEST_CASE("what other tools and other machines leave in a directory is nobody's set, and stays") {
  const TemporaryDirectory temporary;
  const std::string path = temporary.file("backups");
  Directory directory = Directory::open(path).value();
  for (int day = 1; day <= 2; ++day) {
    REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(day))));
  }
  const std::string manifest = "manifest-" + test::run_id_of_day(1);
  const std::vector<std::string> files{".nfs00000000000a1b2c00000001",
                                       "._" + manifest + ".json",
                                       ".DS_Store",
                                       ".syncthing." + manifest + ".json.tmp",
                                       manifest + ".sync-conflict-20260105-020000-ABCDEFG.json",
                                       "." + manifest + ".json.Xy12Ab", // of rsync
                                       manifest + " (conflicted copy 2026-01-05 020000).json",
                                       manifest + ".json~",
                                       "etcd-" + test::run_id_of_day(1) +
                                           ".snap.age.sb-1a2b3c4d-Xy12Ab"};
  const std::vector<std::string> directories{
      "lost+found", ".snapshot", ".zfs", "@eaDir", "#recycle", ".stfolder", ".stversions"};
  for (const std::string& name : files) {
    test::write_file(path + "/" + name, "theirs");
  }
  for (const std::string& name : directories) {
    REQUIRE(std::filesystem::create_directory(path + "/" + name));
  }
  const auto sets = list_sets(directory).value();
  REQUIRE(sets.size() == 2);
  for (const BackupSet& set : sets) {
    CHECK(set.state == SetState::complete);
    CHECK(set.files.size() == 5);
  }
  CHECK(sweep_leftovers(directory).value().empty());
  REQUIRE(remove_set(directory, test::run_id_of_day(1)));
  CHECK(list_sets(directory).value().size() == 1);
  for (const std::string& name : files) {
    CAPTURE(name);
    CHECK(test::read_file(path + "/" + name) == "theirs");
  }
  for (const std::string& name : directories) {
    CHECK(std::filesystem::is_directory(path + "/" + name));
  }
}

TEST_CASE("rename_new leaves what is there") {
  const TemporaryDirectory temporary;
  auto directory = Directory::open(temporary.path());
  REQUIRE(directory);
  test::write_file(temporary.file("a"), "new");
  test::write_file(temporary.file("b"), "old");
  CHECK(directory->fs().rename_new("a", "b").error().code == ErrorCode::already_exists);
  CHECK(test::read_file(temporary.file("b")) == "old");
  CHECK(directory->fs().rename_new("a", "c"));
  CHECK(test::read_file(temporary.file("c")) == "new");
}

TEST_CASE("DirectoryLock is held by one, and leaves no file") {
  const TemporaryDirectory temporary;
  {
    const auto first = DirectoryLock::acquire(temporary.path());
    REQUIRE(first);
    const auto second = DirectoryLock::acquire(temporary.path());
    REQUIRE(!second);
    CHECK(second.error().code == ErrorCode::busy);
    CHECK(exit_code_for(second.error().code) == ExitCode::busy);
  }
  CHECK(DirectoryLock::acquire(temporary.path()));
  CHECK(std::filesystem::is_empty(temporary.path()));
}

TEST_CASE("sweep_leftovers removes parts of ours and ends removals, and nothing else") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  const std::string gone = test::run_id_of_day(1);
  const std::string kept = test::run_id_of_day(2);
  disk.put("manifest-" + gone + ".json.removing", Bytes{1});
  disk.put("etcd-" + gone + ".snap.age", Bytes{1});
  disk.put("etcd-" + kept + ".snap.age", Bytes{1});
  disk.put("kubeconfig-" + kept + ".yaml.age.part", Bytes{1});
  disk.put(".last-backup.part", Bytes{1});
  disk.put("download.part", Bytes{1});
  const auto removed = sweep_leftovers(directory);
  REQUIRE(removed);
  CHECK(removed->size() == 3);
  const auto left = disk.contents();
  CHECK(left.size() == 2);
  CHECK(left.contains("download.part"));
  CHECK(left.contains("etcd-" + kept + ".snap.age"));
}

TEST_CASE("check_free_space names both numbers") {
  test::FaultDisk disk; // says that 1 GiB is free
  Directory directory(disk.mount(), "/backup");
  CHECK(check_free_space(directory, 1U << 30U));
  const Status status = check_free_space(directory, std::uint64_t{3} << 30U);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::no_space);
  CHECK(status.error().message == "/backup: 1024.0 MiB free, a backup needs 3072.0 MiB");
  CHECK(!status.error().hint.empty());
}

TEST_CASE("the directory of the host: the one that is noted, else the usual one") {
  const test::TemporaryDirectory host;
  const std::string note = host.file("backup-directory");
  const std::string usual(k_usual_directory);
  CHECK(directory_of_host(note) == usual);
  for (const char* const text : {"", "\n", "no path\n"}) {
    test::write_file(note, text);
    CHECK(directory_of_host(note) == usual);
  }
  auto kept = Directory::open(host.path()).value();
  CHECK(note_directory(kept, host.path()));
  CHECK(directory_of_host(note) == host.path());
  // One that is not there is named where there is no other: a disk that is not mounted.
  CHECK(note_directory(kept, host.file("usb")));
  CHECK(directory_of_host(note) ==
        (std::filesystem::is_directory(usual) ? usual : host.file("usb")));
}
