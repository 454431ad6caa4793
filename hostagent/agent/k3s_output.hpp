// Reads what the k3s command prints: which snapshots it says it saved, and its own last words.
#pragma once

#include "base/process.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::agent {

/// The names of the snapshots that `output` reports as saved, each once, in order. Both forms of
/// logrus are read (`level=info msg="Snapshot X saved."` and `INFO[0000] Snapshot X saved.`), and
/// the zap JSON of releases up to 1.29.3 (`"msg":"saved","path":"/dir/X"`).
[[nodiscard]] std::vector<std::string> saved_names(std::string_view output);

/// k3s::last_words() of stderr, or else of stdout.
[[nodiscard]] std::string last_words(const ProcessResult& result);

} // namespace rb::agent
