// A decrypted file that has a name only when it is whole.
#pragma once

#include "set/directory.hpp"

#include "age/io.hpp"
#include "base/durable_file.hpp"

#include <string>

namespace rb::set {

/// Written without a name, so that not even a kill leaves a half of it; where the file system has
/// no such files, as ".<name>.<pid>.part", removed by the destructor.
class OutputFile {
public:
  /// Mode 0600, in the directory of `path`. Errors: already_exists (without `replace`), those of
  /// open(2).
  [[nodiscard]] static Result<OutputFile> create(const std::string& path, bool replace);

  [[nodiscard]] Status write(ByteView bytes) { return m_file.write(bytes); }

  /// Durably. Errors: already_exists, those of the system.
  [[nodiscard]] Status commit();

private:
  OutputFile(set::Directory directory, std::string path, DurableFile file)
      : m_directory(std::move(directory)), m_path(std::move(path)), m_file(std::move(file)) {}

  set::Directory m_directory;
  std::string m_path;
  DurableFile m_file;
};

/// What is decrypted goes there.
class OutputSink final : public age::Sink {
public:
  explicit OutputSink(OutputFile& file) : m_file(file) {}
  [[nodiscard]] Status write(ByteView bytes) override { return m_file.write(bytes); }

private:
  OutputFile& m_file;
};

} // namespace rb::set
