// What the small artifacts must hold, so that they are of use once the cluster is gone. Pure.
// Private to this room. The manifest may be null; of what it says nothing is asked then.
#pragma once

#include "artifact/manifest.hpp"
#include "base/bytes.hpp"

#include <string>
#include <vector>

namespace rb::unpack {

/// index.json, a file that parses as YAML for every release of it, and no other; as many releases
/// as the manifest says. Errors: corrupt, unsupported.
[[nodiscard]] Status check_helm_values(ByteView tar_gz,
                                       const artifact::Manifest* manifest,
                                       std::vector<std::string>& proven);

/// host.json of this run and a server token with the hash of the manifest. Errors: corrupt,
/// unsupported.
[[nodiscard]] Status check_host_state(ByteView tar_gz,
                                      const artifact::Manifest* manifest,
                                      std::vector<std::string>& proven);

/// A server and credentials for it; certificates and keys in it are PEM. Errors: corrupt.
[[nodiscard]] Status check_kubeconfig(ByteView yaml, std::vector<std::string>& proven);

} // namespace rb::unpack
