// What is known to be off-site, kept over restarts in `.offsite-state` of a directory of its own:
// who can write to the backup directory must not be able to say that all is copied. It only saves
// work: without it every set is compared anew, and what is there is not sent again.
#pragma once

#include "set/directory.hpp"

#include "api/reason.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace rb::offsite {

inline constexpr std::string_view k_state_name = ".offsite-state";
inline constexpr std::string_view k_state_schema = "railiance.io/offsite-state/v1";

/// Why the last attempt failed.
struct Trouble {
  api::Reason reason = api::Reason::remote_failed;
  std::string message;

  bool operator==(const Trouble&) const = default;
};

struct State {
  std::string remote;                     ///< What follows holds for this remote only.
  std::set<std::string> replicated;       ///< Run ids of sets that were sent and read back.
  std::map<std::string, std::string> kit; ///< SHA-256 by name, of the kit's files that were sent.
  std::string tried;                      ///< The newest run id of the last attempt.
  unsigned failures = 0;                  ///< Attempts that failed since the last one that did not.
  SystemTime not_before{};                ///< No attempt before, unless there is a newer set.
  SystemTime compared{}; ///< When the names and sizes over there were last looked at.
  std::map<std::string, SystemTime> read; ///< When a set was last read back, by run id.
  SystemTime reread_at{};                 ///< When one of them was last read back in its turn.
  /// Complete sets that do not have the digests of their manifest here, and why: left out until the
  /// next attempt looks at them again. By run id.
  std::map<std::string, std::string> damaged;
  std::optional<Trouble> trouble;

  bool operator==(const State&) const = default;
};

[[nodiscard]] std::string serialize(const State& state);

/// Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<State> parse_state(std::string_view text);

/// The state for `remote`; an empty one when there is none, when it is another remote's, or when
/// it cannot be read.
[[nodiscard]] State read_state(set::Directory& directory, const std::string& remote);

/// In one durable step, mode 0600. Errors: those of Fs.
[[nodiscard]] Status write_state(set::Directory& directory, const State& state);

} // namespace rb::offsite
