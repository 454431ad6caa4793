// Why a step of a run did not succeed, in the words of the API.
#pragma once

#include "api/reason.hpp"
#include "base/error.hpp"

#include <optional>
#include <string>

namespace rb::agent {

struct Failure {
  api::Reason reason = api::Reason::internal_error;
  std::string message; ///< Lower-case, subject first, no secrets.
  std::string hint;    ///< What to do next; may be empty.

  /// "message; hint", as it stands in a condition.
  [[nodiscard]] std::string text() const;
};

/// The result of a step: nothing, or why the run cannot go on.
using StepFailure = std::optional<Failure>;

/// A failure to write the backup directory: no_space is StorageFull, a digest that does not match
/// is VerificationFailed, a held lock is HostBusy, another disk is StorageNotMounted, everything
/// else StorageFailed. `cancelled` is Interrupted: the caller knows better who stopped it.
[[nodiscard]] Failure storage_failure(const Error& error);

/// The same failure under a reason that the caller chose.
[[nodiscard]] Failure failure_as(api::Reason reason, const Error& error);

} // namespace rb::agent
