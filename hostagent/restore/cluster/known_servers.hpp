// The servers of a cluster, from all that tell of them.
#pragma once

#include "datastore/keys/copy.hpp"

#include "api/servers.hpp"

#include <vector>

namespace rb::cluster {

/// Adds the datastore's own members, also servers without a Node, and those that the manifest does
/// not name; one that is known by name gets its address.
void add_members(const std::vector<datastore::Member>& members,
                 std::vector<api::ServerEntry>& servers);

} // namespace rb::cluster
