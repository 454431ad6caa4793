// What the small artifacts hold. Pure. Private to this room. The manifest may be null; of what it
// says nothing is asked then.
//
// A restore needs the host state, so it is checked. Nothing in the Helm values and the kubeconfig
// can fail: their bytes are those of the manifest already, and what is odd in them the cluster had.
#pragma once

#include "set/file_check.hpp"
#include "set/manifest.hpp"

#include "base/bytes.hpp"

#include <string>
#include <vector>

namespace rb::set {

/// Notes what is proven and what is odd: index.json, a file that parses as YAML for every release
/// of it, and no other; as many releases as the manifest says.
void look_at_helm_values(ByteView tar_gz, const set::Manifest* manifest, FileReport& report);

/// host.json of this run and a server token with the hash of the manifest. Errors: corrupt,
/// unsupported.
[[nodiscard]] Status
check_host_state(ByteView tar_gz, const set::Manifest* manifest, std::vector<std::string>& proven);

/// The same: a server and credentials for it; certificates and keys in it are PEM.
void look_at_kubeconfig(ByteView yaml, FileReport& report);

} // namespace rb::set
