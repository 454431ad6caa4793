// A server node in a scratch directory: k3s's data directory, /etc/rancher, a fake k3s, a
// .sops.yaml and a backup directory; and runs of the agent on it, without a cluster.
#pragma once

#include "agent/run/backup_run.hpp"
#include "fault/host_paths.hpp"
#include "set/sets.hpp"
#include "support/kine_database.hpp"
#include "support/scratch.hpp"

#include "age/identity.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rb::test {

/// A word that lies in the snapshot and in the token, and must never be found in clear.
inline constexpr std::string_view k_planted = "plaintext-canary-7f3a91";

class FakeHost {
public:
  FakeHost();

  Scratch scratch;
  agent::Settings settings;
  SetClock clock;
  age::Identity identity;
  agent::Prover* prover = nullptr;
  std::shared_ptr<KineDatabase> database; ///< Of a server on SQLite that runs.

  /// What the fake k3s plays from now on; "" for none.
  void play(const std::string& fault) const { scratch.write("bin/fault", fault); }
  /// What a save stores: about `padding_bytes` large.
  void use_snapshot(std::size_t padding_bytes) const;

  /// The server keeps its state in SQLite from now on: three rows, and `padding_bytes` more.
  void use_sqlite(std::size_t padding_bytes = 0);
  [[nodiscard]] std::string token_hash() const;

  /// An order of the next run id: a minute after the one before.
  [[nodiscard]] agent::RunOrder next_order();
  agent::RunReport run(const agent::RunOrder& order);
  agent::RunReport run() { return run(next_order()); }
  agent::RunReport run(const agent::RunOrder& order, const agent::RunControl& control);

  /// Content of every file of the backup directory by name, without the log, markers and kit.
  [[nodiscard]] std::map<std::string, std::string> backups() const;
  /// Names in k3s's snapshot directory.
  [[nodiscard]] std::vector<std::string> snapshots() const;
  /// Files below the scratch directory that hold the planted word, k3s's own left out.
  [[nodiscard]] std::vector<std::string> leaks() const;
  /// The artifact, decrypted.
  [[nodiscard]] std::string opened(const std::string& file_name) const;

private:
  Bytes m_values; ///< The Helm artifact that the controller would send.
};

/// What `railiance-restore list` would show.
[[nodiscard]] std::vector<set::BackupSet> sets_of(const FakeHost& host);

/// Everything in `before` is still there, bit by bit.
[[nodiscard]] bool is_untouched(const std::map<std::string, std::string>& before,
                                const std::map<std::string, std::string>& after);

} // namespace rb::test
