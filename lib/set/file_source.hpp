// A file of the backup directory as lib/age reads it.
#pragma once

#include "age/io.hpp"
#include "base/fs.hpp"

namespace rb::set {

/// Reads from the start, whatever the position of the file, which outlives it.
class StartSource final : public age::Source {
public:
  explicit StartSource(File& file) : m_file(file) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    auto got = m_file.read_at(m_offset, buffer);
    m_offset += got ? *got : 0;
    return got;
  }

private:
  File& m_file;
  std::uint64_t m_offset = 0;
};

} // namespace rb::set
