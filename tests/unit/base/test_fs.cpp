// Names that are given without replacing, on file systems that can do less than ext4.
#include "support/scratch.hpp"

#include "base/disk_space.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <thread>

using namespace rb;

namespace {

enum class Lacks { noreplace, hard_links_too };

/// From here on this thread, and no other, is on a file system that lacks that. False: it can't be
/// had.
bool lose(Lacks what) {
  const bool links = what == Lacks::hard_links_too;
  // glibc's renameat(2) is a renameat2 without flags where the kernel has no other.
  std::array<sock_filter, 8> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_linkat, 4, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 4 * sizeof(__u64)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K,
               links ? SECCOMP_RET_ERRNO | static_cast<unsigned>(EPERM)
                     : static_cast<unsigned>(SECCOMP_RET_ALLOW)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// What rename_new gives there for a name that is new, and for one that is taken.
struct Renamed {
  bool lost = false;
  Status to_new;
  Status to_taken;
};

Renamed rename_without(Lacks what, const std::string& directory) {
  Renamed renamed;
  std::thread([&] {
    renamed.lost = lose(what);
    const auto fs =
        open_fs(Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), directory);
    renamed.to_new = fs->rename_new("one.part", "one");
    renamed.to_taken = fs->rename_new("two.part", "two");
  }).join();
  return renamed;
}

} // namespace

TEST_CASE("a file gets its name, and none is replaced, whatever the file system can do") {
  for (const Lacks what : {Lacks::noreplace, Lacks::hard_links_too}) {
    CAPTURE(static_cast<int>(what));
    const test::Scratch scratch;
    scratch.write("one.part", "1");
    scratch.write("two.part", "new");
    scratch.write("two", "old");
    const Renamed renamed = rename_without(what, scratch.path());
    if (!renamed.lost) {
      MESSAGE("NOT RUN: seccomp is not allowed here");
      return;
    }
    CHECK(renamed.to_new);
    CHECK(scratch.read("one") == "1");
    CHECK_FALSE(scratch.exists("one.part"));
    REQUIRE_FALSE(renamed.to_taken);
    CHECK(renamed.to_taken.error().code == ErrorCode::already_exists);
    CHECK(scratch.read("two") == "old");
    CHECK(scratch.read("two.part") == "new");
  }
}

TEST_CASE("a disk that calls itself endless is large, and not full") {
  struct statvfs disk {};
  disk.f_frsize = 4096;
  disk.f_blocks = 1000;
  disk.f_bavail = 900;
  CHECK(space_of(disk).total_bytes == 4096000);
  CHECK(space_of(disk).available_bytes == 3686400);
  disk.f_blocks = disk.f_bavail = std::uint64_t{1} << 52U; // 16 EiB, as s3fs has it
  CHECK(space_of(disk).available_bytes == std::uint64_t{INT64_MAX});
  CHECK(space_of(disk).total_bytes == std::uint64_t{INT64_MAX});
}

TEST_CASE("a link that was made though the server's answer was lost is no failure") {
  const test::Scratch scratch;
  scratch.write("one.part", "1");
  std::filesystem::create_hard_link(scratch.path("one.part"), scratch.path("one"));
  scratch.write("two.part", "new");
  scratch.write("two", "old");
  const Renamed renamed = rename_without(Lacks::noreplace, scratch.path());
  if (!renamed.lost) {
    MESSAGE("NOT RUN: seccomp is not allowed here");
    return;
  }
  CHECK(renamed.to_new);
  CHECK(scratch.read("one") == "1");
  CHECK_FALSE(scratch.exists("one.part"));
  CHECK_FALSE(renamed.to_taken);
  CHECK(scratch.read("two") == "old");
}

TEST_CASE("a directory that its file system has no sync for is synced as far as that goes") {
  // The kernel answers EINVAL for those of /proc, as for a shared folder of VirtualBox.
  const auto fs = open_fs(Fd(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)), "/proc");
  CHECK(fs->sync_directory());
  const Fd gone;
  CHECK_FALSE(sync_directory(gone, "gone"));
}
