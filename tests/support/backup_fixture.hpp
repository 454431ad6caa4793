// A backup directory with true contents, and the commands run on it in this process.
#pragma once

#include "restore/io.hpp"
#include "set/manifest.hpp"
#include "set/names.hpp"
#include "sign/signing_key.hpp"
#include "support/temporary_directory.hpp"

#include "age/identity.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace rb::test {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class BackupFixture {
public:
  BackupFixture();

  /// Makes a set of all four artifacts that `identity()` opens.
  set::Manifest add_set(const std::string& run_id);
  /// Without Helm values.
  set::Manifest add_incomplete_set(const std::string& run_id);

  /// Runs a command; --backup-dir is that of the fixture.
  Outcome run(std::vector<std::string> args, const std::string& in = {});
  nlohmann::json run_json(std::vector<std::string> args);

  [[nodiscard]] const age::Identity& identity() const { return m_identity; }
  [[nodiscard]] std::string keys() const { return m_temporary.file("keys.txt"); }
  [[nodiscard]] std::string other_keys() const { return m_temporary.file("other.txt"); }
  [[nodiscard]] std::string backups() const { return m_temporary.file("backups"); }
  [[nodiscard]] std::string file(const std::string& name) const { return m_temporary.file(name); }
  /// Path of an artifact.
  [[nodiscard]] std::string artifact(api::ArtifactType type, const std::string& run_id) const;

  /// The age file of `plaintext`, for `identity()`.
  [[nodiscard]] std::string encrypt(const std::string& plaintext) const;
  /// Writes an artifact anew, and the manifest to match: a fault that digests do not show.
  void replace_content(api::ArtifactType type, const std::string& run_id, const std::string& plain);

  /// This host is the one that signs.
  void be_the_host();
  /// Writes the manifest with the signature of `signing_key()`.
  void sign(const set::Manifest& manifest) const { sign(manifest, m_signing_key); }
  void sign(const set::Manifest& manifest, const sign::SigningKey& key) const;
  [[nodiscard]] const sign::SigningKey& signing_key() const { return m_signing_key; }
  [[nodiscard]] std::string manifest_file(const std::string& run_id) const {
    return backups() + "/" + set::manifest_name(run_id);
  }

  /// What this host knows of its own key; empty: nothing.
  std::string host_public_key;
  std::string default_backup_dir; ///< Where this host keeps its own sets; empty: as Io has it.
  bool says_default_backup_dir = false; ///< As Io has it.
  std::string host_signing_key;         ///< Where this host keeps it; empty: it has none.
  std::string restore_lock;             ///< As Io has it.
  std::string scratch_record;           ///< As Io has it.
  std::string sops_key;                 ///< SOPS_AGE_KEY, and so on; empty: not set.
  std::string sops_key_file;
  std::string sops_key_command;
  std::string default_identity_file; ///< sops/age/keys.txt of the user; empty: unknown.
  std::string sudo_user;             ///< SUDO_USER; empty: not by sudo.
  std::string ssh_key_file;          ///< SOPS_AGE_SSH_PRIVATE_KEY_FILE, and so on.
  std::string ssh_key_command;
  std::string user_ssh_key; ///< .ssh/id_ed25519 of the user; empty: unknown.
  /// What is typed, one a question; none at all: there is no terminal.
  std::vector<std::string> passphrases;
  std::vector<std::string> questions; ///< That were asked.
  bool out_is_terminal = false;

private:
  set::Manifest store(set::Manifest manifest);

  TemporaryDirectory m_temporary;
  age::Identity m_identity;
  sign::SigningKey m_signing_key;
};

/// The server token of the sets.
inline constexpr const char* k_token = "K10aa::server:5ecret";

[[nodiscard]] std::string tar_gz(const std::vector<std::pair<std::string, std::string>>& files);
[[nodiscard]] std::string host_state(const std::string& token);

/// Of day 1 of sets.hpp's calendar, and the plaintext of its artifacts.
[[nodiscard]] std::string plaintext_of(api::ArtifactType type);

} // namespace rb::test
