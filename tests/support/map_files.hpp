// Files of a host that is not there.
#pragma once

#include "k3s/host_files.hpp"

#include <map>
#include <set>
#include <utility>

namespace rb::test {

class MapFiles final : public k3s::HostFiles {
public:
  MapFiles(std::initializer_list<std::pair<const std::string, std::string>> files)
      : m_files(files) {}

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override {
    const auto found = m_files.find(path);
    return found == m_files.end() ? std::nullopt : std::optional(found->second);
  }

  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override {
    std::set<std::string> names;
    for (const auto& entry : m_files) {
      if (entry.first.starts_with(directory + "/")) {
        const std::string rest = entry.first.substr(directory.size() + 1);
        names.insert(rest.substr(0, rest.find('/')));
      }
    }
    return {names.begin(), names.end()};
  }

  /// As a container whose image has that directory.
  void hide(const std::string& directory) { m_hidden = directory; }
  [[nodiscard]] bool hides(const std::string& path) const override {
    return !m_hidden.empty() && path.starts_with(m_hidden + "/");
  }

private:
  std::map<std::string, std::string> m_files;
  std::string m_hidden;
};

} // namespace rb::test
