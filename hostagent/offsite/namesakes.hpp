// Sets over there that another server made in the same run: their files bear the names of ours, and
// sending ours would replace them.
#pragma once

#include "offsite/decide.hpp"
#include "offsite/remote_store.hpp"
#include "set/sets.hpp"

#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::offsite {

/// By run id the node whose set is over there: of the complete sets that are still to be sent, and
/// whose own manifest names another node. `there` is the listing; only where it has a manifest of
/// such a run, those over there are fetched and read. One that cannot be read is nobody's. Errors:
/// those of open_remote and set::list_sets.
[[nodiscard]] Result<std::map<std::string, std::string>>
nodes_of_namesakes(RemoteStore& remote,
                   const std::vector<RemoteFile>& there,
                   const std::vector<set::BackupSet>& sets,
                   const State& state,
                   std::stop_token stop);

/// Why the set of that run is not sent. Code already_exists, which nothing else has that is done to
/// a remote.
[[nodiscard]] Error
sent_by_another(const std::string& remote, const std::string& run_id, const std::string& node);

} // namespace rb::offsite
