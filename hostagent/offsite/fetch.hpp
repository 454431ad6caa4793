// Brings one set from the remote into a backup directory, so that everything that works on a disk
// works on it.
#pragma once

#include "offsite/remote_store.hpp"
#include "set/sets.hpp"

#include <functional>
#include <optional>

namespace rb::offsite {

struct Fetched {
  std::vector<std::string> files;   ///< Fetched now, or there already with the right digest.
  std::vector<std::string> present; ///< Those of `files` that were there already.
  std::optional<Error> no_image;    ///< Why the image of the kit did not come along, where it is.
};

/// The artifacts of `set`, which is one of `listing` (open_remote), each as "<name>.part" first and
/// compared with the manifest's size and SHA-256; the manifest last, so that a set in the directory
/// that has one is whole. Then the image of the kit with its signature, which who uses it looks at;
/// without it the set is fetched all the same. Files of the directory are never replaced. Errors:
/// incomplete (the remote's set has no usable manifest), corrupt (a file is not what the manifest
/// says: it is removed again), already_exists (another file has the name), no_space, those of
/// RemoteStore and Fs.
[[nodiscard]] Result<Fetched> fetch_set(set::Directory& to,
                                        RemoteStore& remote,
                                        set::Directory& listing,
                                        const set::BackupSet& set,
                                        const std::function<void(const std::string&)>& on_file,
                                        std::stop_token stop);

} // namespace rb::offsite
