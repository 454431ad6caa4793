// All that happened to the keys in a snapshot, in the order of revisions: for callers that need
// more than counts. What is alive is what was put last and not deleted since.
#pragma once

#include "datastore/etcd/inspect.hpp"

#include <functional>

namespace rb::etcd {

struct KeyChange {
  ByteView key;
  std::int64_t revision = 0; ///< Main revision: what Kubernetes calls resourceVersion.
  bool deleted = false;
  ByteView value; ///< Empty where it was deleted.
};

/// Views are valid during the call. An error ends the walk and is passed on.
using OnChange = std::function<Status(const KeyChange&)>;

/// Walks the whole file as inspect() does, and with its errors.
[[nodiscard]] Status replay(RandomReader& reader,
                            const OnChange& on_change,
                            const InspectLimits& limits = {},
                            std::stop_token stop = {});

} // namespace rb::etcd
