// Lets lib/age write into an artifact, and remembers whose failure it was.
#pragma once

#include "set/directory.hpp"

#include "age/io.hpp"

namespace rb::agent {

/// The writer outlives it.
class WriterSink final : public age::Sink {
public:
  explicit WriterSink(set::ArtifactWriter& writer) : m_writer(writer) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    Status written = m_writer.write(bytes);
    m_failed = m_failed || !written;
    return written;
  }

  /// A write of the artifact failed: the disk is to blame, not the source.
  [[nodiscard]] bool failed() const { return m_failed; }

private:
  set::ArtifactWriter& m_writer;
  bool m_failed = false;
};

} // namespace rb::agent
