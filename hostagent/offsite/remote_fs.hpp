// The remote as a read-only directory of backup sets, so that what lists a disk lists a remote.
#pragma once

#include "offsite/remote_store.hpp"
#include "set/directory.hpp"

namespace rb::offsite {

/// Names and sizes as listed, and the contents of the manifests, of their signatures and of
/// the public key, fetched once into a private
/// temporary directory that is gone when this returns. Other files cannot be read. Errors: those
/// of RemoteStore and of the temporary directory.
[[nodiscard]] Result<set::Directory> open_remote(RemoteStore& remote, std::stop_token stop);

} // namespace rb::offsite
