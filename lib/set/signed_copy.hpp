// A file with a signature of its own, copied out of the backup directory to where it takes effect.
#pragma once

#include "set/signed_files.hpp"

#include "base/durable_file.hpp"

#include <span>
#include <string_view>

namespace rb::set {

/// The copy has its name only when a signature by one of `trusted` holds for just those bytes.
/// Errors: not_found, corrupt (no such signature), unsupported (too large), those of Fs.
[[nodiscard]] Status copy_genuine_file(Directory& from,
                                       std::string_view name,
                                       std::span<const sign::PublicKey> trusted,
                                       Fs& to,
                                       DurableOrder order);

} // namespace rb::set
