// What is installed: the objects of the package's manifests, with the values of this server and the
// operator's in their places. The values are set in the objects, never in the text. Pure.
#pragma once

#include "cli/install/server.hpp"

#include "base/result.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::install {

inline constexpr const char* k_namespace = "railiance-backup";
inline constexpr const char* k_controller = "railiance-backup-controller";
inline constexpr const char* k_agent = "railiance-backup-agent";

/// What the operator decides; what is absent stays as the chart has it.
struct Choices {
  std::string sops_yaml; ///< The contents of the file.
  std::optional<std::string> backup_dir;
  std::optional<int> keep_last;
  std::optional<std::string> schedule;
  std::optional<std::string> time_zone;
};

/// Whether a .sops.yaml can be put into the cluster. Errors: invalid_argument (it holds a private
/// key, it is no UTF-8).
[[nodiscard]] Status check_sops_text(const std::string& text);

/// Errors: invalid_argument (a path that can hold no backups, a schedule that Kubernetes would not
/// take), those of check_sops_text.
[[nodiscard]] Status check_choices(const Choices& choices);

/// The objects in the order in which they must be made. `packaged` is the text of the package's
/// manifests, `image` the name of its image. Errors: corrupt (not the manifests of this release),
/// those of check_choices.
[[nodiscard]] Result<std::vector<nlohmann::json>> objects_to_install(std::string_view packaged,
                                                                     const std::string& image,
                                                                     const Choices& choices,
                                                                     const Server& server);

/// As a file for k3s's manifest directory. Equal objects give equal text. Errors: internal.
[[nodiscard]] Result<std::string> manifest_text(const std::vector<nlohmann::json>& objects);

} // namespace rb::install
