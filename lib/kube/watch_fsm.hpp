// The list-then-watch protocol of the Kubernetes API as a pure machine: no clock, no sockets.
// Guarantees: after `Synced` the upserts and deletes so far describe the listed state; an object
// that vanished while nobody looked gets its delete at the next `Synced`; no event is lost without
// a new list. (Kubernetes documentation, "API concepts", "Efficient detection of changes".)
#pragma once

#include "base/result.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace rb::kube {

/// Cuts a stream of bytes into lines that end with a line feed. One line is bounded. Used by one
/// thread.
class LineFramer {
public:
  /// Takes one line without its line feed; false stops the framer (push then returns false, too).
  using LineSink = std::function<bool(std::string_view)>;

  explicit LineFramer(std::size_t limit_bytes) : m_limit_bytes(limit_bytes) {}

  /// Empty lines are dropped. Returns false when the sink said so. Errors: unsupported (a line
  /// longer than the limit; the framer is useless afterwards).
  [[nodiscard]] Result<bool> push(std::string_view bytes, const LineSink& sink);

  /// Bytes of an unfinished line that are held.
  [[nodiscard]] std::size_t pending_bytes() const { return m_pending.size(); }

private:
  std::size_t m_limit_bytes;
  std::string m_pending;
};

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
/// The server ended the watch as it should: `in_time` when it was as long as we had asked.
struct WatchEnded {
  bool in_time = false;
};
struct CallFailed { ///< A list or a watch failed, at its start or in the middle.
  Error error;
};
struct WentBack {}; ///< The versions of the server went back, as somebody else found out.
using WatchInput = std::variant<Listed, LineReceived, WatchEnded, CallFailed, WentBack>;

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
struct VersionsWentBack {}; ///< Found out by the watch itself: tell the others.
struct DoList {
  std::string continue_token; ///< Empty: from the start.
  bool after_failure = false; ///< Wait (back-off) before it.
  std::chrono::seconds retry_after{0};
};
struct DoWatch {
  std::string resource_version;
};
using WatchOutput = std::variant<Upsert, Delete, Synced, Report, VersionsWentBack, DoList, DoWatch>;

/// A watch goes on from its last version only where nothing can have happened to the server: after
/// an end in time, and then once. After everything else, and so at the latest after two whole
/// watches, comes a list: a server may drop a stale watch without a 410, and one that was restored
/// meanwhile answers a watch from the past's future with silence. Used by one thread.
class WatchFsm {
public:
  /// The first wish: DoList from the start.
  [[nodiscard]] std::vector<WatchOutput> start();

  /// After DoList or DoWatch was output by a line (410 in the stream), the running watch must be
  /// ended by the caller; its WatchEnded or CallFailed is not passed on.
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
  void watch(std::vector<WatchOutput>& out);
  void relist(bool after_failure, std::chrono::seconds retry_after, std::vector<WatchOutput>& out);
  void begin_anew(std::vector<WatchOutput>& out);

  std::string m_resource_version; ///< Empty: we must list.
  std::string m_continue_token;
  std::map<Key, std::string> m_known;     ///< Key to uid, of what was announced.
  std::map<Key, std::string> m_this_list; ///< Of the list that is being read.
  bool m_resumed = false;                 ///< The watch that runs is the second since the list.
  bool m_progress = false;                ///< The watch that runs brought a line.
  bool m_synced = false;
};

} // namespace rb::kube
