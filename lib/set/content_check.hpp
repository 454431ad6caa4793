// What the plaintext of an artifact must be; it is looked at as it is decrypted. Private to
// set_check.
//
// A restore needs the snapshot and the host state, so they are checked. Nothing in the Helm values
// and the kubeconfig can fail: their bytes are those of the manifest already, and what is odd in
// them the cluster had.
#pragma once

#include "set/set_check.hpp"

#include "age/io.hpp"
#include "base/fs.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rb::set {

struct FileTask {
  api::ArtifactType type = api::ArtifactType::datastore;
  std::string name;
  /// Outlives the task. Null: the set has none, and of what it would say nothing is asked.
  const Manifest* manifest = nullptr;
};

class ContentCheck : public age::Sink {
public:
  /// After all of the plaintext. `file` is the encrypted file, for what has to be read once more.
  /// Adds to `report.proven`, and sets `report.snapshot`. Errors: corrupt, unsupported, cancelled,
  /// io.
  [[nodiscard]] virtual Status finish(File& file,
                                      std::span<const age::Identity> identities,
                                      const CheckHooks& hooks,
                                      FileReport& report) = 0;
};

/// `file_bytes` is the size of the encrypted file. The task outlives the check.
[[nodiscard]] std::unique_ptr<ContentCheck> make_content_check(const FileTask& task,
                                                               std::uint64_t file_bytes);

// YAML as far as the checks look at it. yaml-cpp throws, and keeps what it reads in memory that is
// not wiped: only short-lived programs and checks use this.

/// Notes what is proven and what is odd: a server and credentials for it; certificates and keys in
/// it are PEM.
void look_at_kubeconfig(ByteView yaml, FileReport& report);

enum class YamlKind { invalid, null, scalar, sequence, map };

/// What one YAML document is; invalid also for several.
[[nodiscard]] YamlKind yaml_kind(std::string_view text);

} // namespace rb::set
