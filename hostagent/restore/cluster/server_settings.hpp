// What of a server's settings a reset that is started by hand must be told. Pure.
#pragma once

#include "k3s/settings.hpp"

#include <string>
#include <vector>

namespace rb::cluster {

using k3s::ServerSettings;

/// "--flag=value": what no configuration file says and a reset must know, too; never a token.
[[nodiscard]] std::vector<std::string> carried_flags(const ServerSettings& settings);

} // namespace rb::cluster
