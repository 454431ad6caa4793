#include "artifact/writer.hpp"

#include "artifact/names.hpp"

#include <utility>

namespace rb::artifact {

namespace {

constexpr std::size_t k_read_bytes = 256U << 10U;

std::string part_name(const std::string& name) {
  return name + std::string(k_part_suffix);
}

} // namespace

Result<ArtifactWriter> ArtifactWriter::create(Directory& directory, std::string name) {
  const NameKind kind = classify_name(name).kind;
  if (kind != NameKind::artifact && kind != NameKind::manifest && kind != NameKind::signature) {
    return Error{ErrorCode::invalid_argument, "not the name of an artifact: " + name, {}};
  }
  // Looked at early, so that nothing is written in vain; the rename decides.
  const auto taken = directory.fs().open_read(name);
  if (taken || taken.error().code == ErrorCode::unsupported) {
    return Error{ErrorCode::already_exists, directory.path() + "/" + name + ": exists", {}};
  }
  if (taken.error().code != ErrorCode::not_found) {
    return taken.error();
  }
  RB_TRY_ASSIGN(std::unique_ptr<File> file, directory.fs().create(part_name(name)));
  return ArtifactWriter(directory, std::move(name), std::move(file));
}

ArtifactWriter::ArtifactWriter(Directory& directory, std::string name, std::unique_ptr<File> file)
    : m_directory(&directory), m_name(std::move(name)), m_file(std::move(file)) {}

ArtifactWriter::ArtifactWriter(ArtifactWriter&& other) noexcept
    : m_directory(other.m_directory), m_name(std::move(other.m_name)),
      m_file(std::move(other.m_file)), m_pending(std::exchange(other.m_pending, false)),
      m_hash(std::move(other.m_hash)), m_size_bytes(other.m_size_bytes) {}

ArtifactWriter::~ArtifactWriter() {
  discard();
}

void ArtifactWriter::discard() {
  m_file.reset();
  if (std::exchange(m_pending, false)) {
    // Best effort: sweep_leftovers of the next run finds what stays.
    static_cast<void>(m_directory->fs().remove(part_name(m_name)));
  }
}

Status ArtifactWriter::write(ByteView bytes) {
  if (!m_file) {
    return Error{ErrorCode::internal, m_name + ": written to after its end", {}};
  }
  RB_TRY(m_file->write(bytes));
  m_hash.update(bytes);
  m_size_bytes += bytes.size();
  return {};
}

Result<StoredFile> ArtifactWriter::commit(std::stop_token stop) {
  if (!m_file) {
    return Error{ErrorCode::internal, m_name + ": committed twice", {}};
  }
  Fs& fs = m_directory->fs();
  const std::string part = part_name(m_name);
  RB_TRY(m_file->sync());
  RB_TRY(m_file->close());
  m_file.reset();

  const StoredFile stored{m_name, m_size_bytes, m_hash.digest()};
  RB_TRY_ASSIGN(const std::unique_ptr<File> again, fs.open_uncached(part));
  RB_TRY_ASSIGN(const ContentDigest read_back, digest_of(*again, std::move(stop)));
  if (read_back.size_bytes != stored.size_bytes || read_back.sha256 != stored.sha256) {
    return Error{ErrorCode::corrupt,
                 m_directory->path() + "/" + part + ": what was read back is not what was written",
                 "the disk or its file system is failing: look at the kernel log"};
  }

  RB_TRY(fs.rename_new(part, m_name));
  m_pending = false;
  if (Status synced = fs.sync_directory(); !synced) {
    // It may be lost in a power cut, so it must not be there for somebody to count on.
    static_cast<void>(fs.remove(m_name));
    return synced.error();
  }
  return stored;
}

Result<ContentDigest> digest_of(File& file, std::stop_token stop) {
  Bytes buffer(k_read_bytes);
  Sha256 hash;
  ContentDigest result;
  for (;;) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "stopped while reading a file back", {}};
    }
    RB_TRY_ASSIGN(const std::size_t got, file.read(buffer));
    hash.update(ByteView(buffer).first(got));
    result.size_bytes += got;
    if (got < buffer.size()) {
      result.sha256 = hash.digest();
      return result;
    }
  }
}

Status replace_file(Directory& directory, const std::string& name, ByteView content) {
  Fs& fs = directory.fs();
  const std::string part = part_name(name);
  if (Status removed = fs.remove(part); !removed && removed.error().code != ErrorCode::not_found) {
    return removed;
  }
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, fs.create(part));
  const auto store = [&]() -> Status {
    RB_TRY(file->write(content));
    RB_TRY(file->sync());
    RB_TRY(file->close());
    return fs.rename_over(part, name);
  };
  if (Status stored = store(); !stored) {
    static_cast<void>(fs.remove(part));
    return stored;
  }
  return fs.sync_directory();
}

} // namespace rb::artifact
