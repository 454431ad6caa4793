#include "support.hpp"

#include "kube/transport.hpp"

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace rb::kube::test {

namespace {

[[noreturn]] void give_up(const std::string& message) {
  std::fprintf(stderr, "integration_kube: %s\n", message.c_str());
  std::exit(1);
}

std::string random_suffix() {
  constexpr int million = 1'000'000;
  return std::to_string(million + static_cast<int>(random_fraction() * (million - 1)));
}

} // namespace

ClientConfig config_under_test() {
  initialize_http_threads();
  const auto path = process_environment("RB_TEST_KUBECONFIG");
  if (!path || path->empty()) {
    give_up("RB_TEST_KUBECONFIG is not set: it names the kubeconfig of a cluster for tests");
  }
  auto config = load_kubeconfig(*path);
  if (!config) {
    give_up(config.error().message);
  }
  return std::move(config).value();
}

std::unique_ptr<Connection> connect(ClientOptions options) {
  auto connection = Connection::make(config_under_test(), {}, std::move(options));
  if (!connection) {
    give_up(connection.error().message);
  }
  return std::move(connection).value();
}

ScratchNamespace::ScratchNamespace(Client& client)
    : m_client(client), m_name("rb-kube-" + random_suffix()) {
  const auto made = m_client.create(
      k_namespaces,
      {},
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", m_name}}}});
  if (!made) {
    give_up(made.error().message);
  }
}

ScratchNamespace::~ScratchNamespace() {
  const Status removed = m_client.remove({k_namespaces, {}, m_name, {}});
  if (!removed) {
    std::fprintf(stderr, "integration_kube: %s\n", removed.error().message.c_str());
  }
}

nlohmann::json config_map(const std::string& name, const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"labels", {{"made-by", "integration-kube"}}}}},
          {"data", {{"value", value}}}};
}

bool eventually(std::chrono::seconds limit, const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

} // namespace rb::kube::test
