#include "fake_k3s.hpp"

#include "cli/install/installed.hpp"
#include "cli/install/package.hpp"
#include "objects/manifests.hpp"

#include "archive/tar_gz.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>

namespace rb::test {

namespace {

kube::Response answer(int code, const nlohmann::json& body) {
  return {code, std::chrono::seconds(0), body.dump()};
}

kube::Response not_there(const std::string& path) {
  return answer(404,
                {{"kind", "Status"},
                 {"apiVersion", "v1"},
                 {"status", "Failure"},
                 {"reason", "NotFound"},
                 {"message", path + " not found"},
                 {"code", 404}});
}

std::string file_in_tar(const std::string& name, const std::string& content) {
  std::string text(as_text(archive::tar_header(name, content.size())));
  text += content;
  text.append((512 - content.size() % 512) % 512, '\0');
  return text;
}

class FakeApi final : public cli::Api {
public:
  FakeApi(kube::Transport& transport, const kube::Runtime& runtime)
      : m_client(transport, runtime) {}
  [[nodiscard]] kube::Client& client() override { return m_client; }
  [[nodiscard]] const std::string& server() const override { return m_server; }

private:
  kube::Client m_client;
  std::string m_server = "https://127.0.0.1:6443";
};

} // namespace

std::string image_archive(const std::string& architecture,
                          const std::string& tag_end,
                          const std::string& layer) {
  const auto digest = [](const std::string& text) { return to_hex(sha256(as_bytes(text))); };
  const std::string config =
      nlohmann::json{{"architecture", architecture}, {"os", "linux"}, {"layer", layer}}.dump();
  const std::string manifest =
      nlohmann::json{{"schemaVersion", 2}, {"config", {{"digest", "sha256:" + digest(config)}}}}
          .dump();
  const std::string hex = digest(manifest);
  nlohmann::json entries = nlohmann::json::array();
  for (const std::string& tag :
       {std::string("0.1.0"), "0.1.0-" + (tag_end.empty() ? hex.substr(0, 12) : tag_end)}) {
    entries.push_back(
        {{"digest", "sha256:" + hex},
         {"annotations",
          {{"io.containerd.image.name", "docker.io/library/railiance-backup:" + tag}}}});
  }
  return file_in_tar("blobs/sha256/" + digest(config), config) +
         file_in_tar("blobs/sha256/" + hex, manifest) +
         file_in_tar("blobs/sha256/" + std::string(64, 'f'), std::string(2U << 20U, 'x')) +
         file_in_tar("index.json", nlohmann::json{{"manifests", entries}}.dump()) +
         std::string(1024, '\0');
}

std::string packaged_manifests() {
  return read_text_file(RB_SOURCE_DIR "/deploy/railiance-backup.yaml", std::size_t{4} << 20U)
      .value();
}

FakeK3s::FakeK3s() {
  ctr.exit_status = 0;
  scratch.make_directory("data/server/manifests");
  scratch.make_directory("data/server/db/etcd");
  scratch.make_directory("data/agent");
  scratch.write("package/railiance-backup.yaml", packaged_manifests());
  scratch.write("package/images/railiance-backup.tar",
                image_archive(install::machine_architecture()));
  scratch.write(".sops.yaml", std::string("creation_rules:\n  - age: ") + k_recipient + "\n");
  facts.user_id = 0;
  facts.host_name = "Server-1";
  facts.k3s_program = "/usr/local/bin/k3s";
  facts.data_dir = scratch.path("data");
  facts.has_server = facts.has_agent = true;
  facts.datastore = datastore::Place::embedded_etcd;
  objects["/api/v1/namespaces/default"] = {{"metadata", {{"name", "default"}}}};
}

Result<ProcessResult> FakeK3s::run(const ProcessSpec& spec, std::stop_token) {
  started.push_back(spec);
  return ctr;
}

void FakeK3s::make_ready(nlohmann::json& object) const {
  const int ready = pods_start ? 1 : 0;
  object["metadata"]["generation"] = 1;
  object["status"] = {{"observedGeneration", 1},
                      {"replicas", 1},
                      {"updatedReplicas", 1},
                      {"availableReplicas", ready},
                      {"desiredNumberScheduled", 1},
                      {"updatedNumberScheduled", 1},
                      {"numberAvailable", ready}};
}

void FakeK3s::play_deploy_controller() {
  if (!deploys || !scratch.exists(k_manifests) ||
      scratch.exists(std::string(k_manifests) + ".skip")) {
    return;
  }
  const std::string text = scratch.read(k_manifests);
  const std::string checksum = to_hex(sha256(as_bytes(text)));
  if (complaint) {
    objects["/api/v1/namespaces/kube-system/events/e"] = {{"lastTimestamp", "2026-11-22T11:52:16Z"},
                                                          {"reason", "ApplyManifestFailed"},
                                                          {"message", *complaint}};
    return;
  }
  if (objects.contains(k_addon) && objects[k_addon]["spec"]["checksum"] == checksum) {
    return;
  }
  const auto read = objects::objects_of_yaml(text);
  if (!read) {
    return;
  }
  for (nlohmann::json object : *read) {
    const auto path = kube::object_path(install::ref_of(object).value()).value();
    object["metadata"]["annotations"]["objectset.rio.cattle.io/owner-name"] = "railiance-backup";
    make_ready(object);
    objects[path] = object;
  }
  objects[k_addon] = {{"spec", {{"checksum", checksum}}}};
}

Result<kube::Response> FakeK3s::send(const kube::Request& request, std::stop_token) {
  if (before_request) {
    before_request();
  }
  if (down) {
    Error error{ErrorCode::unavailable, "connect to 127.0.0.1:6443: connection refused", {}};
    error.system_errno = ECONNREFUSED;
    return error;
  }
  play_deploy_controller();
  if (request.path == refused) {
    return answer(403, {{"kind", "Status"}, {"message", "forbidden"}});
  }
  if (request.method == kube::Method::remove) {
    asked.push_back("DELETE " + request.path);
    const bool there = objects.erase(request.path) > 0;
    if (request.path == "/api/v1/namespaces/railiance-backup") {
      std::erase_if(objects, [](const auto& object) {
        return object.first.find("/namespaces/railiance-backup/") != std::string::npos;
      });
    }
    return there ? answer(200, {{"kind", "Status"}}) : not_there(request.path);
  }
  if (const auto found = objects.find(request.path); found != objects.end()) {
    return answer(200, found->second);
  }
  const std::string last = request.path.substr(request.path.rfind('/') + 1);
  if (last != "secrets" && last != "pods" && last != "events" && last != "nodes") {
    return not_there(request.path);
  }
  const bool of_helm = std::ranges::any_of(request.query, [](const auto& parameter) {
    return parameter.first == "labelSelector" &&
           parameter.second.find("owner=helm") != std::string::npos;
  });
  nlohmann::json items = nlohmann::json::array();
  for (const auto& [path, object] : objects) {
    const bool fits = !of_helm || object.value("type", "") == "helm.sh/release.v1";
    if (path.starts_with(request.path + "/") && fits) {
      items.push_back(object);
    }
  }
  return answer(200, {{"metadata", {{"resourceVersion", "1"}}}, {"items", items}});
}

Result<kube::StreamEnd>
FakeK3s::stream(const kube::Request&, const kube::ByteSink&, std::stop_token) {
  return Error{ErrorCode::unsupported, "nothing is watched", {}};
}

Outcome FakeK3s::command(std::vector<std::string> args) {
  std::ostringstream out;
  std::ostringstream err;
  JumpingClock clock;
  kube::Runtime runtime;
  runtime.clock = &clock;
  runtime.waiter = &clock;
  cli::Io io{{cli::k_program, out, err, clock, false, false, stop}};
  io.connect = [&](const cli::ClusterChoice&) -> Result<std::unique_ptr<cli::Api>> {
    return std::unique_ptr<cli::Api>(std::make_unique<FakeApi>(*this, runtime));
  };
  io.stop_signal = [] { return 2; };
  io.look_at_host = [&](const std::string&) { return facts; };
  io.package_places = {scratch.path("nowhere"), scratch.path("package")};
  io.processes = this;
  io.waiter = &clock;
  const int code = cli::run(args, io);
  return {code, out.str(), err.str()};
}

Outcome FakeK3s::install(std::vector<std::string> more) {
  std::vector<std::string> args{"install", "--sops", scratch.path(".sops.yaml")};
  args.insert(args.end(), more.begin(), more.end());
  return command(args);
}

} // namespace rb::test
