// One set, or one file, copied to the remote or from it, and proven to have arrived: by the SHA-256
// of what is there afterwards.
#pragma once

#include "offsite/remote_store.hpp"
#include "set/sets.hpp"

#include <functional>
#include <optional>

namespace rb::offsite {

/// A file on the disk and what it must be over there.
struct LocalFile {
  RemoteFile file;
  std::string sha256; ///< Lower-case hex.
};

/// SHA-256 and size of a file of the directory. Errors: those of Fs, cancelled.
[[nodiscard]] Result<LocalFile>
measure(set::Directory& directory, const std::string& name, std::stop_token stop);

/// Afterwards the file is over there, with the right digest. One that is listed in `there` with its
/// size is compared first, and sent only when its digest is another. Errors: corrupt (what came
/// back is not what was sent, or the file on our disk is damaged; the message says which), those of
/// RemoteStore and Fs.
[[nodiscard]] Status replicate_file(set::Directory& directory,
                                    RemoteStore& remote,
                                    const std::vector<RemoteFile>& there,
                                    const LocalFile& wanted,
                                    std::stop_token stop);

/// Reads every artifact of the set here and compares it with the manifest: what rotted here is not
/// sent. Errors: corrupt (which file), those of Fs, cancelled; all of them are of this disk.
[[nodiscard]] Status
check_here(set::Directory& directory, const set::BackupSet& set, std::stop_token stop);

/// All files of a complete set, the manifest last: a set over there that has a manifest is whole.
[[nodiscard]] Status replicate_set(set::Directory& directory,
                                   RemoteStore& remote,
                                   const std::vector<RemoteFile>& there,
                                   const set::BackupSet& set,
                                   std::stop_token stop);

/// Reads every file of a set over there back and compares it with what the manifest says,
/// the manifest and its signature with those on our disk. Errors: corrupt (which file rotted over
/// there), those of RemoteStore and Fs.
[[nodiscard]] Status reread_set(set::Directory& directory,
                                RemoteStore& remote,
                                const set::BackupSet& set,
                                std::stop_token stop);

struct Fetched {
  std::vector<std::string> files;   ///< Fetched now, or there already with the right digest.
  std::vector<std::string> present; ///< Those of `files` that were there already.
  std::optional<Error> no_image;    ///< Why the image of the kit did not come along, where it is.
};

/// Brings one set into a backup directory, so that everything that works on a disk works on it: the
/// artifacts of `set`, which is one of `listing` (open_remote), each as "<name>.part" first and
/// compared with the manifest's size and SHA-256; the manifest last, so that a set in the directory
/// that has one is whole. Then the image of the kit with its signature, which who uses it looks at;
/// without it the set is fetched all the same. The public keys come along where there are none.
/// Files of the directory are never replaced. Errors: incomplete (the remote's set has no usable
/// manifest), corrupt (a file is not what the manifest says: it is removed again), already_exists
/// (another file has the name), no_space, those of RemoteStore and Fs.
[[nodiscard]] Result<Fetched> fetch_set(set::Directory& to,
                                        RemoteStore& remote,
                                        set::Directory& listing,
                                        const set::BackupSet& set,
                                        const std::function<void(const std::string&)>& on_file,
                                        std::stop_token stop);

} // namespace rb::offsite
