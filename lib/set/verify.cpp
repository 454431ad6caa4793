#include "set/sets.hpp"

namespace rb::set {

namespace {

/// Tells `progress` of every byte that is read through it.
class CountingFile final : public File {
public:
  CountingFile(File& file, const std::function<void(std::uint64_t)>& progress)
      : m_file(file), m_progress(progress) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override {
    auto got = m_file.read(buffer);
    if (got && m_progress) {
      m_progress(*got);
    }
    return got;
  }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableByteView buffer) override {
    return m_file.read_at(offset, buffer);
  }
  [[nodiscard]] Status write(ByteView bytes) override { return m_file.write(bytes); }
  [[nodiscard]] Status sync() override { return m_file.sync(); }
  [[nodiscard]] Status close() override { return m_file.close(); }
  [[nodiscard]] Result<std::uint64_t> size() override { return m_file.size(); }

private:
  File& m_file;
  const std::function<void(std::uint64_t)>& m_progress;
};

Result<ContentDigest> read_file(Directory& directory,
                                const std::string& name,
                                const std::stop_token& stop,
                                const std::function<void(std::uint64_t)>& progress) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_uncached(name));
  CountingFile counted(*file, progress);
  return digest_of(counted, stop);
}

FileCheck judge(const api::ArtifactStatus& artifact, const Result<ContentDigest>& content) {
  FileCheck check{artifact.type, artifact.file_name, FileVerdict::intact, {}};
  if (!content) {
    check.verdict = content.error().code == ErrorCode::not_found ? FileVerdict::missing
                                                                 : FileVerdict::unreadable;
    check.message = content.error().message;
  } else if (content->size_bytes != artifact.size_bytes) {
    check.verdict = FileVerdict::wrong_size;
    check.message = artifact.file_name + ": has " + std::to_string(content->size_bytes) +
                    " bytes, the manifest says " + std::to_string(artifact.size_bytes);
  } else if (to_hex(content->sha256) != artifact.sha256) {
    check.verdict = FileVerdict::wrong_digest;
    check.message = artifact.file_name + ": its SHA-256 is not that of the manifest";
  }
  return check;
}

} // namespace

std::string_view to_string(FileVerdict verdict) {
  switch (verdict) {
  case FileVerdict::intact:
    return "intact";
  case FileVerdict::missing:
    return "missing";
  case FileVerdict::wrong_size:
    return "wrong size";
  case FileVerdict::wrong_digest:
    return "wrong digest";
  case FileVerdict::unreadable:
    return "unreadable";
  }
  return "";
}

Result<std::vector<FileCheck>> verify_set(Directory& directory,
                                          const Manifest& manifest,
                                          std::stop_token stop,
                                          const std::function<void(std::uint64_t)>& progress) {
  std::vector<FileCheck> checks;
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    const auto content = read_file(directory, artifact.file_name, stop, progress);
    if (!content && content.error().code == ErrorCode::cancelled) {
      return content.error();
    }
    checks.push_back(judge(artifact, content));
  }
  return checks;
}

} // namespace rb::set
