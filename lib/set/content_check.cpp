#include "set/content_check.hpp"

#include "datastore/datastore.hpp"
#include "k3s/token.hpp"
#include "objects/contents.hpp"
#include "set/age_reader.hpp"
#include "set/host_state.hpp"
#include "set/opened_set.hpp"
#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "archive/tar_gz.hpp"
#include "helm/artifact.hpp"

#include <algorithm>
#include <set>

namespace rb::set {

namespace {

/// The namespace that every cluster has, and keeps: its uid says which cluster it is.
constexpr std::string_view k_cluster_key = "/registry/namespaces/kube-system";

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, what, {}};
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// Values are a mapping, or nothing.
bool are_values(const archive::Entry& file) {
  const YamlKind kind = yaml_kind(file.content.text());
  return kind == YamlKind::map || kind == YamlKind::null;
}

void note_values(const helm::Index& index,
                 const std::vector<archive::Entry>& entries,
                 FileReport& report) {
  std::set<std::string_view> values;
  for (const helm::IndexedRelease& release : index.releases) {
    values.insert(release.file);
  }
  for (const archive::Entry& file : entries) {
    if (values.contains(file.path) && !are_values(file)) {
      report.note_odd(terminal_text(file.path) + " is not a YAML mapping");
    }
  }
}

/// index.json, a file that parses as YAML for every release of it, and no other; as many releases
/// as the manifest says.
void look_at_helm_values(ByteView tar_gz, const Manifest* manifest, FileReport& report) {
  const auto entries = archive::read_tar_gz(tar_gz, helm::k_archive_limits);
  if (!entries) {
    return report.note_odd("its archive can't be read: " + entries.error().message);
  }
  report.proven.push_back(counted(entries->size(), "file"));
  const auto contents = helm::check_contents(*entries);
  if (!contents) {
    return report.note_odd(contents.error().message);
  }
  for (const std::string& odd : contents->odd) {
    report.note_odd(odd);
  }
  const helm::Index& index = contents->index;
  note_values(index, *entries, report);
  if (manifest != nullptr && manifest->helm &&
      static_cast<std::size_t>(manifest->helm->releases) != index.releases.size()) {
    report.note_odd("it holds " + counted(index.releases.size(), "release") +
                    ", the manifest says " + std::to_string(manifest->helm->releases));
  }
  report.proven.push_back(counted(index.releases.size(), "release"));
  if (const auto odd = index.undecodable_total(); odd != 0) {
    report.proven.push_back(counted(odd, "undecodable one") + " as stored");
  }
}

/// host.json of this run and a server token with the hash of the manifest. Errors: corrupt,
/// unsupported.
Status
check_host_state(ByteView tar_gz, const Manifest* manifest, std::vector<std::string>& proven) {
  RB_TRY_ASSIGN(const HostState state, parse_host_state(tar_gz));
  proven.push_back(counted(state.files.size() + 1, "file"));
  if (manifest != nullptr && !manifest->token_hash.empty() &&
      k3s::token_hash(state.server_token()) != manifest->token_hash) {
    return damaged("its server token is not the one that the manifest names");
  }
  if (manifest != nullptr && !state.run_id.empty() && state.run_id != manifest->run_id) {
    return damaged("it is of the run " + archive::printable(state.run_id));
  }
  proven.emplace_back("server token");
  return {};
}

Error other_than_manifest(const std::string& what) {
  return {ErrorCode::corrupt, "snapshot: " + what + " is not that of the manifest", {}};
}

/// Tells of what is read through it.
class ReportingReader final : public RandomReader {
public:
  ReportingReader(RandomReader& reader, std::string step, const CheckHooks& hooks)
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
  RandomReader& m_reader;
  std::string m_step;
  const CheckHooks& m_hooks;
  std::uint64_t m_done = 0;
};

class SnapshotCheck final : public ContentCheck {
public:
  explicit SnapshotCheck(const FileTask& task)
      : m_task(task), m_datastore(datastore::of(api::kind_of_file(task.name))),
        m_check(m_datastore.make_check()) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    m_check->update(bytes);
    return {};
  }

  [[nodiscard]] Status finish(File& file,
                              std::span<const age::Identity> identities,
                              const CheckHooks& hooks,
                              FileReport& report) override {
    RB_TRY_ASSIGN(const datastore::CopyDigests digests, m_check->finish());
    report.proven.emplace_back("snapshot digest");
    RB_TRY_ASSIGN(const std::unique_ptr<AgeReader> reader, AgeReader::open(file, identities));
    ReportingReader reporting(*reader, m_task.name + ": pages read", hooks);
    RB_TRY_ASSIGN(const datastore::CopyFacts info,
                  m_datastore.inspect(reporting, order(), hooks.stop));
    report.snapshot = SnapshotFacts{
        reader->size(), info.bootstrap_hashes, info.members, cluster_of(info), node_of(info)};
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
  [[nodiscard]] datastore::InspectOrder order() const {
    datastore::InspectOrder order;
    order.wanted_keys = {node_key(), std::string(k_cluster_key)};
    return order;
  }

  /// Of the manifest's node; without a manifest a key that nothing has.
  [[nodiscard]] std::string node_key() const {
    return m_task.manifest == nullptr ? std::string() : k3s::node_key(m_task.manifest->node_name);
  }

  [[nodiscard]] k3s::NodeArguments node_of(const datastore::CopyFacts& info) const {
    const Bytes* const node = info.wanted(node_key());
    return node == nullptr ? k3s::NodeArguments{}
                           : k3s::NodeArguments{objects::stored_annotation(*node, k3s::k_node_args),
                                                objects::stored_annotation(*node, k3s::k_node_env)};
  }

  static std::string cluster_of(const datastore::CopyFacts& info) {
    const Bytes* const system = info.wanted(std::string(k_cluster_key));
    return system == nullptr ? std::string() : objects::stored_metadata(*system).uid;
  }

  static Status compare(const SnapshotRecord& expected,
                        const datastore::CopyDigests& digests,
                        const datastore::CopyFacts& info) {
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
  [[nodiscard]] Status check_token(const std::string& hash,
                                   const datastore::CopyFacts& info) const {
    return std::ranges::find(info.bootstrap_hashes, hash) != info.bootstrap_hashes.end()
               ? Status()
               : Error{ErrorCode::corrupt,
                       std::string(m_datastore.copy_name()) +
                           ": it has no bootstrap key of the server token: it belongs to "
                           "another token or another cluster",
                       {}};
  }

  const FileTask& m_task;
  const datastore::Datastore& m_datastore;
  std::unique_ptr<datastore::CopyCheck> m_check;
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
  if (task.type == api::ArtifactType::datastore) {
    return std::make_unique<SnapshotCheck>(task);
  }
  return std::make_unique<SmallCheck>(task, file_bytes);
}

} // namespace rb::set
