// A connection to the API server under test, and a namespace of its own for each test case.
#pragma once

#include "kube/connection.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rb::kube::test {

/// The config in RB_TEST_KUBECONFIG; ends the test program with status 1 when it is unset or bad.
ClientConfig config_under_test();

std::unique_ptr<Connection> connect(ClientOptions options = {});

/// Made by the constructor, deleted (in the background) by the destructor.
class ScratchNamespace {
public:
  explicit ScratchNamespace(Client& client);
  ~ScratchNamespace();
  ScratchNamespace(const ScratchNamespace&) = delete;
  ScratchNamespace& operator=(const ScratchNamespace&) = delete;
  ScratchNamespace(ScratchNamespace&&) = delete;
  ScratchNamespace& operator=(ScratchNamespace&&) = delete;

  const std::string& name() const { return m_name; }
  ObjectRef config_map(const std::string& name) const { return {k_config_maps, m_name, name, {}}; }

private:
  Client& m_client;
  std::string m_name;
};

nlohmann::json config_map(const std::string& name, const std::string& value);

/// True as soon as `condition` is, false after `limit`.
bool eventually(std::chrono::seconds limit, const std::function<bool()>& condition);

} // namespace rb::kube::test
