#include "fake_cluster.hpp"

#include "base/json_fields.hpp"
#include "kube/client.hpp"

#include <cerrno>

namespace rb::test {

namespace {

constexpr const char* k_backups = "/apis/backup.railiance.io/v1alpha1/clusterbackups";
constexpr const char* k_orders = "/apis/backup.railiance.io/v1alpha1/nodebackups";

kube::Response status(int code, const std::string& reason, const std::string& message) {
  return {code,
          std::chrono::seconds(0),
          nlohmann::json{{"kind", "Status"},
                         {"apiVersion", "v1"},
                         {"status", "Failure"},
                         {"reason", reason},
                         {"message", message},
                         {"code", code}}
              .dump()};
}

kube::Response ok(const nlohmann::json& body) {
  return {200, std::chrono::seconds(0), body.dump()};
}

std::string after(const std::string& path, const std::string& prefix) {
  return path.size() > prefix.size() + 1 && path.starts_with(prefix + "/")
             ? path.substr(prefix.size() + 1)
             : std::string{};
}

std::string query_value(const kube::Request& request, const std::string& name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

class FastClock final : public Clock {
public:
  explicit FastClock(SystemTime now) : m_now(now), m_start(std::chrono::steady_clock::now()) {}
  [[nodiscard]] SystemTime now() const override { return m_now; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return m_start + (std::chrono::steady_clock::now() - m_start) * 10;
  }

private:
  SystemTime m_now;
  std::chrono::steady_clock::time_point m_start;
};

/// Waits a thousandth of what is asked for, so that back-offs don't slow the tests down.
class ShortWaiter final : public Waiter {
public:
  bool wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    return m_real.wait(duration / 1000 + std::chrono::milliseconds(1), stop);
  }

private:
  RealWaiter m_real;
};

class FakeApi final : public cli::Api {
public:
  FakeApi(FakeCluster& cluster, const kube::Runtime& runtime) : m_client(cluster, runtime) {}
  [[nodiscard]] kube::Client& client() override { return m_client; }
  [[nodiscard]] const std::string& server() const override { return m_server; }

private:
  kube::Client m_client;
  std::string m_server = "https://127.0.0.1:6443";
};

} // namespace

nlohmann::json a_backup(const std::string& name,
                        const std::string& status,
                        const std::string& reason,
                        const std::string& message) {
  nlohmann::json backup{{"apiVersion", "backup.railiance.io/v1alpha1"},
                        {"kind", "ClusterBackup"},
                        {"metadata",
                         {{"name", name},
                          {"uid", "uid-of-" + name},
                          {"resourceVersion", "10"},
                          {"generation", 1},
                          {"creationTimestamp", "2026-11-22T11:50:16Z"}}},
                        {"spec", nlohmann::json::object()}};
  if (!reason.empty()) {
    backup["status"]["conditions"] =
        nlohmann::json::array({{{"type", "Succeeded"},
                                {"status", status},
                                {"reason", reason},
                                {"message", message},
                                {"lastTransitionTime", "2026-11-22T11:51:16Z"}}});
  }
  return backup;
}

Result<kube::Response> FakeCluster::post(const kube::Request& request) {
  nlohmann::json object = json_of(request.body);
  const auto name = object["metadata"]["name"].get<std::string>();
  if (backups.contains(name)) {
    return status(409, "AlreadyExists", "clusterbackups \"" + name + "\" already exists");
  }
  created.push_back(object);
  nlohmann::json stored = a_backup(name);
  stored["metadata"].update(object["metadata"]);
  stored["spec"] = object["spec"];
  backups[name] = stored;
  if (std::exchange(lose_post_answer, false)) {
    return post(request); // the library sends it again on a lost connection
  }
  return kube::Response{201, std::chrono::seconds(0), stored.dump()};
}

Result<kube::Response> FakeCluster::send(const kube::Request& request, std::stop_token) {
  const std::scoped_lock lock(m_mutex);
  if (down) {
    Error error{ErrorCode::unavailable, "connect to 127.0.0.1:6443: connection refused", {}};
    error.system_errno = ECONNREFUSED;
    return error;
  }
  if (answer) {
    if (auto response = answer(request)) {
      return std::move(*response);
    }
  }
  if (request.method == kube::Method::post) {
    return post(request);
  }
  if (request.path == k_backups) {
    nlohmann::json items = nlohmann::json::array();
    const std::string wanted = query_value(request, "fieldSelector");
    for (const auto& [name, object] : backups) {
      if (wanted.empty() || wanted == "metadata.name=" + name) {
        items.push_back(object);
      }
    }
    return ok({{"metadata", {{"resourceVersion", "10"}}}, {"items", items}});
  }
  const auto& objects = request.path.starts_with(k_orders) ? orders : backups;
  const std::string name = after(request.path, &objects == &orders ? k_orders : k_backups);
  const auto found = objects.find(name);
  return found == objects.end() ? status(404, "NotFound", "\"" + name + "\" not found")
                                : ok(found->second);
}

Result<kube::StreamEnd>
FakeCluster::stream(const kube::Request&, const kube::ByteSink& sink, std::stop_token stop) {
  WatchScript script;
  {
    const std::scoped_lock lock(m_mutex);
    if (down) {
      return Error{ErrorCode::unavailable, "connect to 127.0.0.1:6443: connection refused", {}};
    }
    if (!watches.empty()) {
      script = watches.front();
      watches.pop_front();
    }
  }
  if (on_watch) {
    on_watch();
  }
  for (const nlohmann::json& object : script.objects) {
    if (!sink(nlohmann::json{{"type", script.type}, {"object", object}}.dump() + "\n")) {
      return kube::StreamEnd{200, {}, {}, true};
    }
  }
  if (script.end == WatchScript::End::fails) {
    return Error{ErrorCode::unavailable, "connection lost", {}};
  }
  if (script.end == WatchScript::End::stays_open) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
    return Error{ErrorCode::cancelled, "stopped", {}};
  }
  return kube::StreamEnd{200, {}, {}, false};
}

Outcome
run_command(FakeCluster& cluster, std::vector<std::string> args, const RunOptions& options) {
  std::ostringstream out;
  std::ostringstream err;
  const FastClock clock(parse_run_id(options.now).value());
  ShortWaiter waiter;
  kube::Runtime runtime;
  runtime.clock = &clock;
  runtime.waiter = &waiter;
  const auto connect = [&](const cli::ClusterChoice&) -> Result<std::unique_ptr<cli::Api>> {
    return std::unique_ptr<cli::Api>(std::make_unique<FakeApi>(cluster, runtime));
  };
  unsigned made = 0;
  const auto random_id = [&made] { return "request-" + std::to_string(++made); };
  cli::Io io{{"railiance-backup", out, err, clock, false, options.terminal, options.stop}};
  io.connect = options.connect ? options.connect : connect;
  io.random_id = random_id;
  io.stop_signal = [&options] { return options.signal; };
  io.out_colour = options.colour;
  const int code = options.complete ? cli::complete_for_kubectl(args, io) : cli::run(args, io);
  return {code, out.str(), err.str()};
}

} // namespace rb::test
