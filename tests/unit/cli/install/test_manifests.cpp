// What is installed, from this project's manifests: golden texts, and each value in each of its
// places.
#include "cli/install/installed.hpp"
#include "cli/install/kept.hpp"
#include "cli/install/manifests.hpp"
#include "fake_k3s.hpp"
#include "objects/manifests.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

using namespace rb;
using namespace rb::install;
using nlohmann::json;

namespace {

constexpr const char* k_image_name = "docker.io/library/railiance-backup:0.1.0-0123456789ab";

Choices usual_choices() {
  Choices choices;
  choices.sops_yaml = std::string("creation_rules:\n  - age: ") + test::k_recipient + "\n";
  return choices;
}

Server usual_server() {
  Server server;
  server.data_dir = "/var/lib/rancher/k3s";
  server.k3s_program = "/usr/local/bin/k3s";
  server.kubeconfig = "/etc/rancher/k3s/k3s.yaml";
  server.node_name = "server-1";
  return server;
}

std::vector<json> objects_for(const Choices& choices, const Server& server) {
  auto objects = objects_to_install(test::packaged_manifests(), k_image_name, choices, server);
  REQUIRE(objects);
  return *std::move(objects);
}

const json&
named(const std::vector<json>& objects, const std::string& kind, const std::string& name) {
  for (const json& object : objects) {
    if (object["kind"] == kind && object["metadata"]["name"] == name) {
      return object;
    }
  }
  FAIL("no " << kind << " " << name);
  return objects.front();
}

const json& agent_pod(const std::vector<json>& objects) {
  return named(objects, "DaemonSet", k_agent)["spec"]["template"]["spec"];
}

bool has_argument(const json& pod, const std::string& argument) {
  const json& arguments = pod["containers"][0]["args"];
  return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
}

std::string mounted(const json& pod, const std::string& volume) {
  std::string of_host;
  std::string in_pod;
  for (const json& item : pod["volumes"]) {
    of_host = item["name"] == volume ? item["hostPath"]["path"].get<std::string>() : of_host;
  }
  for (const json& item : pod["containers"][0]["volumeMounts"]) {
    in_pod = item["name"] == volume ? item["mountPath"].get<std::string>() : in_pod;
  }
  CHECK(of_host == in_pod);
  return of_host;
}

/// tests/golden/install/NAME is `text`; UPDATE_GOLDEN=1 writes it.
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = RB_SOURCE_DIR "/tests/golden/install/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  const auto golden = read_text_file(path, std::size_t{4} << 20U);
  REQUIRE(golden);
  CHECK(text == *golden);
}

/// The CRDs are long, and have a source of their own.
std::string text_without_crds(std::vector<json> objects) {
  std::erase_if(objects,
                [](const json& object) { return object["kind"] == "CustomResourceDefinition"; });
  auto text = manifest_text(objects);
  REQUIRE(text);
  return *std::move(text);
}

} // namespace

TEST_CASE("what is installed is the golden text, as it comes and with every value of its own") {
  check_golden("default.yaml", text_without_crds(objects_for(usual_choices(), usual_server())));

  Choices choices = usual_choices();
  choices.backup_dir = "/mnt/usb/railiance/cluster";
  choices.keep_last = 30;
  choices.schedule = "30 3 * * 1-5";
  choices.time_zone = "Europe/Berlin";
  Server server = usual_server();
  server.data_dir = "/data/k3s";
  server.k3s_program = "/opt/bin/k3s";
  server.kubeconfig = "/srv/kubeconfig/admin.yaml";
  server.snapshot_dir = "/data/snapshots";
  server.api_port = 7443;
  check_golden("special.yaml", text_without_crds(objects_for(choices, server)));
}

TEST_CASE("k3s reads the same objects from the file that were put into it") {
  const std::vector<json> objects = objects_for(usual_choices(), usual_server());
  const auto text = manifest_text(objects);
  REQUIRE(text);
  const auto read = objects::objects_of_yaml(*text);
  REQUIRE(read);
  CHECK(*read == objects);
  CHECK(*manifest_text(objects) == *text);
}

TEST_CASE(
    "everything of the package is installed, after its namespace, and the recipients besides") {
  const auto packaged = objects::objects_of_yaml(test::packaged_manifests());
  REQUIRE(packaged);
  const std::vector<json> objects = objects_for(usual_choices(), usual_server());
  CHECK(objects.size() == packaged->size() + 1);
  CHECK(objects.front()["kind"] == "Namespace");
  CHECK(objects.front()["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] ==
        "privileged");
  CHECK(named(objects, "ConfigMap", "railiance-backup-sops")["data"][".sops.yaml"] ==
        usual_choices().sops_yaml);
  for (const json& object : objects) {
    CAPTURE(object["kind"].get<std::string>());
    CHECK(ref_of(object)); // and so it can be taken away
    CHECK((object["kind"] == "ConfigMap" ||
           object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "railiance-backup"));
  }
}

TEST_CASE("every pod runs the image that was imported, on servers, and never pulls another") {
  const std::vector<json> objects = objects_for(usual_choices(), usual_server());
  std::size_t pods = 0;
  for (const json& object : objects) {
    const json::json_pointer in_job("/spec/jobTemplate/spec/template");
    const json::json_pointer plain("/spec/template");
    if (!object.contains(in_job) && !object.contains(plain)) {
      continue;
    }
    ++pods;
    const json& pod_template = object.contains(in_job) ? object.at(in_job) : object.at(plain);
    const json& pod = pod_template["spec"];
    for (const json& container : pod["containers"]) {
      CHECK(container["image"] == k_image_name);
      CHECK(container["imagePullPolicy"] == "Never");
    }
    CHECK(pod["affinity"] == agent_pod(objects)["affinity"]);
    CHECK_FALSE(pod["tolerations"].empty());
    CHECK(
        pod_template["metadata"]["annotations"]["checksum/sops-config"].get<std::string>().size() ==
        16);
  }
  CHECK(pods == 3);
}

TEST_CASE("other recipients give the pods another annotation, so that they read them") {
  Choices other = usual_choices();
  other.sops_yaml += "# another\n";
  const auto checksum = [](const std::vector<json>& objects) {
    return named(
        objects, "Deployment", k_controller)["spec"]["template"]["metadata"]["annotations"];
  };
  CHECK(checksum(objects_for(usual_choices(), usual_server())) !=
        checksum(objects_for(other, usual_server())));
}

TEST_CASE("the agent mounts the places of this server where they are") {
  Server server = usual_server();
  server.data_dir = "/data/k3s";
  server.k3s_program = "/opt/bin/k3s";
  server.snapshot_dir = "/data/snapshots";
  server.kubeconfig = "/srv/kube/admin.yaml";
  server.api_port = 7443;
  const std::vector<json> objects = objects_for(usual_choices(), server);
  const json& pod = agent_pod(objects);
  CHECK(has_argument(pod, "--data-dir=/data/k3s"));
  CHECK(mounted(pod, "k3s-data") == "/data/k3s");
  CHECK(has_argument(pod, "--k3s=/opt/bin/k3s"));
  CHECK(mounted(pod, "k3s-bin") == "/opt/bin");
  CHECK(has_argument(pod, "--etcd-snapshot-dir=/data/snapshots"));
  CHECK(mounted(pod, "snapshots") == "/data/snapshots");
  for (const json& volume : pod["volumes"]) {
    if (volume["name"] == "snapshots") { // of this server's settings: the others may have none
      CHECK(volume["hostPath"]["type"] == "DirectoryOrCreate");
    }
  }
  CHECK(has_argument(pod, "--kubeconfig-source=/srv/kube/admin.yaml"));
  CHECK(mounted(pod, "kubeconfig-0") == "/srv/kube");
  CHECK(has_argument(pod, "--etcd-server=https://127.0.0.1:7443"));
  const json& ports =
      named(objects, "NetworkPolicy", "railiance-backup-api-server")["spec"]["egress"][0]["ports"];
  CHECK(ports.back()["port"] == 7443);
}

TEST_CASE("with Nix the agent sees all that its k3s needs") {
  Server server = usual_server();
  server.k3s_program = "/nix/var/nix/profiles/system/sw/bin/k3s";
  const std::vector<json> objects = objects_for(usual_choices(), server);
  CHECK(has_argument(agent_pod(objects), "--k3s=/nix/var/nix/profiles/system/sw/bin/k3s"));
  CHECK(mounted(agent_pod(objects), "k3s-bin") == "/nix");
}

TEST_CASE(
    "controller and schedule get past the taints of this server, and keep away from dead ones") {
  Server server = usual_server();
  server.taints = {"k3s-controlplane", "CriticalAddonsOnly"};
  const std::vector<json> objects = objects_for(usual_choices(), server);
  const json& cron = named(objects, "CronJob", "railiance-backup")["spec"];
  for (const json& pod : {named(objects, "Deployment", k_controller)["spec"]["template"]["spec"],
                          cron["jobTemplate"]["spec"]["template"]["spec"]}) {
    const json& tolerations = pod["tolerations"];
    const auto of = [&](const char* key) {
      return std::count(
          tolerations.begin(), tolerations.end(), json{{"key", key}, {"operator", "Exists"}});
    };
    CHECK(of("k3s-controlplane") == 1);
    CHECK(of("CriticalAddonsOnly") == 1);
    CHECK(of("node.kubernetes.io/unreachable") == 0);
    CHECK(tolerations.size() == 5);
  }
}

TEST_CASE("backups on a disk that may be mounted later: the pod has its mount point and sees it") {
  const std::vector<std::pair<std::string, std::string>> volumes{
      {"/srv/backups", "/srv/backups"},
      {"/mnt/usb/railiance", "/mnt/usb"},
      {"/mnt/usb", "/mnt/usb"},
      {"/media/disk/a/b", "/media/disk"},
      {"/run/media/me/disk/a", "/run/media/me/disk"}};
  for (const auto& [directory, volume] : volumes) {
    CAPTURE(directory);
    Choices choices = usual_choices();
    choices.backup_dir = directory;
    const std::vector<json> objects = objects_for(choices, usual_server());
    const json& pod = agent_pod(objects);
    CHECK(has_argument(pod, "--backup-dir=" + directory));
    CHECK(mounted(pod, "backup") == volume);
    CHECK(backup_dir_in(objects) == directory);
    for (const json& mount : pod["containers"][0]["volumeMounts"]) {
      CHECK((mount["name"] != "backup" ||
             mount.contains("mountPropagation") == (directory != volume)));
    }
  }
}

TEST_CASE("no place is mounted twice: Kubernetes would refuse the agent") {
  Choices choices = usual_choices();
  choices.backup_dir = "/mnt/nfs/railiance";
  Server server = usual_server();
  for (const char* const kubeconfig : {"/mnt/nfs/kubeconfig", "/tmp/kubeconfig"}) {
    CAPTURE(kubeconfig);
    server.kubeconfig = kubeconfig;
    server.snapshot_dir = "/mnt/nfs";
    const std::vector<json> objects = objects_for(choices, server);
    const json& pod = agent_pod(objects);
    std::set<json> places;
    std::set<json> names;
    for (const json& mount : pod["containers"][0]["volumeMounts"]) {
      CHECK(places.insert(mount["mountPath"]).second);
      names.insert(mount["name"]);
      CHECK((mount["mountPath"] != "/mnt/nfs" || !mount.contains("readOnly")));
    }
    CHECK(places.contains("/mnt/nfs"));
    CHECK(mounted(pod, "backup") == "/mnt/nfs");
    CHECK(pod["volumes"].size() == names.size()); // none that nothing mounts
    CHECK(has_argument(pod, "--etcd-snapshot-dir=/mnt/nfs"));
    CHECK(has_argument(pod, std::string("--kubeconfig-source=") + kubeconfig));
  }
}

TEST_CASE("the schedule is the same for who makes the runs and who expects them") {
  Choices choices = usual_choices();
  choices.schedule = "@daily";
  choices.time_zone = "Asia/Kolkata";
  choices.keep_last = 1000;
  const std::vector<json> objects = objects_for(choices, usual_server());
  const json& cron = named(objects, "CronJob", "railiance-backup")["spec"];
  CHECK(cron["schedule"] == "@daily");
  CHECK(cron["timeZone"] == "Asia/Kolkata");
  const json& controller = named(objects, "Deployment", k_controller)["spec"]["template"]["spec"];
  CHECK(has_argument(controller, "--schedule=@daily"));
  CHECK(has_argument(controller, "--schedule-time-zone=Asia/Kolkata"));
  CHECK(has_argument(controller, "--keep-last=1000"));
}

TEST_CASE("what can't be meant is refused") {
  const auto refused = [](auto change) {
    Choices choices = usual_choices();
    change(choices);
    const Status checked = check_choices(choices);
    return !checked && checked.error().code == ErrorCode::invalid_argument;
  };
  for (const char* const directory : {"",
                                      "/",
                                      "backups",
                                      "/srv/",
                                      "/srv//b",
                                      "/srv/../etc",
                                      "/etc",
                                      "/usr/share/b",
                                      "/run/b",
                                      "/tmp/b",
                                      "/srv/a\nb"}) {
    CAPTURE(std::string(directory));
    CHECK(refused([&](Choices& choices) { choices.backup_dir = directory; }));
  }
  for (const char* const schedule : {"", "daily", "* * * *", "61 0 * * *"}) {
    CAPTURE(schedule);
    CHECK(refused([&](Choices& choices) { choices.schedule = schedule; }));
  }
  for (const char* const zone : {"", "Europe Berlin", "Local", "a;b"}) {
    CAPTURE(zone);
    CHECK(refused([&](Choices& choices) { choices.time_zone = zone; }));
  }
  CHECK(refused([](Choices& choices) { choices.keep_last = 0; }));
  CHECK(refused([](Choices& choices) { choices.keep_last = 1001; }));
  CHECK(refused([](Choices& choices) { choices.sops_yaml += "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQ"; }));
  CHECK(refused([](Choices& choices) { choices.sops_yaml += "AGE-PLUGIN-PQ-1QQQQQQQQQQQQQQQ"; }));
  CHECK(refused(
      [](Choices& choices) { choices.sops_yaml += "-----BEGIN OPENSSH PRIVATE KEY-----"; }));
  CHECK(refused([](Choices& choices) { choices.sops_yaml += "\xff"; }));
  CHECK(check_choices(usual_choices()));
  // People write where the private key is.
  CHECK_FALSE(refused([](Choices& choices) {
    choices.sops_yaml += "# The private key (AGE-SECRET-KEY-1...) is in the vault.\n";
  }));
}

TEST_CASE("manifests that lack a place of this release are refused, whatever they lack") {
  const std::string whole = test::packaged_manifests();
  for (const std::string part : {"kind: Namespace",
                                 "--backup-dir=",
                                 "--data-dir=",
                                 "--k3s=",
                                 "--keep-last=",
                                 "kind: DaemonSet",
                                 "kind: CronJob",
                                 "affinity:"}) {
    CAPTURE(part);
    std::string text = whole;
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    text.replace(at, part.size(), std::string(part).replace(part.find_last_not_of(":="), 1, "X"));
    Choices choices = usual_choices();
    choices.backup_dir = "/srv/b";
    choices.keep_last = 3;
    const auto objects = objects_to_install(text, k_image_name, choices, usual_server());
    REQUIRE_FALSE(objects);
    CHECK(objects.error().code == ErrorCode::corrupt);
  }
}
