#include "support.hpp"

#include "base/process.hpp"
#include "kube/watcher.hpp"

#include <doctest/doctest.h>

#include <map>
#include <mutex>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using nlohmann::json;

namespace {

/// Keeps what it is told: name to data.value.
class Mirror final : public WatchHandler {
public:
  void on_upsert(json object) override {
    const std::lock_guard lock(m_mutex);
    m_values[object["metadata"]["name"].get<std::string>()] =
        object["data"]["value"].get<std::string>();
    m_managed_fields = m_managed_fields || object["metadata"].contains("managedFields");
  }
  void on_delete(const ObjectId& id) override {
    const std::lock_guard lock(m_mutex);
    m_values.erase(id.name);
  }
  void on_synced() override {
    const std::lock_guard lock(m_mutex);
    ++m_synced;
  }
  void on_trouble(const Error& error) override {
    const std::lock_guard lock(m_mutex);
    m_troubles.push_back(error.message);
  }

  std::string value(const std::string& name) const {
    const std::lock_guard lock(m_mutex);
    const auto found = m_values.find(name);
    return found == m_values.end() ? "" : found->second;
  }
  std::size_t troubles() const {
    const std::lock_guard lock(m_mutex);
    return m_troubles.size();
  }
  bool saw_managed_fields() const {
    const std::lock_guard lock(m_mutex);
    return m_managed_fields;
  }

private:
  mutable std::mutex m_mutex;
  std::map<std::string, std::string> m_values;
  std::vector<std::string> m_troubles;
  int m_synced = 0;
  bool m_managed_fields = false;
};

WatchOptions made_here(const std::string& name_space) {
  WatchOptions options;
  options.name_space = name_space;
  options.label_selector = "made-by=integration-kube";
  options.page_size = 2;
  return options;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) {
      found.push_back(text.substr(at, end - at));
    }
    at = end + 1;
  }
  return found;
}

} // namespace

TEST_CASE("a watcher tells what is there, and then each change as it comes") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  for (const char* name : {"a", "b", "c"}) {
    REQUIRE(client.create(k_config_maps, space.name(), config_map(name, "listed")));
  }
  Mirror mirror;
  const Watcher watcher(client, k_config_maps, made_here(space.name()), mirror);
  REQUIRE(eventually(std::chrono::seconds(10), [&] { return watcher.synced(); }));
  CHECK(mirror.value("a") == "listed");
  CHECK(mirror.value("c") == "listed");

  const auto limit = std::chrono::seconds(5);
  REQUIRE(client.create(k_config_maps, space.name(), config_map("d", "added")));
  CHECK(eventually(limit, [&] { return mirror.value("d") == "added"; }));
  REQUIRE(client.patch(space.config_map("a"), PatchType::merge, {{"data", {{"value", "new"}}}}));
  CHECK(eventually(limit, [&] { return mirror.value("a") == "new"; }));
  REQUIRE(client.remove(space.config_map("b")));
  CHECK(eventually(limit, [&] { return mirror.value("b").empty(); }));
  CHECK(mirror.troubles() == 0);
  CHECK_FALSE(mirror.saw_managed_fields());
}

TEST_CASE("a watch from a version that the server has forgotten ends in a list") {
  const auto connection = connect();
  Client& client = connection->client();
  Request request;
  request.path = "/api/v1/configmaps";
  request.query = {{"watch", "1"}, {"resourceVersion", "1"}, {"timeoutSeconds", "5"}};
  std::string seen;
  const auto end = client.transport().stream(request,
                                             [&](std::string_view bytes) {
                                               seen.append(bytes);
                                               return seen.find('\n') == std::string::npos;
                                             },
                                             {});
  REQUIRE(end);
  if (end->status == 200) {
    WatchFsm fsm;
    (void)fsm.start();
    (void)fsm.on(Listed{json::array(), "1", {}});
    const auto outputs = fsm.on(LineReceived{std::string_view(seen).substr(0, seen.find('\n'))});
    REQUIRE(outputs.size() == 2);
    CHECK(std::get<Report>(outputs[0]).error.code == ErrorCode::gone);
    CHECK(std::holds_alternative<DoList>(outputs[1]));
  } else {
    CHECK(end->status == 410);
  }
}

TEST_CASE("a watch that the server ends goes on, resumed or from a new list") {
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  WatchOptions options = made_here(space.name());
  options.server_timeout_least = std::chrono::seconds(1);
  options.server_timeout_most = std::chrono::seconds(1);
  Mirror mirror;
  const Watcher watcher(client, k_config_maps, options, mirror);
  for (int i = 0; i < 4; ++i) {
    const std::string name = "tick-" + std::to_string(i);
    REQUIRE(client.create(k_config_maps, space.name(), config_map(name, "x")));
    CHECK(eventually(std::chrono::seconds(10), [&] { return mirror.value(name) == "x"; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(800));
  }
  CHECK(mirror.troubles() == 0);
}

TEST_CASE("a watcher survives a restart of the API server") {
  const auto command = process_environment("RB_TEST_API_RESTART");
  if (!command || command->empty()) {
    MESSAGE("NOT RUN: RB_TEST_API_RESTART names no command that restarts the API server");
    return;
  }
  const auto connection = connect();
  Client& client = connection->client();
  const ScratchNamespace space(client);
  REQUIRE(client.create(k_config_maps, space.name(), config_map("before", "1")));
  Mirror mirror;
  const Watcher watcher(client, k_config_maps, made_here(space.name()), mirror);
  REQUIRE(eventually(std::chrono::seconds(10), [&] { return mirror.value("before") == "1"; }));

  ProcessSpec spec;
  spec.arguments = words(*command);
  spec.program = spec.arguments.front();
  spec.arguments.erase(spec.arguments.begin());
  for (const char* name : {"PATH", "HOME"}) {
    if (const auto value = process_environment(name)) {
      spec.environment[name] = *value;
    }
  }
  const auto restarted = RealProcessRunner().run(spec, {});
  REQUIRE(restarted);
  CAPTURE(restarted->err);
  REQUIRE(restarted->exit_status == 0);
  REQUIRE(eventually(std::chrono::seconds(90), [&] {
    return client.patch(space.config_map("before"), PatchType::merge, {{"data", {{"value", "2"}}}})
        .has_value();
  }));
  CHECK(eventually(std::chrono::seconds(60), [&] { return mirror.value("before") == "2"; }));
  REQUIRE(client.create(k_config_maps, space.name(), config_map("after", "3")));
  CHECK(eventually(std::chrono::seconds(10), [&] { return mirror.value("after") == "3"; }));
  CHECK(mirror.troubles() > 0);
}
