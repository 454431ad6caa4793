// A host that railiance-restore, as it is shipped, brings back to a restored cluster: with an /etc,
// a /run and a /var/lib of its own, the k3s of rejoining_k3s.sh, and a set of the cluster. And what
// must hold of it, whatever the command met. (test_rejoin_power.cpp has its steps in process, on a
// disk that loses power: a kill and a failed call need the program.)
#pragma once

#include "fault/disk/mounts.hpp"
#include "fault/process/tally.hpp"
#include "fault/process/tracer.hpp"
#include "fault/restore/host_tree.hpp"
#include "support/backup_fixture.hpp"

#include "base/process.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::test {

/// What lies below k3s's data directory before.
enum class OldData { database, nothing };

/// Needs root. One at a time.
class RejoiningHost {
public:
  explicit RejoiningHost(OldData old);

  [[nodiscard]] bool mounted() const;
  /// As it is laid out: k3s is stopped.
  [[nodiscard]] const HostTree& before() const { return m_before; }
  [[nodiscard]] static HostTree now();
  static void put(const HostTree& tree);

  /// `rejoin` with these words besides.
  [[nodiscard]] ProcessResult rejoin(const std::vector<std::string>& words) const;
  [[nodiscard]] Traced meet(const std::vector<std::string>& words, const OnCall& on_call) const;

  // What is wrong with `tree`.

  /// At any moment: the database of before is there, whole and once; secrets are root's alone.
  [[nodiscard]] Findings harmed(const HostTree& tree) const;
  /// At the end: this host votes, and nothing is left besides.
  [[nodiscard]] Findings not_joined(const HostTree& tree) const;
  /// After the way back: each file is what it was. What it went back from may lie aside.
  [[nodiscard]] Findings not_as_before(const HostTree& tree) const;

private:
  void make_set();
  [[nodiscard]] std::vector<std::string> line(const std::vector<std::string>& words) const;

  OldData m_old;
  HostTree m_before;
  BackupFixture m_backups;
  Tmpfs m_etc;
  Tmpfs m_run;
  Tmpfs m_lib;
};

/// Below /etc, /run or /var/lib, or one of these.
[[nodiscard]] bool is_of_host(const std::string& path);

/// The password of the token is in it, or a private key.
[[nodiscard]] bool holds_secret(std::string_view text);

/// `path`, or what is removed with it, is named in a line of `said` that tells of `error`.
[[nodiscard]] bool names_failure(const std::string& said, const std::string& path, int error);

} // namespace rb::test
