// What lies beside the sets and is copied with them: program, guide and image with their
// signatures, and the host's public keys. Only what the host's key vouches for leaves the host.
#pragma once

#include "offsite/decide.hpp"
#include "offsite/remote_store.hpp"
#include "sign/minisign.hpp"

#include <stop_token>
#include <vector>

namespace rb::offsite {

struct KitCopy {
  RemoteStore& remote;
  const std::vector<RemoteFile>& there;     ///< The listing.
  set::Directory& directory;                ///< Only read.
  const std::vector<sign::PublicKey>& keys; ///< The host's; none: not known yet.
  State& state;                             ///< What was sent is noted in it.
  std::stop_token stop;
};

/// Sends what is not over there as it lies here. Of the keys that the host had before, those that
/// sets over there were signed with go along: else nobody could check them on a bare machine. The
/// catalogue over there is read only while one of them is not there.
/// Errors: corrupt (a file that the host's key does not vouch for; everything else was sent), those
/// of replicate_file and open_remote.
[[nodiscard]] Status send_kit(const KitCopy& copy);

} // namespace rb::offsite
