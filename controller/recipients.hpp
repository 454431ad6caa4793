// The recipients of the mounted .sops.yaml, read again for each run: who may read our backups is
// who may read the operator's secrets, never who asks for a backup.
#pragma once

#include "controller/observed.hpp"

#include "age/identity.hpp"

#include <string>
#include <variant>
#include <vector>

namespace rb::controller {

using Recipients = std::variant<std::vector<age::Recipient>, RecipientsProblem>;

/// Never empty when it is a list. The problem's message names the file.
[[nodiscard]] Recipients read_recipients(const std::string& sops_yaml_path);

} // namespace rb::controller
