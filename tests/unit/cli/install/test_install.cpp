// install as a whole command, on a k3s that is played.
#include "cli/install/package.hpp"
#include "fake_k3s.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::test;

namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool nothing_was_done(const FakeK3s& k3s) {
  return !k3s.scratch.exists(k_manifests) && !k3s.scratch.exists(k_image) && k3s.started.empty() &&
         k3s.asked.empty();
}

} // namespace

TEST_CASE("install imports the image, lays both files down, waits, and says what comes next") {
  FakeK3s k3s;
  const Outcome outcome = k3s.install();
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "creation rule 1"));
  CHECK(has(outcome.err, k_recipient));
  CHECK(has(outcome.out, "next: railiance-backup create --wait"));
  REQUIRE(k3s.started.size() == 1);
  CHECK(k3s.started[0].program == "/usr/local/bin/k3s");
  CHECK(k3s.started[0].arguments ==
        std::vector<std::string>{"ctr",
                                 "--namespace",
                                 "k8s.io",
                                 "images",
                                 "import",
                                 k3s.scratch.path("package/images/railiance-backup.tar")});
  CHECK(k3s.started[0].environment.at("K3S_DATA_DIR") == k3s.scratch.path("data"));
  CHECK(k3s.scratch.read(k_image) == k3s.scratch.read("package/images/railiance-backup.tar"));
  CHECK(k3s.has_object(k_controller_path));
  CHECK(k3s.has_object(k_crd_path));
  const auto mode = [&](const char* file) {
    return std::filesystem::status(k3s.scratch.path(file)).permissions();
  };
  CHECK(mode(k_manifests) == static_cast<std::filesystem::perms>(0600));
  CHECK(mode(k_image) == static_cast<std::filesystem::perms>(0644));
}

TEST_CASE("what comes next is a line that finds the cluster") {
  FakeK3s k3s;
  CHECK(has(k3s.install().out, "next: railiance-backup create --wait\n"));
  k3s.facts.settings.settings.add("write-kubeconfig", "/srv/kube/admin.yaml");
  CHECK(has(k3s.install().out, "create --wait --kubeconfig /srv/kube/admin.yaml\n"));
}

TEST_CASE("install again changes nothing, and with another value only the manifests") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  const auto written = std::filesystem::last_write_time(k3s.scratch.path(k_manifests));
  const Outcome again = k3s.install();
  CHECK(again.code == 0);
  CHECK(has(again.err, std::string("railiance-backup.yaml: as it was")));
  CHECK(std::filesystem::last_write_time(k3s.scratch.path(k_manifests)) == written);

  const Outcome other = k3s.install({"--keep-last", "3"});
  CHECK(other.code == 0);
  CHECK(has(other.err, "railiance-backup-image.tar: as it was"));
  CHECK(has(k3s.scratch.read(k_manifests), "--keep-last=3"));
}

TEST_CASE("a newer package keeps the values that it was installed with, and says so") {
  FakeK3s k3s;
  const std::vector<std::string> values{"--backup-dir",
                                        "/mnt/usb/railiance",
                                        "--keep-last",
                                        "30",
                                        "--schedule",
                                        "30 3 * * 1-5",
                                        "--time-zone",
                                        "Europe/Berlin"};
  REQUIRE(k3s.install(values).code == 0);
  const std::string before = k3s.scratch.read(k_manifests);
  const Outcome again = k3s.install();
  CHECK(again.code == 0);
  CHECK(k3s.scratch.read(k_manifests) == before);
  CHECK(has(again.err, "as it was installed: --backup-dir /mnt/usb/railiance\n"));
  CHECK(has(again.err, "as it was installed: --keep-last 30\n"));
  CHECK(has(again.err, "as it was installed: --schedule \"30 3 * * 1-5\"\n"));
  CHECK(has(again.err, "as it was installed: --time-zone Europe/Berlin\n"));
  CHECK(has(again.out, "backups go to /mnt/usb/railiance"));

  k3s.scratch.write("package/images/railiance-backup.tar",
                    image_archive(install::machine_architecture(), {}, "another layer"));
  CHECK(k3s.install({"--keep-last", "7"}).code == 0);
  const std::string newer = k3s.scratch.read(k_manifests);
  CHECK(has(newer, "--backup-dir=/mnt/usb/railiance"));
  CHECK(has(newer, "--keep-last=7"));
  CHECK(has(newer, "schedule: \"30 3 * * 1-5\""));

  REQUIRE(k3s.command({"uninstall"}).code == 0);
  CHECK(has(k3s.install().out, "backups go to /opt/backup/railiance/cluster"));
}

TEST_CASE("another server of the cluster gets the values that the first one was installed with") {
  FakeK3s k3s;
  // A slash at the end, as the tabulator completes a directory, is no part of its path.
  REQUIRE(k3s.install({"--backup-dir", "/mnt/usb/railiance//", "--schedule", "@daily"}).code == 0);
  const std::string first = k3s.scratch.read(k_manifests);
  std::filesystem::remove(k3s.scratch.path(k_manifests)); // as on a server that has none yet
  const Outcome second = k3s.install();
  CHECK(second.code == 0);
  CHECK(k3s.scratch.read(k_manifests) == first);
  CHECK(has(second.err, "as it was installed: --backup-dir /mnt/usb/railiance\n"));
  CHECK(has(second.err, "as it was installed: --schedule @daily\n"));
}

TEST_CASE("manifests that nobody can read any more keep no value, and are laid down anew") {
  FakeK3s k3s;
  k3s.scratch.write(k_manifests, "kind: [\n");
  const Outcome outcome = k3s.install();
  CHECK(outcome.code == 0);
  CHECK(has(outcome.err, "cannot be read, and is laid down anew"));
  CHECK(has(k3s.scratch.read(k_manifests), "--backup-dir=/opt/backup/railiance/cluster"));
}

TEST_CASE("install again brings back what somebody removed from the cluster") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  k3s.objects.erase(k_controller_path);
  const Outcome again = k3s.install();
  CHECK(again.code == 0);
  CHECK(has(again.err, "k3s applies it again"));
  CHECK(k3s.has_object(k_controller_path));
}

TEST_CASE("another image is an upgrade: it has another name, and so the pods roll") {
  FakeK3s k3s;
  REQUIRE(k3s.install().code == 0);
  const auto image_of = [&] {
    return k3s.objects.at(k_controller_path)["spec"]["template"]["spec"]["containers"][0]["image"]
        .get<std::string>();
  };
  const std::string before = image_of();
  k3s.scratch.write("package/images/railiance-backup.tar",
                    image_archive(install::machine_architecture(), {}, "another layer"));
  CHECK(k3s.install().code == 0);
  CHECK(image_of() != before);
  CHECK(k3s.scratch.read(k_image) == k3s.scratch.read("package/images/railiance-backup.tar"));
}

TEST_CASE("--dry-run and --print do nothing; what is printed is what would be laid down") {
  FakeK3s k3s;
  k3s.down = true;
  const Outcome dry = k3s.install({"--dry-run"});
  CHECK(dry.code == 0);
  CHECK(has(dry.out, k3s.scratch.path(k_manifests)));
  CHECK(has(dry.out, "docker.io/library/railiance-backup:0.1.0-"));
  const Outcome print = k3s.install({"--print"});
  CHECK(print.code == 0);
  CHECK(nothing_was_done(k3s));
  k3s.down = false;
  REQUIRE(k3s.install().code == 0);
  CHECK(k3s.scratch.read(k_manifests) == print.out);
}

TEST_CASE("what is wrong beforehand is said with its code, and nothing is done") {
  FakeK3s k3s;
  std::vector<std::string> more;
  int code = 1;
  std::string words;
  SUBCASE("not root") {
    k3s.facts.user_id = 1000;
    words = "only root";
  }
  SUBCASE("no k3s") {
    k3s.facts.k3s_program.clear();
    words = "no k3s on this host";
  }
  SUBCASE("an agent node") {
    k3s.facts.has_server = false;
    words = "an agent of its cluster";
  }
  SUBCASE("containers by Docker") {
    k3s.facts.settings.settings.add("docker", "");
    words = "--docker";
  }
  SUBCASE("no .sops.yaml") {
    std::filesystem::remove(k3s.scratch.path(".sops.yaml"));
    words = ".sops.yaml";
  }
  SUBCASE("a .sops.yaml without age recipients") {
    k3s.scratch.write(".sops.yaml", "creation_rules:\n  - pgp: ABCD\n");
    words = ".sops.yaml: ";
  }
  SUBCASE("a private key among the recipients") {
    k3s.scratch.write(".sops.yaml",
                      std::string("creation_rules:\n  - age: ") + k_recipient +
                          "\n# AGE-SECRET-KEY-1QQQQQQQQQQQQQQQ\n");
    code = 2;
    words = "private key";
  }
  SUBCASE("a .sops.yaml of PowerShell") {
    std::string wide = "\xFF\xFE";
    for (const char c : std::string("creation_rules:\n  - age: ") + k_recipient + "\n") {
      wide += c;
      wide += '\0';
    }
    k3s.scratch.write(".sops.yaml", wide);
    code = 2;
    words = "is UTF-16, as PowerShell's > writes it";
  }
  SUBCASE("a .sops.yaml with a comment in Latin-1") {
    k3s.scratch.write(".sops.yaml",
                      std::string("# Schl\xFCssel\ncreation_rules:\n  - age: ") + k_recipient +
                          "\n");
    code = 2;
    words = "iconv -f ISO-8859-1 -t UTF-8";
  }
  SUBCASE("a directory of the system for the backups") {
    more = {"--backup-dir", "/etc/backups"};
    code = 2;
    words = "belongs to the system";
  }
  SUBCASE("no schedule that Kubernetes would take") {
    more = {"--schedule", "at noon"};
    code = 2;
    words = "--schedule";
  }
  SUBCASE("a package without its image") {
    std::filesystem::remove(k3s.scratch.path("package/images/railiance-backup.tar"));
    words = "brings no image";
  }
  SUBCASE("no package") {
    more = {"--from", k3s.scratch.path("empty")};
    words = "no package to install from";
  }
  SUBCASE("an image that was cut off") {
    const std::string whole = k3s.scratch.read("package/images/railiance-backup.tar");
    k3s.scratch.write("package/images/railiance-backup.tar", whole.substr(0, whole.size() / 2));
    words = "railiance-backup.tar";
  }
  SUBCASE("an image for another machine") {
    k3s.scratch.write("package/images/railiance-backup.tar", image_archive("s390x"));
    words = "for s390x";
  }
  SUBCASE("an image that no tag names by its digest") {
    k3s.scratch.write("package/images/railiance-backup.tar", image_archive("amd64", "rc1"));
    words = "no tag that holds its digest";
  }
  SUBCASE("manifests that ask for the image of another package") {
    std::string text = packaged_manifests();
    const std::string asked = "railiance-backup:0.1.0\"";
    for (std::size_t at = 0; (at = text.find(asked, at)) != std::string::npos; at += asked.size()) {
      text.replace(at, asked.size(), "railiance-backup:0.1.0-0123456789ab\"");
    }
    k3s.scratch.write("package/railiance-backup.yaml", text);
    words = "they ask for the image railiance-backup:0.1.0-0123456789ab";
  }
  SUBCASE("manifests of another release") {
    k3s.scratch.write("package/railiance-backup.yaml",
                      "apiVersion: v1\nkind: Namespace\nmetadata: {name: railiance-backup}\n");
    words = "not those of this release";
  }
  SUBCASE("an API that does not answer") {
    k3s.down = true;
    code = 8;
    words = "connection refused";
  }
  SUBCASE("an installation of Helm's") {
    k3s.objects[k_controller_path] = {
        {"metadata",
         {{"name", "railiance-backup-controller"},
          {"annotations", {{"meta.helm.sh/release-name", "backups"}}}}}};
    words = "by Helm (release backups)";
  }
  SUBCASE("a release of Helm's that failed") {
    k3s.objects["/api/v1/namespaces/railiance-backup/secrets/sh.helm.release.v1.x.v1"] = {
        {"metadata", {{"name", "sh.helm.release.v1.x.v1"}}}, {"type", "helm.sh/release.v1"}};
    words = "by Helm";
  }
  const Outcome outcome = k3s.install(more);
  CAPTURE(outcome.err);
  CHECK(outcome.code == code);
  CHECK(has(outcome.err, words));
  CHECK(nothing_was_done(k3s));
}

TEST_CASE("whether Helm's release is there is what its newest revision says") {
  FakeK3s k3s;
  const auto revision = [&](const std::string& number, const char* status) {
    const std::string name = "sh.helm.release.v1.railiance-backup.v" + number;
    k3s.objects["/api/v1/namespaces/railiance-backup/secrets/" + name] = {
        {"metadata", {{"name", name}, {"labels", {{"version", number}, {"status", status}}}}},
        {"type", "helm.sh/release.v1"}};
  };
  SUBCASE("helm uninstall --keep-history") {
    revision("9", "superseded");
    revision("10", "uninstalled");
    CHECK(k3s.install().code == 0);
  }
  SUBCASE("it is being installed again") {
    revision("9", "uninstalled");
    revision("10", "pending-install");
    const Outcome refused = k3s.install();
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "by Helm"));
  }
}

TEST_CASE("where k3s does not import the image, its words are said and nothing is laid down") {
  FakeK3s k3s;
  k3s.ctr.exit_status = 1;
  k3s.ctr.err = "progress\nctr: write /var/lib/x: no space left on device\n";
  const Outcome outcome = k3s.install();
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "no space left on device"));
  CHECK_FALSE(k3s.scratch.exists(k_manifests));
  CHECK_FALSE(k3s.scratch.exists(k_image));
}

TEST_CASE("a directory that can't be written to ends it; the image does not stay alone") {
  FakeK3s k3s;
  // A directory under the manifest's name: it can't be replaced, also by root.
  k3s.scratch.make_directory(std::string(k_manifests) + ".part/x");
  const Outcome outcome = k3s.install();
  CAPTURE(outcome.err);
  CHECK(outcome.code == 1);
  CHECK(has(outcome.err, "railiance-backup.yaml"));
  CHECK_FALSE(k3s.scratch.exists(k_image));
  std::filesystem::remove_all(k3s.scratch.path(std::string(k_manifests) + ".part"));
  CHECK(k3s.install().code == 0); // and the next call needs no hand work
}

TEST_CASE("waiting is bounded, and what is laid down goes on by itself") {
  FakeK3s k3s;
  k3s.deploys = false;
  const Outcome outcome = k3s.install({"--timeout", "30s"});
  CHECK(outcome.code == 9);
  CHECK(has(outcome.err, "not ready after 30 s: k3s takes the manifests in"));
  CHECK(k3s.scratch.exists(k_manifests));
}

TEST_CASE("a server without the image is named, and is not waited for") {
  FakeK3s k3s;
  k3s.pods_start = false;
  k3s.objects["/api/v1/namespaces/railiance-backup/pods/p"] = {
      {"metadata", {{"name", "p"}}},
      {"spec", {{"nodeName", "server-2"}}},
      {"status",
       {{"containerStatuses", {{{"state", {{"waiting", {{"reason", "ErrImageNeverPull"}}}}}}}}}}};
  const Outcome outcome = k3s.install();
  CHECK(outcome.code == 3);
  CHECK(has(outcome.err, "not on the other servers yet: server-2"));
  CHECK(has(outcome.err, "run the same command on each"));
}

TEST_CASE("told to stop, it ends with the signal; what is laid down stays") {
  FakeK3s k3s;
  std::stop_source source;
  k3s.stop = source.get_token();
  k3s.deploys = false;
  k3s.before_request = [&] {
    if (k3s.scratch.exists(k_manifests)) {
      source.request_stop();
    }
  };
  CHECK(k3s.install().code == 130);
  CHECK(k3s.scratch.exists(k_manifests));
}
