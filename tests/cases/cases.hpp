// The inputs in tests/cases/inputs, and others like them: each kind has a check that says what the
// product makes of one. README.md beside this file says what is right.
#pragma once

#include <filesystem>
#include <string>

namespace rb::cases {

struct Verdict {
  bool right = false;
  std::string said; ///< One line: what the product made of it, or what is wrong with that.
};

/// Lists of Helm's release Secrets as the API gives them, or one of them (h*.json).
[[nodiscard]] Verdict check_helm(const std::filesystem::path& file);
/// A .sops.yaml (s*.yaml).
[[nodiscard]] Verdict check_sops(const std::filesystem::path& file);

/// Values of the chart (o*.yaml): a backup directory on a disk that is not mounted, or a remote
/// whose section of rclone.conf stands in a comment, "[NAME] key=value ...".
[[nodiscard]] Verdict check_values(const std::filesystem::path& file);

/// The servers of one cluster (u*/NODE.yaml, their config.yaml): where a run goes.
[[nodiscard]] Verdict check_roles(const std::filesystem::path& directory);
/// A directory with files of a host, etc/ and so on (u*): what agent and restore know of its
/// server.
[[nodiscard]] Verdict check_host(const std::filesystem::path& root);

/// The files of a server (u*/etc/...): what the pre-flight says of their addresses and interfaces
/// on another machine, and what rewriting them there gives.
[[nodiscard]] Verdict check_new_host(const std::filesystem::path& root);

/// The whole file. Ends the program when it can't be read: there is nothing to check then.
[[nodiscard]] std::string contents_of(const std::filesystem::path& file);

} // namespace rb::cases
