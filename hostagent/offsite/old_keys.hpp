// The public keys of before the host got the one that it has: sets that lie off-site were signed
// with them, and a bare machine checks them with nothing else.
#pragma once

#include "set/sets.hpp"
#include "sign/minisign.hpp"

#include <string>
#include <vector>

namespace rb::offsite {

struct OldKey {
  std::string name; ///< "railiance-backup-<id>.pub"
  sign::PublicKey key;
};

/// Those that lie in the backup directory, each in the form and under the name that the agent gives
/// it. Who can write there can put one there, too. Errors: those of Fs::list.
[[nodiscard]] Result<std::vector<OldKey>> old_keys_in(set::Directory& directory);

/// One of the sets has a signature that is of this key. Pure.
[[nodiscard]] bool is_needed(const OldKey& old, const std::vector<set::BackupSet>& sets);

} // namespace rb::offsite
