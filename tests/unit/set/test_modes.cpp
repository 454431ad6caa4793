// Holds: on a file system without modes of its own a directory is taken where its mount options let
// nobody else in, and else the options that help are said.
#include "set/directory.hpp"
#include "support/immutable.hpp"
#include "support/temporary_directory.hpp"

#include "base/modes.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

using namespace rb;
using namespace rb::set;

TEST_CASE("the mount options that help are known for exFAT, FAT, NTFS and SMB, and for no other") {
  for (const unsigned long type : {0x2011BAB0UL, 0x4D44UL, 0x5346544EUL, 0x7366746EUL}) {
    CHECK(mount_options_for(type) == "uid=0,gid=0,umask=0077");
  }
  for (const unsigned long type : {0xFF534D42UL, 0xFE534D42UL, 0x517BUL}) {
    CHECK(mount_options_for(type).find("file_mode=0700,dir_mode=0700") != std::string::npos);
  }
  for (const unsigned long type : {0xEF53UL, 0x58465342UL, 0x9123683EUL, 0x6969UL, 0x01021994UL}) {
    CHECK(mount_options_for(type).empty()); // ext4, xfs, btrfs, nfs, tmpfs
  }
}

TEST_CASE("NFS that takes root for somebody else is said, with what the export needs") {
  CHECK(mode_hint(0x6969UL, "chown it").find("no_root_squash") != std::string::npos);
  CHECK(mode_hint(0xEF53UL, "chown it") == "chown it");
  CHECK(refused_root_hint(0x6969UL).find("no_root_squash") != std::string::npos);
  CHECK(refused_root_hint(0x65735546UL).find("allow_root") != std::string::npos);
  CHECK(refused_root_hint(0xEF53UL).empty());
  CHECK(mode_hint(0x2011BAB0UL, "chown it").find("umask=0077") != std::string::npos);
}

TEST_CASE("of what is root's own on NFS or ZFS, an ACL refuses the mode, and no squashing") {
  constexpr unsigned long k_zfs = 0x2FC12FC1UL;
  constexpr unsigned long k_nfs = 0x6969UL;
  CHECK(chmod_hint(k_nfs, true, {}).find("aclmode=discard") != std::string::npos);
  CHECK(chmod_hint(k_zfs, true, {}).find("aclmode=discard") != std::string::npos);
  CHECK(chmod_hint(k_nfs, false, {}).find("no_root_squash") != std::string::npos);
  CHECK(chmod_hint(k_zfs, false, "as it was") == "as it was");
  CHECK(chmod_hint(0x65735546UL, true, {}).find("allow_other") != std::string::npos);
  CHECK(chmod_hint(0xFE534D42UL, true, {}).find("dir_mode=0700") != std::string::npos);
}

// An immutable file refuses chmod as a file system without modes does.
TEST_CASE(
    "a mode that can't be given is no fault where nobody else can read, and one where others can") {
  for (const unsigned shown : {0700U, 0600U, 0750U, 0755U, 0604U}) {
    CAPTURE(shown);
    const test::TemporaryDirectory temporary;
    const std::string path = temporary.file("file");
    test::write_file(path, "text");
    REQUIRE(::chmod(path.c_str(), shown) == 0);
    const Fd fd = open_file(path, O_RDONLY).value();
    const test::Immutable immutable(path);
    if (!immutable.holds()) {
      MESSAGE("NOT RUN: this file system has no immutable files");
      return;
    }
    const Status given = give_mode(fd, 0600, path);
    CHECK(given.has_value() == ((shown & 077U) == 0));
    if (!given) {
      CHECK(given.error().code == ErrorCode::permission_denied);
      CHECK(given.error().message.find("chmod") != std::string::npos);
    }
    // What others may read anyway is given to them by no refusal.
    CHECK(give_mode(fd, 0777, path));
  }
}

TEST_CASE("where chmod is said to be done and is not, others are let in by no mount options") {
  // vfat, exfat and cifs of the kernel answer 0 and change nothing; ntfs-3g does so, too.
  for (const unsigned shown : {0755U, 0777U, 0750U, 0644U}) {
    CAPTURE(shown);
    const Status judged = judge_mode({0, shown, true}, 0600, "/mnt/usb/file");
    REQUIRE_FALSE(judged);
    CHECK(judged.error().code == ErrorCode::permission_denied);
    CHECK(judged.error().message.starts_with("/mnt/usb/file: its mode stays 0"));
    CHECK(judge_mode({0, shown, true}, 0777, "/mnt/usb/file"));
    // Of a file system of which that is not known: FUSE that lets nobody in but who mounted it.
    CHECK(judge_mode({0, shown, false}, 0600, "/mnt/cloud/file"));
  }
  CHECK(judge_mode({0, 0700, true}, 0600, "/mnt/usb/file")); // umask=0077
  CHECK(judge_mode({EPERM, 0700, true}, 0600, "/mnt/usb/file"));
  CHECK_FALSE(judge_mode({EPERM, 0755, false}, 0600, "/mnt/usb/file"));
  CHECK_FALSE(judge_mode({EIO, 0700, true}, 0600, "/mnt/usb/file"));
}

TEST_CASE("of FUSE what is shown counts where others are let in at all") {
  constexpr std::string_view k_mountinfo =
      "25 17 8:5 / /data rw,relatime - ext4 /dev/sda5 rw\n"
      "26 17 8:17 / /media/usb rw,nosuid,nodev,relatime shared:9 - fuseblk /dev/sdb1 "
      "rw,user_id=0,group_id=0,allow_other,blksize=4096\n"
      "27 17 0:48 / /mnt/cloud rw,nosuid,nodev,relatime shared:30 - fuse.rclone box: "
      "rw,user_id=0,group_id=0\n";
  constexpr unsigned long k_fuse = 0x65735546UL;
  CHECK(has_masked_modes(k_fuse, k_mountinfo, "8:17"));
  CHECK_FALSE(has_masked_modes(k_fuse, k_mountinfo, "0:48"));
  CHECK_FALSE(has_masked_modes(k_fuse, k_mountinfo, "8:1"));
  CHECK(has_masked_modes(0x2011BAB0UL, {}, "8:17"));
  CHECK(has_masked_modes(0xFE534D42UL, {}, "0:50"));
  CHECK_FALSE(has_masked_modes(0xEF53UL, k_mountinfo, "8:5"));
}

TEST_CASE("a backup directory with a mode of its mount options is opened") {
  const test::TemporaryDirectory temporary;
  const std::string path = temporary.file("backups");
  std::filesystem::create_directory(path);
  REQUIRE(::chmod(path.c_str(), 0500) == 0);
  {
    const test::Immutable immutable(path);
    if (!immutable.holds()) {
      MESSAGE("NOT RUN: this file system has no immutable directories");
      return;
    }
    CHECK(Directory::open(path));
  }
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  const test::Immutable immutable(path);
  const auto opened = Directory::open(path);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message == path + ": chmod: operation not permitted");
}
