// Proven restore: boots a scratch k3s server from a decrypted snapshot, beside whatever runs on
// this host and without touching it, and compares what it serves with the snapshot, object by
// object.
#pragma once

#include "objects/contents.hpp"
#include "objects/local_api.hpp"
#include "objects/served.hpp"
#include "restore/proof/cage.hpp"
#include "restore/proof/server_args.hpp"

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::proof {

// Compares what a booted server serves with what the snapshot holds, object by object. Lists are
// asked for at the snapshot's own revision: what controllers change meanwhile doesn't count.

inline constexpr std::size_t k_differences_shown = 20;

struct Comparison {
  std::uint64_t objects = 0; ///< Served, and in the snapshot with the same revision.
  std::map<std::string, std::uint64_t> kinds; ///< Objects by storage prefix, without empty ones.
  /// Objects of kinds that no API serves: of a definition that is gone, or of an API that this
  /// release has dropped. Not a difference.
  std::map<std::string, std::uint64_t> unserved;
  /// Objects that nobody can list without a webhook, a pod that does not run. Not a difference.
  std::map<std::string, std::uint64_t> unconverted;
  /// What is listed and does not answer, as of objects::discover(). Not a difference: of a
  /// definition that the snapshot has objects of, `differences` says so.
  std::vector<std::string> unanswered;
  std::uint64_t difference_count = 0;
  std::vector<std::string> differences; ///< The first of them: "pods/default/web: missing".
};

/// Waits until all custom resource definitions of the snapshot are served (at most `patience`), and
/// compares every object of every kind. Differences are a value.
/// Errors: those of ApiPort and discover(), cancelled.
[[nodiscard]] Result<Comparison> compare(objects::ApiPort& api,
                                         const objects::Contents& contents,
                                         Waiter& waiter,
                                         std::chrono::seconds patience,
                                         const std::stop_token& stop);

/// So much memory must be available, or the scratch server could cost the running one its own.
inline constexpr std::uint64_t k_memory_needed_bytes = std::uint64_t{800} << 20U;

struct BootInput {
  std::string k3s;           ///< Absolute path of the program.
  std::string snapshot_path; ///< Decrypted and plain, 0600, in `directory` or elsewhere; absolute.
  std::string directory;     ///< A scratch directory (scratch_dir.hpp); the caller removes it.
  std::string_view token;    ///< Server token, whole line or password.
  ServerSettings settings;
  std::int64_t revision = 0;                    ///< Of the manifest; 0: not known.
  std::map<std::string, std::uint64_t> objects; ///< Of the manifest, by kind; empty: not known.
  std::chrono::seconds reset_timeout{300};
  std::chrono::seconds ready_timeout{180};
};

/// What boot() touches; tests put others in place.
struct BootPorts {
  Cage& cage;
  const Clock& clock;
  Waiter& waiter;
  /// The way into the scratch server's API, by the path of its socket.
  std::function<std::unique_ptr<objects::ApiPort>(const std::string& socket_path)> connect;
  /// Bytes of memory available on this host; 0: not known.
  std::function<std::uint64_t()> available_memory;
  /// One plain line for each step.
  std::function<void(const std::string& line)> progress;
};

struct BootReport {
  std::chrono::milliseconds total{0};
  std::uint64_t peak_memory_bytes = 0; ///< Largest of the samples (five a second), PSS.
  std::int64_t revision = 0;
  Comparison comparison;
};

/// Leaves no process and no namespace behind, whatever happens, and nothing outside of
/// `input.directory`. A server that comes up and serves something else than the snapshot is an
/// error.
/// Errors: corrupt (the snapshot is not that of the manifest, or the objects differ), timeout,
/// cancelled, unavailable (the server ended, too little memory), invalid_argument (the token is of
/// another snapshot), not_found (k3s), permission_denied, no_space, unsupported, io.
[[nodiscard]] Result<BootReport>
boot(const BootInput& input, const BootPorts& ports, const std::stop_token& stop);

} // namespace rb::proof
