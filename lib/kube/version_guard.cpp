#include "kube/version_guard.hpp"

#include "kube/resource.hpp"

#include <utility>

namespace rb::kube {

std::string VersionGuard::known(const std::string& path) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_known.find(path);
  return found == m_known.end() ? std::string() : found->second;
}

void VersionGuard::answered(const std::string& path,
                            const std::string& version,
                            const std::string& before) {
  if (is_older_version(version, before)) {
    went_back();
  }
  const std::lock_guard lock(m_mutex);
  const auto found = m_known.find(path);
  if (found == m_known.end()) {
    if (m_known.size() < k_most_paths && !version.empty()) {
      m_known.emplace(path, version);
    }
  } else if (!is_older_version(version, found->second)) {
    found->second = version;
  }
}

void VersionGuard::went_back() {
  std::stop_source ended;
  {
    const std::lock_guard lock(m_mutex);
    ended = std::exchange(m_history, std::stop_source());
    m_known.clear();
  }
  ended.request_stop(); // outside the lock: it runs what waits for it
}

std::stop_token VersionGuard::same_history() const {
  const std::lock_guard lock(m_mutex);
  return m_history.get_token();
}

} // namespace rb::kube
