// The certificate by which the servers are asked: k3s makes it for a year, and in a set it grows
// old. Private to this room.
#pragma once

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"

#include <string_view>

namespace rb::cluster {

/// PEM. `certificate` itself as long as it is valid at `now`; else the same one for a day, signed
/// by `authority` with its key. Where it cannot be made, or what is given is no certificate, that
/// is returned as it is: the servers say what is wrong with it.
[[nodiscard]] SecretBytes valid_certificate(SecretBytes certificate,
                                            const SecretBytes& authority,
                                            const SecretBytes& authority_key,
                                            SystemTime now);

} // namespace rb::cluster
