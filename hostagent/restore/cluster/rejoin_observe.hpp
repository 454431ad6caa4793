// What a rejoin is decided on, as it is found: this host, and what each server answers.
#pragma once

#include "restore/cluster/observe.hpp"
#include "restore/cluster/rejoin.hpp"
#include "restore/cluster/server_access.hpp"

namespace rb::cluster {

struct RejoinLook {
  const HostHints& hints;
  const RejoinWishes& wishes;
  const OpenedSet& opened;
  SystemTime set_time{}; ///< When the set was made.
  std::string access_file;
  SystemTime now{};
};

/// `host` has looked. Asks each server of the set, one after the other; changes nothing but the
/// access file, which is gone afterwards.
[[nodiscard]] RejoinFacts
look_for_rejoin(Host& host, const RejoinLook& look, const std::stop_token& stop);

} // namespace rb::cluster
