// Notices that the API server's resourceVersions went back: etcd was restored. A watch from a
// version of the future gets no event and no error until the versions have passed it, so nobody
// else would tell.
#pragma once

#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::kube {

/// One for all connections of a process to one server. Safe to share.
/// What makes it sound: an answer is compared with what was known of the same path before its call
/// was sent, so answers that overtake each other prove nothing. Of an object and of a list the
/// version never falls (is_older_version: where both are numbers).
class VersionGuard {
public:
  /// The largest version that `path` has had, or "". Asked before a call is sent.
  [[nodiscard]] std::string known(const std::string& path) const;

  /// `version` is that of an answer to a call of `path`; known(path) was `before` when it was sent.
  void answered(const std::string& path, const std::string& version, const std::string& before);

  /// Something else proves it, such as an event that is older than the one before it.
  void went_back();

  /// Stopped as soon as the versions go back; taken before a call whose answer is worthless then.
  [[nodiscard]] std::stop_token same_history() const;

private:
  static constexpr std::size_t k_most_paths = 1024; ///< More are not watched over.

  mutable std::mutex m_mutex;
  std::map<std::string, std::string, std::less<>> m_known;
  std::stop_source m_history;
};

} // namespace rb::kube
