// Lists the metadata of all objects of a kind at one revision, page by page.
#pragma once

#include "objects/api_port.hpp"

#include "base/sleeper.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace rb::objects {

struct ServedObject {
  std::string name_space; ///< Empty: not namespaced.
  std::string name;
  std::string uid;
  std::string resource_version;
};

struct ListOrder {
  std::string path;          ///< "/apis/apps/v1/deployments"
  std::int64_t revision = 0; ///< resourceVersion, matched exactly; 0: as things are now.
};

/// Errors: those of ApiPort; with `http_status` set where the server refuses (its first words in
/// the message), also after five tries of what passes (429, 5xx); corrupt; cancelled.
[[nodiscard]] Status list_objects(ApiPort& api,
                                  const ListOrder& order,
                                  Sleeper& sleeper,
                                  const std::function<void(const ServedObject&)>& on_object,
                                  const std::stop_token& stop);

/// How many there are now; one of them is sent. Errors: as list_objects().
[[nodiscard]] Result<std::uint64_t>
count_objects(ApiPort& api, const std::string& path, Sleeper& sleeper, const std::stop_token& stop);

} // namespace rb::objects
