// What lies below server/tls and server/cred: k3s makes most of it anew from its datastore, and
// what an operator has put there nobody brings back where those directories go.
#pragma once

#include "k3s/server_settings.hpp"

#include <string>
#include <string_view>

namespace rb::k3s {

/// A file or directory within <data_dir>/server/tls or server/cred that is none of k3s's own. With
/// the encryption configuration it depends on the settings: without `secrets-encryption` it is a
/// file like any other.
[[nodiscard]] bool is_operators_credential(std::string_view path,
                                           const std::string& data_dir,
                                           const ServerSettings& settings);

} // namespace rb::k3s
