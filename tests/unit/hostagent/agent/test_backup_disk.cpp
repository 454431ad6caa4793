#include "agent/host/backup_disk.hpp"
#include "set/directory.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::agent;

namespace {

const std::string k_usb = "/mnt/usb/railiance/cluster";
/// What a pod sees of a directory of the system's disk, and of one on a disk that is mounted.
const std::string k_root = "100 90 0:50 / / rw - overlay overlay rw\n";
const std::string k_pod_unmounted =
    k_root + "101 100 254:1 /mnt/usb /mnt/usb rw master:1 - ext4 /dev/vda1 rw\n";
const std::string k_pod_mounted =
    k_pod_unmounted + "102 101 8:1 / /mnt/usb rw master:9 - ext4 /dev/sda1 rw\n";

struct World {
  test::TemporaryDirectory temporary;
  Settings settings;

  World() {
    settings.backup_dir = temporary.file("usb/cluster");
    settings.key_dir = temporary.file("keys");
    settings.host_etc_dir = temporary.file("etc");
    settings.mountinfo = temporary.file("mountinfo"); // whatever TMPDIR is on
    test::write_file(settings.mountinfo, "1 0 254:1 / / rw - ext4 /dev/vda1 rw\n");
    std::filesystem::create_directories(settings.host_etc_dir + "/systemd/system");
  }
  Result<set::Directory> open() { return open_backup_directory(settings, set::Directory::open); }
  /// As when another disk is mounted in its place.
  void swap_disk(const std::string& away) const {
    std::filesystem::rename(settings.backup_dir, temporary.file(away));
  }
};

} // namespace

TEST_CASE("fstab and mount units name mount points") {
  const auto points = mount_points_of_fstab("# /dev/sdz /none ext4\n"
                                            "UUID=1 / ext4 defaults 0 1\n"
                                            "UUID=2 none swap sw 0 0\n"
                                            "\n"
                                            "LABEL=usb\t/srv/my\\040disk/ ext4 noauto 0 2\n"
                                            "nas:/b /backup nfs");
  CHECK(points == std::vector<std::string>{"/srv/my disk", "/backup"});
  CHECK(mount_point_of_unit("[Mount]\nWhat=/dev/sda1\nWhere=/srv/usb\n") == "/srv/usb");
  CHECK(mount_point_of_unit("[Mount]\nWhere=\n").empty());
}

TEST_CASE("a bind mount is of a disk where what is bound is on one") {
  // As impermanence and home-grown layouts have it: the data of the system's disk, at another
  // place.
  const auto points = mount_points_of_fstab("/persist/opt/backup /opt/backup none bind 0 0\n"
                                            "/data/b /srv/b none rw,rbind 0 0\n"
                                            "/mnt/usb/b /backup none bind,nofail 0 0\n"
                                            "UUID=1 / btrfs subvol=@ 0 0\n"
                                            "UUID=1 /persist btrfs subvol=@persist 0 0\n"
                                            "UUID=2 /disk ext4 nofail 0 2\n"
                                            "/disk/b /b none bind 0 0\n");
  CHECK(points == std::vector<std::string>{"/disk", "/backup", "/b"});
}

TEST_CASE("a disk is expected where the host says so, or where disks are mounted by convention") {
  CHECK(expected_mount("/opt/backup/railiance/cluster", "auto", {"/home", "/opt/b"}).empty());
  CHECK(expected_mount("/srv/a/b", "auto", {"/srv", "/srv/a", "/srv/a/bc"}) == "/srv/a");
  CHECK(expected_mount(k_usb, "auto", {}) == "/mnt/usb");
  CHECK(expected_mount("/media/disk", "auto", {}) == "/media/disk");
  CHECK(expected_mount("/run/media/me/disk/x", "auto", {}) == "/run/media/me/disk");
  CHECK(expected_mount(k_usb, "none", {"/mnt/usb"}).empty());
  CHECK(expected_mount(k_usb, "/mnt/usb/", {}) == "/mnt/usb");
}

TEST_CASE("a directory is on a disk of its own only where its path there is not the whole path") {
  CHECK_FALSE(is_mounted(k_pod_unmounted, k_usb));
  CHECK(is_mounted(k_pod_mounted, k_usb));
  // On the host; with btrfs, whose root is a subvolume; with a bind of the directory alone.
  CHECK_FALSE(is_mounted("1 0 254:1 / / rw - ext4 /dev/vda1 rw\n", k_usb));
  CHECK_FALSE(is_mounted("1 0 0:21 /@ / rw - btrfs /dev/vda1 rw\n", k_usb));
  CHECK(is_mounted("1 0 0:21 /@ / rw - btrfs /dev/vda1 rw\n2 1 0:30 /@b /mnt/usb rw - btrfs d rw\n",
                   k_usb));
  CHECK_FALSE(is_mounted(k_root + "2 1 254:1 " + k_usb + " " + k_usb + " rw - ext4 d rw\n", k_usb));
  CHECK(is_mounted(k_root + "2 1 8:1 /railiance/cluster " + k_usb + " rw - ext4 d rw\n", k_usb));
  CHECK(is_mounted("1 0 254:1 / / rw - ext4 d rw\n2 1 8:1 / /mnt/a\\040b rw - ext4 d rw\n",
                   "/mnt/a b/c"));
  CHECK_FALSE(is_mounted("", k_usb));
}

TEST_CASE("the subvolumes of a system on btrfs are the disk of the system") {
  // As openSUSE and MicroOS are laid out.
  const auto points = mount_points_of_fstab("UUID=1 / btrfs ro 0 0\n"
                                            "UUID=1 /.snapshots btrfs subvol=/@/.snapshots 0 0\n"
                                            "UUID=1 /var btrfs subvol=/@/var 0 0\n"
                                            "UUID=1 /opt btrfs subvol=/@/opt 0 0\n"
                                            "UUID=2 /srv ext4 defaults 0 2\n");
  CHECK(points == std::vector<std::string>{"/srv"});
  CHECK(expected_mount("/opt/backup/railiance/cluster", "auto", points).empty());
}

TEST_CASE("what is on another device is mounted, although its path there is the same") {
  const std::string directory = "/backup/cluster";
  // A bind mount of DISK/backup, and a subvolume of another disk that is called as its place.
  const std::string etc = "101 100 254:1 /etc /host/etc ro - ext4 /dev/vda1 rw\n";
  const std::string pod = k_root + etc + "102 100 8:1 " + directory + " " + directory;
  CHECK(is_mounted(pod + " rw master:1 - ext4 /dev/sda1 rw\n", directory, "/host/etc"));
  CHECK_FALSE(is_mounted(k_root + etc + "102 100 254:1 " + directory + " " + directory +
                             " rw - ext4 /dev/vda1 rw\n",
                         directory,
                         "/host/etc"));
  // An overlay at /etc tells nothing of the disk below it.
  CHECK_FALSE(is_mounted(k_root + "101 100 0:40 / /host/etc ro - overlay overlay rw\n102 100 8:1 " +
                             directory + " " + directory + " rw - ext4 /dev/sda1 rw\n",
                         directory,
                         "/host/etc"));
}

TEST_CASE("where the disk is not mounted, nothing is made, and the setting is named") {
  World world;
  test::write_file(world.settings.host_etc_dir + "/fstab",
                   "UUID=1 " + world.temporary.file("usb") + " ext4 noauto 0 2\n");
  const auto refused = world.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().message.find("is not mounted") != std::string::npos);
  CHECK(refused.error().hint.find("agent.backupMount=none") != std::string::npos);
  CHECK(refused.error().hint.find("railiance-backup install --backup-dir") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(world.temporary.file("usb")));
  world.settings.backup_mount = "none"; // the operator's word
  CHECK(world.open());
}

TEST_CASE("fstab and mount units that are links say what they say, as with Nix") {
  World world;
  const std::string etc = world.settings.host_etc_dir;
  const std::string usb = world.temporary.file("usb");
  std::filesystem::create_directories(world.temporary.file("store"));
  SUBCASE("fstab, through a link of the host's /etc") {
    test::write_file(world.temporary.file("store/fstab"), "UUID=1 " + usb + " ext4 nofail 0 2\n");
    std::filesystem::create_symlink(world.temporary.file("store"), etc + "/static");
    std::filesystem::create_symlink("/etc/static/fstab", etc + "/fstab");
  }
  SUBCASE("a unit") {
    test::write_file(world.temporary.file("store/usb.mount"), "[Mount]\nWhere=" + usb + "\n");
    std::filesystem::create_symlink(world.temporary.file("store/usb.mount"),
                                    etc + "/systemd/system/usb.mount");
  }
  const auto refused = world.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("is not mounted") != std::string::npos);
}

TEST_CASE("where the sets go is noted for the commands of the host") {
  World world;
  const std::string note = world.settings.key_dir + "/backup-directory";
  REQUIRE(world.open());
  CHECK(test::read_file(note) == world.settings.backup_dir + "\n");
  CHECK(set::directory_of_host(note) == world.settings.backup_dir);
  world.settings.backup_dir = world.temporary.file("elsewhere");
  REQUIRE(world.open());
  CHECK(set::directory_of_host(note) == world.settings.backup_dir);
  // A note that cannot be written is no reason to have no backup.
  std::filesystem::remove(note);
  std::filesystem::create_directories(note + "/x");
  CHECK(world.open());
}

TEST_CASE("a set never goes to another disk than the last one without the operator's word") {
  World world;
  REQUIRE(world.open());
  CHECK(world.open());
  world.swap_disk("usb-a");
  const auto refused = world.open();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().hint.find("touch " + world.settings.backup_dir + "/.new-disk") !=
        std::string::npos);
  CHECK_FALSE(world.open());
  test::write_file(world.settings.backup_dir + "/.new-disk", "");
  CHECK(world.open());
  CHECK_FALSE(std::filesystem::exists(world.settings.backup_dir + "/.new-disk"));
  CHECK(world.open());
  // Two disks in turn: each was allowed once.
  world.swap_disk("usb-b");
  std::filesystem::rename(world.temporary.file("usb-a"), world.settings.backup_dir);
  CHECK(world.open());
}

TEST_CASE(
    "an agent whose disk is not the one that is meant takes orders, so that the run says why") {
  CHECK(takes_orders_despite({ErrorCode::unavailable, "not mounted", {}}));
  CHECK(takes_orders_despite({ErrorCode::busy, "another run", {}}));
  CHECK_FALSE(takes_orders_despite({ErrorCode::permission_denied, "read-only", {}}));
}

TEST_CASE("another path is the operator's word, and so is a host that knows no disk yet") {
  World world;
  REQUIRE(world.open());
  world.settings.backup_dir = world.temporary.file("elsewhere");
  CHECK(world.open());
  std::filesystem::remove_all(world.settings.key_dir);
  CHECK(world.open());
  CHECK(test::mode_of(world.settings.key_dir + "/backup-disks") == "600");
}
