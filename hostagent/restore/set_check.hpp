// A whole set, checked; and what the checks of several sets come to.
#pragma once

#include "unpack/file_check.hpp"

#include <nlohmann/json_fwd.hpp>

namespace rb::restore {

using unpack::FileReport;
using unpack::FileTask;

struct SetReport {
  std::string run_id;
  artifact::SetState state = artifact::SetState::incomplete;
  std::vector<std::string> problems; ///< Those of the set as it is listed.
  std::vector<FileReport> files;
  ExitCode code = ExitCode::done; ///< The worst of its files; incomplete or damaged by its state.
};

[[nodiscard]] SetReport check_set(artifact::Directory& directory,
                                  const artifact::BackupSet& set,
                                  std::span<const age::Identity> identities,
                                  const std::stop_token& stop);

/// The one that an operator has to know of first: damaged, no_identity, failed, incomplete, done.
[[nodiscard]] ExitCode worse(ExitCode left, ExitCode right);

[[nodiscard]] std::string to_text(const SetReport& report);
[[nodiscard]] nlohmann::ordered_json to_json(const SetReport& report);

} // namespace rb::restore
