#include "agent/host/mounted_files.hpp"
#include "agent/run/k3s_snapshots.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::agent;

namespace {

Settings settings_in(const test::Scratch& scratch) {
  Settings settings;
  settings.config_dir = scratch.path("etc/rancher");
  settings.host_etc_dir = scratch.path("etc");
  return settings;
}

} // namespace

TEST_CASE("a server without configuration files has the defaults") {
  const test::Scratch scratch;
  const K3sPlace place = find_k3s(settings_in(scratch));
  CHECK(place.command.snapshot_dir.empty());
  CHECK_FALSE(place.settings.has("datastore-endpoint"));
  CHECK_FALSE(place.command.logs_to_file);
}

TEST_CASE("the agent knows what the unit, its environment and a configuration elsewhere say") {
  const test::Scratch scratch;
  scratch.write("etc/systemd/system/k3s.service",
                "[Service]\nEnvironmentFile=-/etc/systemd/system/k3s.service.env\n"
                "ExecStart=/usr/local/bin/k3s server --log=/var/log/k3s.log\n");
  scratch.write("etc/systemd/system/k3s.service.env", "K3S_CONFIG_FILE=/etc/k3s/server.yaml\n");
  scratch.write("etc/k3s/server.yaml", "etcd-snapshot-dir: /mnt/snap\nhttps-listen-port: 7443\n");
  scratch.write("etc/rancher/k3s/config.yaml", "etcd-snapshot-dir: /never\n");
  const K3sPlace place = find_k3s(settings_in(scratch));
  CHECK(place.service == "k3s");
  CHECK(place.settings.value("etcd-snapshot-dir") == "/mnt/snap");
  CHECK(place.command.etcd_server == "https://127.0.0.1:7443");
  CHECK(place.command.logs_to_file);
}

TEST_CASE("links of the host are followed as the host follows them") {
  const test::Scratch scratch;
  scratch.write("etc/static/k3s.service", "[Service]\nExecStart=/k3s server --log=/l\n");
  std::filesystem::create_directories(scratch.path("etc/systemd"));
  std::filesystem::create_directory_symlink("/etc/static/units",
                                            scratch.path("etc/systemd/system"));
  std::filesystem::create_directories(scratch.path("etc/static/units"));
  std::filesystem::create_symlink("../k3s.service", scratch.path("etc/static/units/k3s.service"));
  CHECK(find_k3s(settings_in(scratch)).command.logs_to_file);
}

TEST_CASE("what belongs to the container's image says nothing of the host") {
  const test::Scratch scratch;
  const MountedFiles in_a_container(settings_in(scratch));
  CHECK(in_a_container.list("/usr/lib").empty());
  CHECK_FALSE(in_a_container.read("/usr/lib/os-release"));
  Settings settings = settings_in(scratch);
  settings.mountinfo = scratch.path("mountinfo");
  scratch.write("mountinfo",
                "22 1 0:20 / / rw - overlay overlay rw\n"
                "23 22 254:1 /usr/lib /usr/lib ro - ext4 /dev/vda1 ro\n");
  const MountedFiles with_a_mount(settings);
  CHECK(with_a_mount.read("/usr/lib/os-release"));
  CHECK_FALSE(with_a_mount.list("/usr/lib").empty());
  CHECK(with_a_mount.list("/usr/bin").empty());
  const MountedFiles on_the_host{Settings()};
  CHECK_FALSE(on_the_host.list("/usr/lib").empty());
  CHECK(on_the_host.read("/usr/lib/os-release"));
}
