// Keeps somebody informed about the objects of one kind, whatever happens to the connection or the
// API server: list, watch, resume, list again. All watchers of a runtime list again when its
// VersionGuard says that the versions went back.
#pragma once

#include "kube/client.hpp"
#include "kube/watch_fsm.hpp"

#include <atomic>
#include <string>
#include <thread>

namespace rb::kube {

/// Called from the watcher's thread, one call at a time. Must not block for long (the library
/// buffers what the server sends meanwhile) and must not throw. Level-driven: an upsert may repeat
/// what is known; compare resourceVersion or generation where that matters.
class WatchHandler {
public:
  WatchHandler() = default;
  virtual ~WatchHandler() = default;
  WatchHandler(const WatchHandler&) = delete;
  WatchHandler& operator=(const WatchHandler&) = delete;
  WatchHandler(WatchHandler&&) = delete;
  WatchHandler& operator=(WatchHandler&&) = delete;

  /// The object is there, or has changed. metadata.managedFields is left out.
  virtual void on_upsert(nlohmann::json object) = 0;
  virtual void on_delete(const ObjectId& id) = 0;
  /// Everything that was listed has been passed on. Called after each full list: the first time and
  /// after every relist.
  virtual void on_synced() = 0;
  /// Something failed; the watcher goes on by itself. For the log.
  virtual void on_trouble(const Error& error);
};

struct WatchOptions {
  std::string name_space; ///< Empty: all, or a cluster-scoped type.
  std::string label_selector;
  std::string field_selector;
  unsigned page_size = 500;
  std::chrono::seconds server_timeout_least{240}; ///< The server ends the watch after a random time
  std::chrono::seconds server_timeout_most{300};  ///< between these.
  std::chrono::seconds idle_margin{5};            ///< Silence beyond the server's timeout: dead.
  std::size_t line_limit_bytes = std::size_t{8} * 1024 * 1024;
  BackoffPolicy backoff; ///< 800 ms to 30 s.
};

/// Owns its thread, which starts in the constructor and is stopped and joined in the destructor.
class Watcher {
public:
  /// `client` and `handler` outlive the watcher.
  Watcher(Client& client, ResourceType type, WatchOptions options, WatchHandler& handler);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  Watcher(Watcher&&) = delete;
  Watcher& operator=(Watcher&&) = delete;

  /// True from the first full list on. Any thread.
  [[nodiscard]] bool synced() const { return m_synced.load(); }

  /// What was passed on last is a full list or follows from one: false from any trouble on until
  /// all was listed again. What several watchers say fits together only while all are current: the
  /// server may have been restored meanwhile. Any thread.
  [[nodiscard]] bool current() const { return m_current.load(); }

  /// Ends the thread; no handler is called after the return. Not from the handler.
  void stop();

private:
  struct Loop;

  std::atomic<bool> m_synced{false};
  std::atomic<bool> m_current{false};
  std::jthread m_thread;
};

} // namespace rb::kube
