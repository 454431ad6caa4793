// A k3s server for the tests of install: its directories in a scratch directory, its API in memory,
// its deploy controller, which applies what lies in server/manifests whenever the API is asked, and
// `k3s ctr`.
#pragma once

#include "cli/commands.hpp"
#include "cli/install/server.hpp"
#include "support/scratch.hpp"

#include "base/clock.hpp"
#include "kube/transport.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rb::test {

inline constexpr const char* k_recipient =
    "age1g6ncpurpndq98xrq9g37mash9s20rwg7gtp7c026jzpjp62m8s7s3dllyx";
inline constexpr const char* k_manifests = "data/server/manifests/railiance-backup.yaml";
inline constexpr const char* k_image = "data/agent/images/railiance-backup-image.tar";
inline constexpr const char* k_controller_path =
    "/apis/apps/v1/namespaces/railiance-backup/deployments/railiance-backup-controller";
inline constexpr const char* k_agent_path =
    "/apis/apps/v1/namespaces/railiance-backup/daemonsets/railiance-backup-agent";
inline constexpr const char* k_addon =
    "/apis/k3s.cattle.io/v1/namespaces/kube-system/addons/railiance-backup";
inline constexpr const char* k_namespace_path = "/api/v1/namespaces/railiance-backup";
inline constexpr const char* k_crd_path =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/clusterbackups.backup.railiance.io";

/// The archive of an image as bundle/pack.py writes it. `tag_end` empty: the beginning of a digest.
[[nodiscard]] std::string image_archive(const std::string& architecture,
                                        const std::string& tag_end = {},
                                        const std::string& layer = "layer");

/// The manifests of this project.
[[nodiscard]] std::string packaged_manifests();

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

/// Waiting takes no time, and the clock says that it has passed.
class JumpingClock final : public Clock, public Waiter {
public:
  [[nodiscard]] SystemTime now() const override { return SystemTime(std::chrono::seconds(1)); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return m_now; }
  bool wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    m_now += duration;
    return !stop.stop_requested();
  }

private:
  std::chrono::steady_clock::time_point m_now;
};

class FakeK3s final : public kube::Transport, public ProcessRunner {
public:
  /// A server that is up, a package beside it, and a .sops.yaml.
  FakeK3s();

  [[nodiscard]] Result<kube::Response> send(const kube::Request& request,
                                            std::stop_token stop) override;
  [[nodiscard]] Result<kube::StreamEnd>
  stream(const kube::Request&, const kube::ByteSink&, std::stop_token) override;
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override;

  /// Runs the command; time passes at once.
  Outcome command(std::vector<std::string> args);
  Outcome install(std::vector<std::string> more = {});

  /// By the path of the API.
  [[nodiscard]] bool has_object(const std::string& path) const { return objects.contains(path); }

  Scratch scratch;
  install::HostFacts facts;
  std::map<std::string, nlohmann::json> objects;
  std::vector<std::string> asked;         ///< "DELETE /api/…", of what changes something.
  std::vector<ProcessSpec> started;       ///< Calls of k3s.
  ProcessResult ctr{};                    ///< What it ends with.
  bool down = false;                      ///< Nothing is listening.
  std::string refused;                    ///< The path to which nobody here has a right.
  bool deploys = true;                    ///< The deploy controller looks.
  bool pods_start = true;                 ///< What it makes gets ready.
  std::optional<std::string> complaint;   ///< What it says instead of applying.
  std::function<void()> before_request{}; ///< Of each request.
  std::stop_token stop;

private:
  void play_deploy_controller();
  void make_ready(nlohmann::json& object) const;
};

} // namespace rb::test
