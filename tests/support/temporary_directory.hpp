// A directory below /tmp that goes with its object.
#pragma once

#include <string>
#include <string_view>

namespace rb::test {

class TemporaryDirectory {
public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;

  [[nodiscard]] const std::string& path() const { return m_path; }
  [[nodiscard]] std::string file(std::string_view name) const;

private:
  std::string m_path;
};

/// Makes or replaces the file, mode 0644. Aborts when it cannot.
void write_file(const std::string& path, std::string_view content);

/// Aborts when it cannot.
[[nodiscard]] std::string read_file(const std::string& path);

/// The permission bits, in octal ("600").
[[nodiscard]] std::string mode_of(const std::string& path);

} // namespace rb::test
