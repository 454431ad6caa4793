// Holds: steps of RESTORE.md as an operator runs them, on hosts as they are.
#include "set/restore_guide.hpp"
#include "support/emulator.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "archive/tar_gz.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace rb;
using namespace rb::set;

namespace {

/// A directory in which the guide finds its backups, k3s's data and configuration, and programs of
/// the test's own.
class Place {
public:
  Place() {
    std::filesystem::create_directories(bin());
    std::filesystem::create_directories(backups());
    program("systemctl", "exit 0");
    program("k3s", "exit 0");
  }

  [[nodiscard]] std::string path(const std::string& name) const { return m_directory.file(name); }
  [[nodiscard]] std::string bin() const { return path("bin"); }
  [[nodiscard]] std::string backups() const { return path("backups"); }
  [[nodiscard]] std::string data() const { return path("lib/my k3s"); }
  [[nodiscard]] std::string work() const { return data() + "-restore"; }

  void program(const std::string& name, const std::string& script) const {
    write(bin() + "/" + name, "#!/bin/sh\n" + script + "\n", 0755);
  }

  static void write(const std::string& file, const std::string& content, mode_t mode) {
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    test::write_file(file, content);
    REQUIRE(::chmod(file.c_str(), mode) == 0);
  }

  /// The commands below the headings that begin so.
  [[nodiscard]] std::string steps(const std::string& numbers) const {
    const std::string text = restore_guide(test::make_manifest("20261122T020000Z"),
                                           {backups(), data(), path("etc/rancher"), ""});
    std::string commands;
    for (const char number : numbers) {
      const std::size_t heading = text.find(std::string("\n### ") + number + ".");
      REQUIRE(heading != std::string::npos);
      const std::size_t begin = text.find("```sh\n", heading) + 6;
      commands += text.substr(begin, text.find("```", begin) - begin);
    }
    return commands;
  }

  /// What sh makes of them, with its words in the file "said"; 124: it does not end.
  [[nodiscard]] int run(const std::string& commands, const std::string& by = "sh") const {
    test::write_file(path("step"), "KEYS=keys.txt\nPATH=" + bin() + ":$PATH\n" + commands);
    const std::string line =
        "timeout 20 " + by + " " + path("step") + " >" + path("said") + " 2>&1";
    return WEXITSTATUS(std::system(line.c_str())); // NOLINT(cert-env33-c): as somebody types it
  }
  [[nodiscard]] std::string said() const { return test::read_file(path("said")); }

private:
  test::TemporaryDirectory m_directory;
};

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE(
    "guide: directories that are there keep their modes, and new ones are as k3s makes them") {
  const Place place;
  place.program("age", "cp \"$6\" \"$5\""); // -d -i KEYS -o OUT FILE
  place.program("sha256sum", "cat >/dev/null");
  const Manifest set = test::make_manifest("20261122T020000Z");
  const auto entry = [](const std::string& path, unsigned mode) {
    return archive::Entry{path.substr(1), SecretBytes(as_bytes("of the set")), mode, {}};
  };
  const std::string config = place.path("etc/rancher/k3s/config.yaml");
  const std::string manifests = place.data() + "/server/manifests";
  const archive::Entry files[] = {entry(place.data() + "/server/token", 0600),
                                  entry(manifests + "/my küche.yaml", 0644),
                                  entry(place.data() + "/server/tls/server-ca.key", 0600),
                                  entry(config, 0644),
                                  entry(place.path("etc/rancher/node/password"), 0600),
                                  entry(place.path("etc/audit.yaml"), 0644),
                                  entry(place.path("etc/own.yaml"), 0644)};
  const auto packed = archive::write_tar_gz(files);
  REQUIRE(packed);
  for (const api::ArtifactStatus& artifact : set.artifacts) {
    const bool host_state = artifact.type == api::ArtifactType::host_state;
    Place::write(place.backups() + "/" + artifact.file_name,
                 host_state ? std::string(as_text(packed->view())) : "x",
                 0600);
  }
  Place::write(config, "of this host", 0600);
  Place::write(place.path("etc/own.yaml"), "of this host", 0600);
  REQUIRE(::chmod(place.path("etc/rancher/k3s").c_str(), 0750) == 0);

  INFO(place.steps("124"));
  const int status = place.run(place.steps("124"));
  INFO(place.said());
  REQUIRE(status == 0);
  CHECK(test::read_file(config) == "of the set");
  CHECK(test::read_file(place.work() + "/before" + config) == "of this host");
  CHECK(test::mode_of(place.path("etc/rancher/k3s")) == "750");
  CHECK(test::mode_of(place.path("etc/rancher/node")) == "755");
  CHECK(test::mode_of(place.path("lib")) == "755"); // /var/lib/rancher of a bare host
  CHECK(test::mode_of(place.data()) == "755");
  CHECK(test::mode_of(place.work()) == "700");
  CHECK(test::mode_of(place.data() + "/server") == "700"); // manifests may hold passwords
  CHECK(test::read_file(manifests + "/my küche.yaml") == "of the set");
  CHECK(test::mode_of(manifests + "/my küche.yaml") == "644");
  CHECK_FALSE(std::filesystem::exists(place.data() + "/server/tls"));
  CHECK(test::read_file(place.path("etc/audit.yaml")) == "of the set");
  CHECK(test::read_file(place.path("etc/own.yaml")) == "of this host");
}

TEST_CASE("guide: k3s in a container is another one; an agent of this host is none to go on with") {
  if (::geteuid() != 0) {
    return; // only root makes namespaces
  }
  if (test::is_emulated()) {
    MESSAGE("NOT RUN: no mount namespace can be made in a chroot");
    return;
  }
  const Place place;
  for (const char* const name : {"k3s-server", "k3s-agent"}) {
    std::filesystem::copy_file("/bin/sleep", place.bin() + "/" + name);
  }
  const auto with = [&](const std::string& process, const std::string& name) {
    return place.run("set -eu\n" + process + " 60 &\nuntil grep -qx " + name +
                         " /proc/[0-9]*/comm 2>/dev/null; do sleep 0.1; done\n" + place.steps("3"),
                     "unshare -pf --mount-proc sh");
  };
  CHECK(with("unshare -pf k3s-server", "k3s-server") == 0);
  INFO(place.said());
  CHECK(with("k3s-server", "k3s-server") == 1);
  CHECK(has(place.said(), "k3s still runs"));
  CHECK(with("k3s-agent", "k3s-agent") == 1);
  CHECK(with("sleep", "sleep") == 0);
}

TEST_CASE("guide: the flags of a unit reach the reset as systemd reads them") {
  const Place place;
  place.program("k3s", R"(printf '[%s]\n' "$@"; umask)");
  Place::write(place.data() + "/server/token", "K10a::server:b\n", 0600);
  Place::write(place.path("units/k3s.service"),
               "[Service]\n  Environment = SIZE=1\n"
               "  ExecStart = /nix/store/a-k3s/bin/k3s server -d /mnt/k3s \\\n"
               "  # --node-ip 192.0.2.1 \\\n; no traefik\n"
               "  --kubelet-arg=eviction-hard=memory.available<5%,nodefs.available<10% \\\n"
               "  '--node-label=a=b;c' --tls-san * --etcd-arg=x=${SIZE}\n",
               0644);
  std::string commands = "set -eu\numask 077\nWORK=/w\n" + place.steps("5");
  const std::string units = "/etc/systemd/system";
  for (std::size_t at = commands.find(units); at != std::string::npos;
       at = commands.find(units, at + 1)) {
    commands.replace(at, units.size(), place.path("units"));
  }
  const int status = place.run(commands);
  INFO(place.said());
  CHECK(status == 0);
  CHECK(has(place.said(),
            "[server]\n[--data-dir]\n[/mnt/k3s]\n"
            "[--kubelet-arg=eviction-hard=memory.available<5%,nodefs.available<10%]\n"
            "[--node-label=a=b;c]\n[--tls-san]\n[*]\n[--etcd-arg=x=1]\n[--cluster-reset]\n"));
  CHECK(has(place.said(), "0022\n")); // what it unpacks is everybody's to run
}

TEST_CASE(
    "guide: a service of another name is the one that is stopped, read, installed and started") {
  GuideFacts facts{"/backups", "/var/lib/rancher/k3s", "/etc/rancher", "", "k3s-prod"};
  for (const api::DatastoreKind kind : {api::DatastoreKind::etcd, api::DatastoreKind::sqlite}) {
    Manifest set = test::make_manifest("20261122T020000Z");
    set.snapshot->kind = kind;
    const std::string text = restore_guide(set, facts);
    CHECK(has(text, "INSTALL_K3S_NAME=prod INSTALL_K3S_SKIP_START=true sh -s - server"));
    for (const char* const line :
         {"\nsystemctl stop k3s-prod || true\n",
          "\nsystemctl enable k3s-prod || true\nsystemctl start k3s-prod\n",
          "/etc/systemd/system/k3s-prod.service.d/*.conf",
          "/etc/init.d/k3s-prod",
          "/etc/rancher/k3s/k3s-prod.env"}) {
      CAPTURE(line);
      CHECK(has(text, line));
    }
    CHECK_FALSE(has(text, "/k3s.service"));
  }
  facts.service = {};
  CHECK_FALSE(has(restore_guide(test::make_manifest("20261122T020000Z"), facts), "K3S_NAME"));
}

TEST_CASE("guide: that the API is ready is said of this cluster, whatever KUBECONFIG names") {
  const Place place;
  place.program("k3s", "[ -z \"${KUBECONFIG:-}\" ] && echo \"$@\"");
  CHECK(place.run("set -eu\nexport KUBECONFIG=/root/.kube/other\n" + place.steps("6")) == 0);
  CHECK(has(place.said(), "kubectl get nodes\n"));
}
