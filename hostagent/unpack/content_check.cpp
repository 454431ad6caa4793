#include "unpack/content_check.hpp"

#include "unpack/age_reader.hpp"

#include "archive/tar_gz.hpp"
#include "etcdsnap/inspect.hpp"
#include "etcdsnap/trailer_check.hpp"

#include <algorithm>

namespace rb::unpack {

namespace {

constexpr std::uint64_t k_memory_limit_bytes = 256U << 20U;

Error other_than_manifest(const std::string& what) {
  return {ErrorCode::corrupt, "etcd snapshot: " + what + " is not that of the manifest", {}};
}

class SnapshotCheck final : public ContentCheck {
public:
  explicit SnapshotCheck(const FileTask& task) : m_task(task) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    m_trailer.update(bytes);
    return {};
  }

  [[nodiscard]] Status finish(artifact::File& file,
                              std::span<const age::Identity> identities,
                              const std::stop_token& stop,
                              std::vector<std::string>& proven) override {
    RB_TRY_ASSIGN(const etcdsnap::TrailerDigests digests, m_trailer.finish());
    proven.emplace_back("snapshot digest");
    RB_TRY_ASSIGN(const std::unique_ptr<AgeReader> reader, AgeReader::open(file, identities));
    RB_TRY_ASSIGN(const etcdsnap::SnapshotInfo info, etcdsnap::inspect(*reader, {}, stop));
    if (m_task.snapshot) {
      RB_TRY(compare(*m_task.snapshot, digests, info));
    }
    proven.push_back("revision " + std::to_string(info.revision));
    proven.push_back(std::to_string(info.total_keys) + " keys");
    return {};
  }

private:
  static Status compare(const artifact::SnapshotRecord& expected,
                        const etcdsnap::TrailerDigests& digests,
                        const etcdsnap::SnapshotInfo& info) {
    if (digests.size_bytes != expected.size_bytes ||
        to_hex(digests.content) != expected.content_sha256 ||
        to_hex(digests.file) != expected.file_sha256) {
      return other_than_manifest("its digest");
    }
    if (info.revision != expected.revision) {
      return other_than_manifest("its revision " + std::to_string(info.revision));
    }
    if (static_cast<std::int64_t>(info.total_keys) != expected.total_keys ||
        info.hash != expected.hash) {
      return other_than_manifest("its content");
    }
    return {};
  }

  const FileTask& m_task;
  etcdsnap::TrailerCheck m_trailer;
};

/// Holds the plaintext, which is small for all but the snapshot.
class MemoryCheck : public ContentCheck {
public:
  // The plaintext is shorter than the file: one buffer, so that no copies are left behind.
  explicit MemoryCheck(std::uint64_t file_bytes)
      : m_bytes(static_cast<std::size_t>(std::min(file_bytes, k_memory_limit_bytes))) {}

  [[nodiscard]] Status write(ByteView bytes) final {
    if (bytes.size() > m_bytes.size() - m_filled) {
      return Error{ErrorCode::unsupported, "too large to be checked in memory", {}};
    }
    std::copy(bytes.begin(), bytes.end(), m_bytes.data() + m_filled);
    m_filled += bytes.size();
    return {};
  }

protected:
  [[nodiscard]] ByteView content() const { return m_bytes.view().first(m_filled); }

private:
  SecretBytes m_bytes;
  std::size_t m_filled = 0;
};

class ArchiveCheck final : public MemoryCheck {
public:
  using MemoryCheck::MemoryCheck;

  [[nodiscard]] Status finish(artifact::File& /*file*/,
                              std::span<const age::Identity> /*identities*/,
                              const std::stop_token& /*stop*/,
                              std::vector<std::string>& proven) override {
    auto entries = archive::read_tar_gz(content());
    if (!entries) {
      Error error = std::move(entries).error();
      // A path that leads out of the archive is damage done on purpose.
      error.code = error.code == ErrorCode::invalid_argument ? ErrorCode::corrupt : error.code;
      return error;
    }
    proven.push_back(std::to_string(entries->size()) + " files");
    return {};
  }
};

class KubeconfigCheck final : public MemoryCheck {
public:
  using MemoryCheck::MemoryCheck;

  [[nodiscard]] Status finish(artifact::File& /*file*/,
                              std::span<const age::Identity> /*identities*/,
                              const std::stop_token& /*stop*/,
                              std::vector<std::string>& proven) override {
    if (as_text(content()).find("clusters") == std::string_view::npos) {
      return Error{ErrorCode::corrupt, "kubeconfig: names no cluster", {}};
    }
    proven.emplace_back("kubeconfig");
    return {};
  }
};

} // namespace

std::unique_ptr<ContentCheck> make_content_check(const FileTask& task, std::uint64_t file_bytes) {
  switch (task.type) {
  case api::ArtifactType::etcd_snapshot:
    return std::make_unique<SnapshotCheck>(task);
  case api::ArtifactType::helm_values:
  case api::ArtifactType::host_state:
    return std::make_unique<ArchiveCheck>(file_bytes);
  case api::ArtifactType::kubeconfig:
    return std::make_unique<KubeconfigCheck>(file_bytes);
  }
  return nullptr;
}

} // namespace rb::unpack
