// A text file for node_exporter's textfile collector.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace rb::restore {

/// Replaces `path` in one step, mode 0644: a reader sees the old text or the new one. What is
/// written first is "<path>.part", which the collector does not read. Errors: those of system
/// calls; the old file stays then.
[[nodiscard]] Status write_metrics_file(const std::string& path, std::string_view text);

} // namespace rb::restore
