// What an installation was made with, read back from its manifests: what is not said again stays as
// it is. Pure.
#pragma once

#include "cli/install/manifests.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace rb::install {

/// The ConfigMap with the recipients, and its key.
inline constexpr const char* k_sops_config_map = "railiance-backup-sops";
inline constexpr const char* k_sops_key = ".sops.yaml";

/// The values of `objects`; absent what they do not say.
[[nodiscard]] Choices choices_in(const std::vector<nlohmann::json>& objects);

/// Where the backups go by these objects; empty: they do not say.
[[nodiscard]] std::string backup_dir_in(const std::vector<nlohmann::json>& objects);

struct Kept {
  Choices choices;
  std::vector<std::string> said; ///< "--backup-dir /mnt/usb", for each that is kept.
};

/// `given`, and where it is silent what `laid` says, if that is not what `packaged` says anyway.
[[nodiscard]] Kept with_kept(Choices given, const Choices& laid, const Choices& packaged);

} // namespace rb::install
