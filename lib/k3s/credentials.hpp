// What lies below server/tls and server/cred: k3s makes most of it anew from its datastore, and
// what an operator has put there nobody brings back where those directories go.
#pragma once

#include "k3s/server_settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// A file or directory within <data_dir>/server/tls or server/cred that is none of k3s's own. With
/// the encryption configuration it depends on the settings: without `secrets-encryption` it is a
/// file like any other.
[[nodiscard]] bool is_operators_credential(std::string_view path,
                                           const std::string& data_dir,
                                           const ServerSettings& settings);

/// Paths below server/ of the authorities, keys and passwords that k3s keeps in its datastore: they
/// are the same on every server of a cluster. A server that joins with one that differs, and is
/// newer than that of the cluster, ends ("newer than datastore and could cause a cluster outage");
/// one that is not there it takes from the server that it joins. Files of the operator are none.
[[nodiscard]] std::vector<std::string> shared_credentials(const std::string& data_dir,
                                                          const ServerSettings& settings);

} // namespace rb::k3s
