// A whole set, checked.
#pragma once

#include "set/file_check.hpp"

namespace rb::set {

struct SetReport {
  std::string run_id;
  set::SetState state = set::SetState::incomplete;
  std::vector<std::string> problems; ///< Those of the set as it is listed.
  std::vector<FileReport> files;
  std::string signature;          ///< A word on who made it; empty: it was not asked.
  ExitCode code = ExitCode::done; ///< The worst of its files; incomplete or damaged by its state.
};

/// See check_file. `hooks` outlives the call only as its functions do.
[[nodiscard]] SetReport check_set(set::Directory& directory,
                                  const set::BackupSet& set,
                                  std::span<const age::Identity> identities,
                                  const CheckHooks& hooks = {});

/// The one that an operator has to know of first: damaged, no_identity, failed, incomplete, done.
[[nodiscard]] ExitCode worse(ExitCode left, ExitCode right);

} // namespace rb::set
