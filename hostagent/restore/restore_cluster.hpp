// The parts of `restore` that work on the cluster; the command decides among them.
#pragma once

#include "restore/options.hpp"
#include "restore/trust.hpp"
#include "set/sets.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::restore {

/// Lists and guides.
int guide(const RestoreCommand& command, const Options& options, Io& io);

/// --execute, --dry-run, --resume.
int execute(const RestoreCommand& command, const Options& options, Io& io);

/// --rollback.
int roll_back(const RestoreCommand& command, const Options& options, Io& io);

/// Says why a set is not taken for its signature, or warns; the exit code where it is refused.
[[nodiscard]] std::optional<int> refused_by_signature(const Catalogue& catalogue,
                                                      const std::string& run_id,
                                                      const RestoreCommand& command,
                                                      const Io& io);

} // namespace rb::restore
