// A decrypted file that has a name only when it is whole.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace rb::unpack {

/// Written without a name (O_TMPFILE), so that not even a kill leaves a half of it; where the file
/// system has no such files, as ".<name>.<pid>.part", removed by the destructor.
class OutputFile {
public:
  /// Mode 0600, in the directory of `path`. Errors: already_exists (without `replace`), those of
  /// open(2).
  [[nodiscard]] static Result<OutputFile> create(const std::string& path, bool replace);

  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept = default;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  [[nodiscard]] const Fd& fd() const { return m_fd; }

  /// fsync, the name, fsync of the directory. Errors: already_exists, those of the system.
  [[nodiscard]] Status commit();

private:
  OutputFile(Fd directory, std::string path, bool replace)
      : m_directory(std::move(directory)), m_path(std::move(path)), m_replace(replace) {}
  [[nodiscard]] Status give_name(const std::string& name);

  Fd m_directory;
  Fd m_fd;
  std::string m_path;
  std::string m_part; ///< The name that it has meanwhile; empty for none.
  bool m_replace;
};

} // namespace rb::unpack
