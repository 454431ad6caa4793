// Source and Sink on open files.
#pragma once

#include "age/io.hpp"
#include "base/fd.hpp"

#include <string>

namespace rb::age {

/// Reads an open file from its current position. The descriptor outlives it and is not closed.
class FdSource final : public Source {
public:
  /// `path` is for error messages.
  FdSource(const Fd& fd, std::string path) : m_fd(fd), m_path(std::move(path)) {}
  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;

private:
  const Fd& m_fd;
  std::string m_path;
};

/// Writes to an open file at its current position. The descriptor outlives it and is neither
/// synced nor closed: durability is the business of lib/artifact.
class FdSink final : public Sink {
public:
  /// `path` is for error messages.
  FdSink(const Fd& fd, std::string path) : m_fd(fd), m_path(std::move(path)) {}
  [[nodiscard]] Status write(ByteView bytes) override;

private:
  const Fd& m_fd;
  std::string m_path;
};

} // namespace rb::age
