// A file of the backup directory as lib/age reads it.
#pragma once

#include "age/io.hpp"
#include "artifact/fs.hpp"

namespace rb::unpack {

/// Reads from the start, whatever the position of the file, which outlives it.
class StartSource final : public age::Source {
public:
  explicit StartSource(artifact::File& file) : m_file(file) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    auto got = m_file.read_at(m_offset, buffer);
    m_offset += got ? *got : 0;
    return got;
  }

private:
  artifact::File& m_file;
  std::uint64_t m_offset = 0;
};

} // namespace rb::unpack
