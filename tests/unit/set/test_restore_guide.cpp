#include "set/restore_guide.hpp"
#include "support/emulator.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace rb;
using namespace rb::set;

namespace {

const GuideFacts k_facts{"/opt/backup/railiance/cluster",
                         "/var/lib/rancher/k3s",
                         "/etc/rancher",
                         "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"};

Manifest manifest() {
  return test::make_manifest("20261122T020000Z");
}

Manifest of_sqlite() {
  Manifest set = manifest();
  set.snapshot->kind = api::DatastoreKind::sqlite;
  for (api::ArtifactStatus& artifact : set.artifacts) {
    artifact.file_name = api::file_name(artifact.type, set.run_id, api::DatastoreKind::sqlite);
  }
  return set;
}

bool has(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE("guide: the bytes are those of the golden file") {
  const std::string path = std::string(RB_SOURCE_DIR) + "/tests/golden/artifact/RESTORE.md";
  const std::string text = restore_guide(manifest(), k_facts);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    test::write_file(path, text);
  }
  CHECK(text == test::read_file(path));
}

TEST_CASE("guide: our commands look where the sets are") {
  GuideFacts facts = k_facts;
  facts.backup_dir = "/mnt/my usb/railiance";
  CHECK(has(restore_guide(manifest(), facts),
            "\ncd '/mnt/my usb/railiance'\nexport RAILIANCE_BACKUP_DIR='/mnt/my usb/railiance'\n"));
  CHECK_FALSE(has(restore_guide(manifest(), k_facts), "RAILIANCE_BACKUP_DIR"));
}

TEST_CASE("guide: a `server:` in a drop-in stops it, too, and programs are found where sudo does "
          "not look") {
  const test::TemporaryDirectory etc;
  GuideFacts facts = k_facts;
  facts.config_dir = etc.path();
  const std::string text = restore_guide(manifest(), facts);
  const std::size_t begin = text.find("if grep -sE ", text.find("### 4. "));
  REQUIRE(begin != std::string::npos);
  const std::string check = text.substr(begin, text.find("\nfi\n", begin) + 4 - begin);
  const auto passes = [&] {
    return std::system(("(" + check + ") >/dev/null 2>&1").c_str()) == 0; // NOLINT(cert-env33-c)
  };
  std::filesystem::create_directories(etc.path() + "/k3s/config.yaml.d");
  CHECK(passes());
  test::write_file(etc.path() + "/k3s/config.yaml", "token: x\n");
  test::write_file(etc.path() + "/k3s/config.yaml.d/zz-rejoin.yaml",
                   "server: https://192.0.2.11:6443\n");
  CHECK_FALSE(passes());
  // Most hosts have no drop-ins: grep's exit code is then that of a missing file, found or not.
  std::filesystem::remove_all(etc.path() + "/k3s/config.yaml.d");
  CHECK(passes());
  test::write_file(etc.path() + "/k3s/config.yaml", "server: https://192.0.2.11:6443\n");
  CHECK_FALSE(passes());
  // As Terraform writes it, with a quoted key; of a cluster of one server it names none.
  test::write_file(etc.path() + "/k3s/config.yaml", "\"server\": \"https://192.0.2.11:6443\"\n");
  CHECK_FALSE(passes());
  test::write_file(etc.path() + "/k3s/config.yaml", // of Rancher, in JSON
                   "{\n  \"server\": \"https://192.0.2.11:6443\"\n}\n");
  CHECK_FALSE(passes());
  test::write_file(etc.path() + "/k3s/config.yaml",
                   "\"server\": null\n# server: https://192.0.2.11:6443\n");
  CHECK(passes());
  CHECK(has(text, "\nPATH=$PATH:/usr/local/bin:/opt/bin "));
}

TEST_CASE("guide: of SQLite nothing is touched where k3s would make a new cluster of the copy") {
  const test::TemporaryDirectory etc;
  GuideFacts facts = k_facts;
  facts.config_dir = etc.path();
  Manifest set = manifest();
  set.snapshot->kind = api::DatastoreKind::sqlite;
  const std::string text = restore_guide(set, facts);
  const std::size_t step = text.find("### 5. The copy takes the place");
  REQUIRE(step != std::string::npos);
  const std::size_t begin = text.find("if grep -sE ", step);
  REQUIRE(begin < text.find("\ndb=", step));
  const std::string check = text.substr(begin, text.find("\nfi\n", begin) + 4 - begin);
  const auto passes = [&] {
    return std::system(("(" + check + ") >/dev/null 2>&1").c_str()) == 0; // NOLINT(cert-env33-c)
  };
  const std::string config = etc.path() + "/k3s/config.yaml";
  std::filesystem::create_directories(etc.path() + "/k3s");
  CHECK(passes());
  for (const char* const harmless :
       {"cluster-init: false\n", "token: x\n", "# cluster-init: true\n"}) {
    CAPTURE(harmless);
    test::write_file(config, harmless);
    CHECK(passes());
  }
  for (const char* const line : {"cluster-init: true\n",
                                 "cluster-init: \"true\"\n",
                                 "\"cluster-init\": true\n",
                                 "{\n  \"cluster-init\": true,\n",
                                 "node-ip: 1\ncluster-init:   true\n"}) {
    CAPTURE(line);
    test::write_file(config, line);
    CHECK_FALSE(passes());
  }
  test::write_file(config, "");
  test::write_file(etc.path() + "/k3s/k3s.env", "command_args=\"server --cluster-init --debug\"\n");
  CHECK_FALSE(passes());
}

TEST_CASE("guide: the files of this set, each with its digest") {
  const Manifest set = manifest();
  const std::string text = restore_guide(set, k_facts);
  for (const api::ArtifactStatus& artifact : set.artifacts) {
    CHECK(has(text, artifact.sha256 + "  " + artifact.file_name + "\n"));
  }
  CHECK(has(text, set.snapshot->file_sha256 + "  $WORK/snapshot"));
  CHECK(has(text, "INSTALL_K3S_VERSION=v1.34.4+k3s1"));
  for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
    CHECK(text.at(at + 1) == '"'); // "$@", and no place that was not filled in
  }
}

TEST_CASE("guide: the other servers by name and address, and their commands") {
  Manifest set = manifest();
  set.servers = {
      {set.node_name, "192.0.2.11", {}}, {"server-2", "2001:db8::2", {}}, {"server-3", {}, {}}};
  const std::string text = restore_guide(set, k_facts);
  CHECK(has(text, "- `" + set.node_name + "` at `192.0.2.11`, which made this set\n"));
  CHECK(has(text, "- `server-2` at `2001:db8::2`\n- `server-3`\n"));
  CHECK(has(text,
            "railiance-restore rejoin -i ~/.config/sops/age/keys.txt --backup-dir "
            "/opt/backup/railiance/cluster --server https://192.0.2.11:6443\n"));
  CHECK(has(text, "echo 'server: https://192.0.2.11:6443' >/etc/rancher/k3s/config.yaml.d/"));
  set.snapshot->kind = api::DatastoreKind::sqlite; // one server has it
  CHECK_FALSE(has(restore_guide(set, k_facts), "rejoin"));
}

TEST_CASE("guide: what a post-quantum key or a token asks of age is said, and only there") {
  Manifest set = manifest();
  CHECK_FALSE(has(restore_guide(set, k_facts), "age 1.3"));
  set.recipients = {"age1pq1qqq"};
  CHECK(has(restore_guide(set, k_facts), "takes age 1.3 or newer"));
  CHECK_FALSE(has(restore_guide(set, k_facts), "PLUGIN"));
  set.recipients = {"age1xxx", "age1tag1qqq"};
  CHECK(has(restore_guide(set, k_facts), "age -d -j PLUGIN"));
  CHECK_FALSE(has(restore_guide(set, k_facts), "post-quantum"));
}

TEST_CASE(
    "guide: after a rewrap it says what the new keys ask of age, and of the old ones nothing") {
  Manifest before = manifest();
  for (const char* const recipient : {"age1pq1qqq", "age1tag1qqq", "age1xxx", "age1tagpq1qqq"}) {
    CAPTURE(recipient);
    Manifest now = before;
    now.recipients = {recipient};
    const auto followed = guide_after_rewrap(restore_guide(before, k_facts), before, now);
    REQUIRE(followed);
    CHECK(*followed == restore_guide(now, k_facts));
    before = now;
  }
}

TEST_CASE("guide: the flags of a reset are read wherever an operator may have put them") {
  const std::string text = restore_guide(manifest(), k_facts);
  for (const char* const place : {"/etc/systemd/system/k3s.service ",
                                  "/etc/systemd/system/k3s.service.d/*.conf",
                                  "EnvironmentFile=",
                                  "/etc/init.d/k3s",
                                  "/etc/conf.d/k3s",
                                  "/etc/rancher/k3s/k3s.env"}) {
    CAPTURE(place);
    CHECK(has(text, place));
  }
  CHECK(has(text, "export K3S_DATA_DIR=/var/lib/rancher/k3s"));
}

TEST_CASE("guide: what the configuration names goes back, too; what the snapshot brings does not") {
  const std::string text = restore_guide(manifest(), k_facts);
  CHECK(has(text, "tar -tzf \"$WORK/host-state.tar.gz\""));
  CHECK(has(text, "/var/lib/rancher/k3s/server/tls/* | /var/lib/rancher/k3s/server/cred/*"));
}

TEST_CASE("guide: the token is nowhere an argument") {
  const std::string text = restore_guide(manifest(), k_facts);
  CHECK(has(text, "export K3S_TOKEN"));
  CHECK_FALSE(has(text, "--token"));
}

TEST_CASE("guide: a set without host state says what cannot be done with it") {
  Manifest set = manifest();
  std::erase_if(set.artifacts, [](const api::ArtifactStatus& artifact) {
    return artifact.type == api::ArtifactType::host_state;
  });
  const std::string text = restore_guide(set, k_facts);
  CHECK(has(text, "This set has no host state"));
  CHECK_FALSE(has(text, "host-state-"));
  CHECK_FALSE(has(text, "put_back"));
  CHECK(std::count(text.begin(), text.end(), '`') % 2 == 0);
}

TEST_CASE("guide: paths and names cannot become commands") {
  Manifest set = manifest();
  set.node_name = "n`poweroff`";
  set.k3s_version = "v1.34.4+k3s1; reboot";
  const std::string text = restore_guide(set, {"/opt/it's here", "/data dir", "/etc/rancher"});
  CHECK(has(text, "cd '/opt/it'\\''s here'\n"));
  CHECK(has(text, "--data-dir='/data dir'"));
  CHECK_FALSE(has(text, "`poweroff"));
  CHECK_FALSE(has(text, "; reboot"));
}

TEST_CASE("shell_word: quotes what sh would take apart") {
  CHECK(shell_word("/var/lib/rancher/k3s") == "/var/lib/rancher/k3s");
  CHECK(shell_word("").empty() == false);
  CHECK(shell_word("") == "''");
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("$(x)") == "'$(x)'");
  CHECK(shell_word("it's") == "'it'\\''s'");
}

TEST_CASE("guide: a set of SQLite is put in place, and nothing is reset") {
  const std::string text = restore_guide(of_sqlite(), k_facts);
  CHECK(has(text, "| SQLite | revision "));
  CHECK(has(text, "sqlite-20261122T020000Z.db.age"));
  CHECK(has(text, "\"sqlite-$SET.db.age\""));
  CHECK(has(text, "state.db-wal"));
  CHECK_FALSE(has(text, "cluster-reset"));
  CHECK_FALSE(has(text, "@pattern@"));
}

TEST_CASE("guide: of SQLite, certificates on a disk of their own go aside, too") {
  if (::geteuid() != 0) {
    return; // only root mounts
  }
  if (test::is_emulated()) {
    MESSAGE("NOT RUN: no mount namespace can be made in a chroot");
    return;
  }
  const test::TemporaryDirectory disk;
  GuideFacts facts = k_facts;
  facts.data_dir = disk.file("my k3s");
  const std::string server = facts.data_dir + "/server";
  for (const char* const name : {"/db", "/tls", "/cred"}) {
    std::filesystem::create_directories(server + name);
  }
  test::write_file(disk.file("snapshot"), "rows");
  test::write_file(server + "/cred/old", "x");
  const std::string text = restore_guide(of_sqlite(), facts);
  const std::size_t begin = text.find("db=", text.find("### 5."));
  test::write_file(disk.file("step"),
                   "set -eu\nWORK=" + disk.path() + "\nmount -t tmpfs none '" + server +
                       "/tls'\necho x >'" + server + "/tls/old'\n" +
                       text.substr(begin, text.find("```", begin) - begin) +
                       "[ -e \"$old/tls/old\" ] && [ ! -e '" + server + "/tls/old' ]\n" +
                       "[ -e \"$old/cred/old\" ] && [ ! -e '" + server + "/cred' ]\n");
  // NOLINTNEXTLINE(cert-env33-c): the step as somebody types it
  CHECK(std::system(("unshare -m sh " + disk.file("step")).c_str()) == 0);
  CHECK(test::read_file(server + "/db/state.db") == "rows");
}
