#include "set/content_check.hpp"

#include "datastore/etcd/snapshot.hpp"
#include "objects/contents.hpp"
#include "set/age_reader.hpp"
#include "set/opened_set.hpp"
#include "set/small_checks.hpp"

#include <algorithm>

namespace rb::set {

namespace {

Error other_than_manifest(const std::string& what) {
  return {ErrorCode::corrupt, "etcd snapshot: " + what + " is not that of the manifest", {}};
}

/// Tells of what is read through it.
class ToldReader final : public etcd::RandomReader {
public:
  ToldReader(etcd::RandomReader& reader, std::string step, const CheckHooks& hooks)
      : m_reader(reader), m_step(std::move(step)), m_hooks(hooks) {}

  [[nodiscard]] std::uint64_t size() const override { return m_reader.size(); }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override {
    // Some pages are read more than once.
    m_done = std::min(m_done + buffer.size(), size());
    if (m_hooks.on_bytes) {
      m_hooks.on_bytes(m_step, m_done, size());
    }
    return m_reader.read(offset, buffer);
  }

private:
  etcd::RandomReader& m_reader;
  std::string m_step;
  const CheckHooks& m_hooks;
  std::uint64_t m_done = 0;
};

class SnapshotCheck final : public ContentCheck {
public:
  explicit SnapshotCheck(const FileTask& task) : m_task(task) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    m_trailer.update(bytes);
    return {};
  }

  [[nodiscard]] Status finish(File& file,
                              std::span<const age::Identity> identities,
                              const CheckHooks& hooks,
                              FileReport& report) override {
    RB_TRY_ASSIGN(const etcd::TrailerDigests digests, m_trailer.finish());
    report.proven.emplace_back("snapshot digest");
    RB_TRY_ASSIGN(const std::unique_ptr<AgeReader> reader, AgeReader::open(file, identities));
    ToldReader told(*reader, m_task.name + ": pages read", hooks);
    RB_TRY_ASSIGN(const etcd::SnapshotInfo info, etcd::inspect(told, limits(), hooks.stop));
    report.snapshot =
        SnapshotFacts{reader->size(), info.bootstrap_hashes, info.members, node_of(info)};
    if (m_task.manifest != nullptr && m_task.manifest->snapshot) {
      RB_TRY(compare(*m_task.manifest->snapshot, digests, info));
    }
    report.proven.push_back("revision " + std::to_string(info.revision));
    report.proven.push_back(std::to_string(info.total_keys) + " keys");
    if (m_task.manifest != nullptr && !m_task.manifest->token_hash.empty()) {
      RB_TRY(check_token(m_task.manifest->token_hash, info));
      report.proven.emplace_back("bootstrap key of the token");
    }
    return {};
  }

private:
  [[nodiscard]] etcd::InspectLimits limits() const {
    etcd::InspectLimits limits;
    limits.wanted_key =
        m_task.manifest == nullptr ? std::string() : k3s::node_key(m_task.manifest->node_name);
    return limits;
  }

  static k3s::NodeArguments node_of(const etcd::SnapshotInfo& info) {
    return info.wanted_value
               ? k3s::NodeArguments{objects::stored_annotation(*info.wanted_value,
                                                               k3s::k_node_args),
                                    objects::stored_annotation(*info.wanted_value, k3s::k_node_env)}
               : k3s::NodeArguments{};
  }

  static Status compare(const set::SnapshotRecord& expected,
                        const etcd::TrailerDigests& digests,
                        const etcd::SnapshotInfo& info) {
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

  /// k3s finds its certificates in a restored snapshot by the hash of the server token only.
  static Status check_token(const std::string& hash, const etcd::SnapshotInfo& info) {
    const auto& held = info.bootstrap_hashes;
    return std::find(held.begin(), held.end(), hash) != held.end()
               ? Status()
               : Error{ErrorCode::corrupt,
                       "etcd snapshot: it has no bootstrap key of the server token: it belongs to "
                       "another token or another cluster",
                       {}};
  }

  const FileTask& m_task;
  etcd::TrailerCheck m_trailer;
};

/// Holds the plaintext, which is small for all but the snapshot.
class MemoryCheck : public ContentCheck {
public:
  // The plaintext is shorter than the file: one buffer, so that no copies are left behind.
  explicit MemoryCheck(std::uint64_t file_bytes)
      : m_bytes(static_cast<std::size_t>(std::min(file_bytes, k_memory_limit_bytes))) {}

  [[nodiscard]] Status write(ByteView bytes) final {
    m_overflowed = m_overflowed || bytes.size() > m_bytes.size() - m_filled;
    if (m_overflowed) {
      return {}; // the digest is taken of all of it nevertheless
    }
    std::copy(bytes.begin(), bytes.end(), m_bytes.data() + m_filled);
    m_filled += bytes.size();
    return {};
  }

protected:
  [[nodiscard]] ByteView content() const { return m_bytes.view().first(m_filled); }
  /// Not all of it is in memory.
  [[nodiscard]] bool overflowed() const { return m_overflowed; }

private:
  SecretBytes m_bytes;
  std::size_t m_filled = 0;
  bool m_overflowed = false;
};

/// Holds the plaintext to the rule of its kind.
class SmallCheck final : public MemoryCheck {
public:
  SmallCheck(const FileTask& task, std::uint64_t file_bytes)
      : MemoryCheck(file_bytes), m_task(task) {}

  [[nodiscard]] Status finish(File& /*file*/,
                              std::span<const age::Identity> /*identities*/,
                              const CheckHooks& /*hooks*/,
                              FileReport& report) override {
    if (m_task.type == api::ArtifactType::host_state) {
      return overflowed() ? Status(too_large())
                          : check_host_state(content(), m_task.manifest, report.proven);
    }
    if (overflowed()) {
      report.note_odd(too_large().message);
    } else if (m_task.type == api::ArtifactType::helm_values) {
      look_at_helm_values(content(), m_task.manifest, report);
    } else {
      look_at_kubeconfig(content(), report);
    }
    return {};
  }

private:
  static Error too_large() {
    return {ErrorCode::unsupported, "too large to be checked in memory", {}};
  }

  const FileTask& m_task;
};

} // namespace

std::unique_ptr<ContentCheck> make_content_check(const FileTask& task, std::uint64_t file_bytes) {
  if (task.type == api::ArtifactType::etcd_snapshot) {
    return std::make_unique<SnapshotCheck>(task);
  }
  return std::make_unique<SmallCheck>(task, file_bytes);
}

} // namespace rb::set
