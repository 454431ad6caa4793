// The host state of a set, both ways: the files that a bare host needs to become this server again,
// as one tar.gz, and host.json in it, which says whose they are. Layout: docs/artifact-format.md.
#pragma once

#include "k3s/host_files.hpp"
#include "k3s/server_settings.hpp"
#include "set/opened_set.hpp"

#include "archive/tar_gz.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

/// What host.json says; empty where it does not.
struct HostDescription {
  std::string run_id;
  std::string k3s_version; ///< "v1.34.4+k3s1"
  std::string k3s_program; ///< "/usr/local/bin/k3s"
  std::string node_name;
  std::string node_address;
  std::string data_dir; ///< "/var/lib/rancher/k3s", absolute
  std::string token_hash;
  k3s::NodeArguments node; ///< What the Node said of the server; empty where nobody knew.
};

struct HostState : HostDescription {
  /// Without host.json. Paths are those of the host without the leading '/'; modes as they were.
  std::vector<archive::Entry> files;

  /// The entry, or null. `path` is absolute ("/etc/rancher/k3s/config.yaml") or as in the archive.
  [[nodiscard]] const archive::Entry* find(std::string_view path) const;

  /// Without the white space around it; valid as long as the state is. Empty: there is none.
  [[nodiscard]] std::string_view server_token() const;
  /// Empty where the server has no agent token of its own.
  [[nodiscard]] std::string_view agent_token() const;
};

/// Its files for k3s::read_host_settings() and its like. The state outlives it.
class HostStateView final : public k3s::HostFiles {
public:
  explicit HostStateView(const HostState& state) : m_state(state) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

private:
  const HostState& m_state;
};

/// A file that was to be in the archive.
struct SkippedFile {
  std::string path; ///< In the archive.
  std::string why;
};

/// Where a path of the host stands in the archive.
[[nodiscard]] std::string path_in_host_state(const std::string& path);

/// The tar.gz of `files` and of host.json, which is added to them and names them and what was
/// skipped. Errors: those of write_tar_gz.
[[nodiscard]] Result<SecretBytes> pack_host_state(HostDescription description,
                                                  std::vector<archive::Entry>& files,
                                                  const std::vector<SkippedFile>& skipped,
                                                  SystemTime now);

/// From the decrypted tar.gz. Errors: corrupt (the archive, host.json, no server token, or a token
/// of another hash than host.json says), unsupported (a schema of a newer version).
[[nodiscard]] Result<HostState> parse_host_state(ByteView tar_gz);

/// open_artifact and parse_host_state; the token's hash must be that of the manifest, too.
[[nodiscard]] Result<HostState> open_host_state(Directory& directory,
                                                const Manifest& manifest,
                                                std::span<const age::Identity> identities,
                                                const std::stop_token& stop = {});

} // namespace rb::set
