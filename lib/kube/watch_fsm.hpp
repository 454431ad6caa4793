// The list-then-watch protocol of the Kubernetes API as a pure machine: no clock, no sockets.
// Guarantees: after `Synced` the upserts and deletes so far describe the listed state; an object
// that vanished while nobody looked gets its delete at the next `Synced`; no event is lost without
// a new list. (Kubernetes documentation, "API concepts", "Efficient detection of changes".)
#pragma once

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rb::kube {

/// Who an object is: what is left to say when it is gone.
struct ObjectId {
  std::string name_space; ///< Empty for cluster-scoped objects.
  std::string name;
  std::string uid;

  auto operator<=>(const ObjectId&) const = default;
};

// What the machine is told.
struct Listed {
  nlohmann::json items; ///< An array of objects.
  std::string resource_version;
  std::string continue_token; ///< Empty: the last page.
};
struct LineReceived {
  std::string_view text; ///< One line of the watch.
};
struct WatchEnded {}; ///< The server ended the watch as it should.
struct CallFailed {   ///< A list or a watch failed, at its start or in the middle.
  Error error;
};
using WatchInput = std::variant<Listed, LineReceived, WatchEnded, CallFailed>;

// What the machine wants. The list of outputs is done in order.
struct Upsert {
  nlohmann::json object;
};
struct Delete {
  ObjectId id;
};
struct Synced {};
struct Report { ///< For the log: what went wrong, and that we go on.
  Error error;
};
struct DoList {
  std::string continue_token; ///< Empty: from the start.
  bool after_failure = false; ///< Wait (back-off) before it.
  std::chrono::seconds retry_after{0};
};
struct DoWatch {
  std::string resource_version;
  bool after_failure = false;
  std::chrono::seconds retry_after{0};
};
using WatchOutput = std::variant<Upsert, Delete, Synced, Report, DoList, DoWatch>;

/// Used by one thread.
class WatchFsm {
public:
  /// After so many resumptions in a row that brought no line the version is not trusted any more:
  /// relist (a server may drop a stale watch without a 410).
  static constexpr unsigned k_fruitless_limit = 3;

  /// The first wish: DoList from the start.
  [[nodiscard]] std::vector<WatchOutput> start();

  /// After DoList or DoWatch was output by a line (410 in the stream), the running watch must be
  /// ended by the caller; its WatchEnded or CallFailed is not to be told.
  [[nodiscard]] std::vector<WatchOutput> on(WatchInput input);

  [[nodiscard]] const std::string& resource_version() const { return m_resource_version; }
  [[nodiscard]] bool synced() const { return m_synced; }

private:
  using Key = std::pair<std::string, std::string>; ///< Namespace, name.

  void on_listed(Listed page, std::vector<WatchOutput>& out);
  void on_line(std::string_view text, std::vector<WatchOutput>& out);
  void on_failed(const Error& error, std::vector<WatchOutput>& out);
  void on_error_event(const nlohmann::json& status, std::vector<WatchOutput>& out);
  void upsert(nlohmann::json object, std::vector<WatchOutput>& out);
  void watch(bool after_failure, std::chrono::seconds retry_after, std::vector<WatchOutput>& out);
  void relist(bool after_failure, std::chrono::seconds retry_after, std::vector<WatchOutput>& out);
  void resume(bool after_failure, std::chrono::seconds retry_after, std::vector<WatchOutput>& out);

  std::string m_resource_version; ///< Empty: we must list.
  std::string m_continue_token;
  std::map<Key, std::string> m_known;     ///< Key to uid, of what was announced.
  std::map<Key, std::string> m_this_list; ///< Of the list that is being read.
  unsigned m_fruitless = 0;               ///< Resumptions since the last line or list.
  bool m_progress = false;                ///< The watch that runs brought a line.
  bool m_listing = false;
  bool m_synced = false;
};

} // namespace rb::kube
