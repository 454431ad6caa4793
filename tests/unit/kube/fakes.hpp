// Stand-ins for the world: a clock that moves when somebody waits, and a transport that answers
// from a script.
#pragma once

#include "kube/client.hpp"

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rb::kube::test {

class FakeClock final : public Clock {
public:
  SystemTime now() const override {
    const std::lock_guard lock(m_mutex);
    return parse_run_id("20260101T000000Z").value() +
           std::chrono::duration_cast<std::chrono::seconds>(m_elapsed);
  }
  std::chrono::steady_clock::time_point steady_now() const override {
    const std::lock_guard lock(m_mutex);
    return std::chrono::steady_clock::time_point(std::chrono::hours(1)) + m_elapsed;
  }
  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(m_mutex);
    m_elapsed += by;
  }
  std::chrono::milliseconds elapsed() const {
    const std::lock_guard lock(m_mutex);
    return m_elapsed;
  }

private:
  mutable std::mutex m_mutex;
  std::chrono::milliseconds m_elapsed{0};
};

/// Does not wait: moves the clock, and remembers.
class FakeWaiter final : public Waiter {
public:
  explicit FakeWaiter(FakeClock& clock) : m_clock(clock) {}

  bool wait(std::chrono::milliseconds duration, const std::stop_token& stop) override {
    {
      const std::lock_guard lock(m_mutex);
      m_waits.push_back(duration);
    }
    m_clock.advance(duration);
    if (on_wait) {
      on_wait();
    }
    return !stop.stop_requested();
  }
  std::vector<std::chrono::milliseconds> waits() const {
    const std::lock_guard lock(m_mutex);
    return m_waits;
  }

  std::function<void()> on_wait; ///< Set before the waiter is used.

private:
  FakeClock& m_clock;
  mutable std::mutex m_mutex;
  std::vector<std::chrono::milliseconds> m_waits;
};

class FakeMetrics final : public Metrics {
public:
  void request_done(std::string_view method, std::string_view code, double /*seconds*/) override {
    const std::lock_guard lock(m_mutex);
    m_requests.push_back(std::string(method) + " " + std::string(code));
  }
  void watch_restarted(std::string_view /*plural*/, bool relisted) override {
    const std::lock_guard lock(m_mutex);
    m_requests.emplace_back(relisted ? "relist" : "rewatch");
  }
  void leader_changed(std::string_view /*lease*/, bool is_leader) override {
    const std::lock_guard lock(m_mutex);
    m_requests.emplace_back(is_leader ? "leader" : "no leader");
  }
  void event_dropped() override {
    const std::lock_guard lock(m_mutex);
    m_requests.emplace_back("event dropped");
  }
  std::vector<std::string> counted() const {
    const std::lock_guard lock(m_mutex);
    return m_requests;
  }

private:
  mutable std::mutex m_mutex;
  std::vector<std::string> m_requests;
};

/// Answers with what was put in, in order; then with `otherwise`. Safe to share.
class FakeTransport final : public Transport {
public:
  using Answer = std::function<Result<Response>(const Request&)>;
  using StreamAnswer =
      std::function<Result<StreamEnd>(const Request&, const ByteSink&, const std::stop_token&)>;

  void answer(int status, std::string body, std::chrono::seconds retry_after = {}) {
    answer([=](const Request&) -> Result<Response> { return Response{status, retry_after, body}; });
  }
  void fail(Error error) {
    answer([error](const Request&) -> Result<Response> { return error; });
  }
  void answer(Answer answer) {
    const std::lock_guard lock(m_mutex);
    m_answers.push_back(std::move(answer));
  }
  void answer_stream(StreamAnswer answer) {
    const std::lock_guard lock(m_mutex);
    m_streams.push_back(std::move(answer));
  }

  Result<Response> send(const Request& request, std::stop_token /*stop*/) override {
    Answer answer;
    {
      const std::lock_guard lock(m_mutex);
      remember(request);
      answer = m_answers.empty() ? otherwise : m_answers.front();
      if (!m_answers.empty()) {
        m_answers.pop_front();
      }
    }
    return answer(request);
  }

  Result<StreamEnd>
  stream(const Request& request, const ByteSink& sink, std::stop_token stop) override {
    StreamAnswer answer;
    {
      const std::lock_guard lock(m_mutex);
      remember(request);
      answer = m_streams.empty() ? otherwise_stream : m_streams.front();
      if (!m_streams.empty()) {
        m_streams.pop_front();
      }
    }
    return answer(request, sink, stop);
  }

  /// The n-th request that came.
  Request request(std::size_t n) const {
    const std::lock_guard lock(m_mutex);
    return m_requests.at(n);
  }
  std::string token(std::size_t n) const {
    const std::lock_guard lock(m_mutex);
    return m_tokens.at(n);
  }
  std::size_t count() const {
    const std::lock_guard lock(m_mutex);
    return m_requests.size();
  }
  /// The value of a query parameter of the n-th request, or "".
  std::string query(std::size_t n, const std::string& name) const {
    for (const auto& [key, value] : request(n).query) {
      if (key == name) {
        return value;
      }
    }
    return {};
  }

  Answer otherwise = [](const Request&) -> Result<Response> {
    return Error{ErrorCode::unavailable, "the script has ended", {}};
  };
  StreamAnswer otherwise_stream =
      [](const Request&, const ByteSink&, const std::stop_token&) -> Result<StreamEnd> {
    return Error{ErrorCode::unavailable, "the script has ended", {}};
  };

private:
  void remember(const Request& request) {
    m_requests.push_back(request);
    m_requests.back().bearer_token = {}; // does not outlive the call
    m_tokens.emplace_back(request.bearer_token);
  }

  mutable std::mutex m_mutex;
  std::deque<Answer> m_answers;
  std::deque<StreamAnswer> m_streams;
  std::vector<Request> m_requests;
  std::vector<std::string> m_tokens;
};

/// The whole fake world, wired.
struct World {
  FakeClock clock;
  FakeWaiter waiter{clock};
  FakeMetrics metrics;
  FakeTransport transport;

  Runtime runtime() {
    Runtime runtime;
    runtime.clock = &clock;
    runtime.waiter = &waiter;
    runtime.metrics = &metrics;
    runtime.random = [] { return 0.5; };
    return runtime;
  }
  Client client(ClientOptions options = {}) {
    return Client(transport, runtime(), std::move(options));
  }
};

/// A metav1.Status as the API server sends it.
inline std::string status_body(int code, const std::string& reason, const std::string& message) {
  return nlohmann::json{{"kind", "Status"},
                        {"apiVersion", "v1"},
                        {"status", "Failure"},
                        {"reason", reason},
                        {"message", message},
                        {"code", code}}
      .dump();
}

inline nlohmann::json object(const std::string& name,
                             const std::string& version,
                             const std::string& uid = "uid",
                             const std::string& name_space = {}) {
  nlohmann::json metadata{{"name", name}, {"uid", uid}, {"resourceVersion", version}};
  if (!name_space.empty()) {
    metadata["namespace"] = name_space;
  }
  return {{"metadata", std::move(metadata)}};
}

inline std::string event_line(const std::string& type, const nlohmann::json& object) {
  return nlohmann::json{{"type", type}, {"object", object}}.dump();
}

inline std::string list_body(const std::string& version,
                             nlohmann::json items,
                             const std::string& continue_token = {}) {
  nlohmann::json metadata{{"resourceVersion", version}};
  if (!continue_token.empty()) {
    metadata["continue"] = continue_token;
  }
  return nlohmann::json{{"kind", "List"}, {"metadata", metadata}, {"items", std::move(items)}}
      .dump();
}

} // namespace rb::kube::test
